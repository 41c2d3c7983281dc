//! The module's parameters.

use std::collections::HashMap;
use std::time::Duration;

use kamailio::core::Error;
use kamailio::net::{Endpoint, OwnerNames, OwnerParams, process_count};
use kamailio::rpc::MaxReply;
use parking_lot::Mutex;

/// The protocol of the socket.
const PROTOCOL: &str = "mi";

/// The values of the parameters.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The parameter `socket_name`.
    socket: Option<Endpoint>,
    /// The parameter `children_count`.
    pub(crate) children: u32,
    /// The parameters `unix_socket_mode`, `unix_socket_user` and `unix_socket_group`.
    pub(crate) owner: OwnerParams,
    /// The parameter `socket_timeout`.
    timeout: Duration,
    /// The parameter `reply_indent`.
    pub(crate) indent: Vec<u8>,
    /// The parameter `max_reply`.
    pub(crate) max_reply: MaxReply,
    /// The parameters `alias`: new names by old ones.
    pub(crate) aliases: HashMap<Vec<u8>, Vec<u8>>,
}

/// The description of a valid `socket_name`.
const SOCKET_NAME_WANTED: &str =
    "write a path, such as \"/run/kamailio/mi.sock\", or \"udp:127.0.0.1:8033\"";

/// The names of the parameters that control the access to the socket.
const OWNER: OwnerNames = OwnerNames {
    mode: "unix_socket_mode",
    user: "unix_socket_user",
    group: "unix_socket_group",
};

/// The default mode, by which the owner and the group may write.
const MODE: u32 = 0o660;

static SETTINGS: Mutex<Option<Settings>> = Mutex::new(None);

/// The values that were set so far.
pub(crate) fn settings() -> Settings {
    change(|settings| settings.clone())
}

fn change<R>(edit: impl FnOnce(&mut Settings) -> R) -> R {
    edit(SETTINGS.lock().get_or_insert_with(|| Settings {
        socket: None,
        children: 1,
        owner: OwnerParams::new(OWNER, MODE),
        timeout: Duration::from_secs(2),
        indent: b"\t".to_vec(),
        max_reply: MaxReply::DEFAULT,
        aliases: HashMap::new(),
    }))
}

impl Settings {
    /// The endpoint at which to listen.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Error> {
        let socket = self.socket.clone().ok_or_else(|| {
            Error::new(format!(
                "the parameter socket_name is missing; {SOCKET_NAME_WANTED}"
            ))
        })?;
        Ok(Endpoint {
            patience: self.timeout,
            ..socket
        })
    }
}

/// The default of `max_reply`.
pub(crate) const DEFAULT_MAX_REPLY: i32 = MaxReply::DEFAULT.parameter();

/// Sets `max_reply`.
pub(crate) fn set_max_reply(bytes: i32) -> Result<(), Error> {
    let max_reply = MaxReply::new(bytes)?;
    change(|settings| settings.max_reply = max_reply);
    Ok(())
}

/// Sets `socket_name`: a path, optionally behind `unix:` or `unixd:`, or
/// `udp:address:port`. The last one counts.
pub(crate) fn set_socket_name(text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::new(format!("it is empty; {SOCKET_NAME_WANTED}")));
    }
    let socket = Endpoint::datagram(text, PROTOCOL)?;
    change(|settings| settings.socket = Some(socket));
    Ok(())
}

/// Sets `children_count`.
pub(crate) fn set_children_count(count: i32) -> Result<(), Error> {
    let count = process_count(count, 1)?;
    change(|settings| settings.children = count);
    Ok(())
}

/// Sets `unix_socket_mode`.
pub(crate) fn set_mode(mode: i32) -> Result<(), Error> {
    change(|settings| settings.owner.set_usable_mode(mode))
}

/// Sets `unix_socket_user` by name, and with it the user's group.
pub(crate) fn set_user(name: &str) -> Result<(), Error> {
    change(|settings| settings.owner.set_user_and_group(name))
}

/// Sets `unix_socket_user`, a number.
pub(crate) fn set_user_id(user: i32) -> Result<(), Error> {
    change(|settings| settings.owner.set_user_id(user))
}

/// Sets `unix_socket_group` by name.
pub(crate) fn set_group(name: &str) -> Result<(), Error> {
    change(|settings| settings.owner.set_group(name))
}

/// Sets `unix_socket_group`, a number.
pub(crate) fn set_group_id(group: i32) -> Result<(), Error> {
    change(|settings| settings.owner.set_group_id(group))
}

/// Sets `socket_timeout`, in milliseconds.
pub(crate) fn set_timeout(milliseconds: i32) -> Result<(), Error> {
    /// A reply that nobody fetches within this time is of no use any more.
    const LONGEST: u64 = 60_000;
    let milliseconds = u64::try_from(milliseconds)
        .ok()
        .filter(|milliseconds| *milliseconds <= LONGEST)
        .ok_or_else(|| {
            Error::new(format!(
                "{milliseconds} is no time to wait for a client; \
                 it is in milliseconds, up to {LONGEST}"
            ))
        })?;
    change(|settings| settings.timeout = Duration::from_millis(milliseconds));
    Ok(())
}

/// Sets `reply_indent`.
pub(crate) fn set_indent(indent: &str) -> Result<(), Error> {
    change(|settings| settings.indent = indent.as_bytes().to_vec());
    Ok(())
}

/// Sets `alias`, which has the form `old=new`.
pub(crate) fn add_alias(text: &str) -> Result<(), Error> {
    let names = text
        .split_once('=')
        .map(|(old, new)| (old.trim(), new.trim()));
    let usable = |name: &str| !name.is_empty() && !name.contains([':', '=', '\n']);
    let (old, new) = names
        .filter(|(old, new)| usable(old) && usable(new))
        .ok_or_else(|| {
            Error::new(format!(
                "{text:?} is no alias; write old=new, such as \"t_uac_dlg=tm.t_uac_start\""
            ))
        })?;
    let (old, new) = (old.as_bytes().to_vec(), new.as_bytes().to_vec());
    change(|settings| settings.aliases.insert(old, new));
    Ok(())
}
