//! The module's parameters.

use std::collections::HashMap;
use std::time::Duration;

use kamailio::core::Error;
use kamailio::net::{Endpoint, OwnerNames, OwnerParams, process_count};
use kamailio::rpc::MaxReply;
use parking_lot::Mutex;

/// What is spoken on the socket.
const PROTOCOL: &str = "mi";

/// What the configuration file says.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `socket_name`
    socket: Option<Endpoint>,
    /// `children_count`
    pub(crate) children: u32,
    /// `unix_socket_mode`, `unix_socket_user`, `unix_socket_group`
    pub(crate) owner: OwnerParams,
    /// `socket_timeout`
    timeout: Duration,
    /// `reply_indent`
    pub(crate) indent: Vec<u8>,
    /// `max_reply`
    pub(crate) max_reply: MaxReply,
    /// `alias`: new names by old ones.
    pub(crate) aliases: HashMap<Vec<u8>, Vec<u8>>,
}

/// What `socket_name` has to be.
const SOCKET_NAME_WANTED: &str =
    "write a path, such as \"/run/kamailio/mi.sock\", or \"udp:127.0.0.1:8033\"";

/// The parameters for who may use the socket.
const OWNER: OwnerNames = OwnerNames {
    mode: "unix_socket_mode",
    user: "unix_socket_user",
    group: "unix_socket_group",
};

/// The mode where no parameter gives one: the owner and the group may write.
const MODE: u32 = 0o660;

static SETTINGS: Mutex<Option<Settings>> = Mutex::new(None);

/// All that was set so far.
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
    /// Where to listen.
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

/// `max_reply` where it is not set.
pub(crate) const DEFAULT_MAX_REPLY: i32 = MaxReply::DEFAULT.parameter();

/// `max_reply`
pub(crate) fn set_max_reply(bytes: i32) -> Result<(), Error> {
    let max_reply = MaxReply::new(bytes)?;
    change(|settings| settings.max_reply = max_reply);
    Ok(())
}

/// `socket_name`: a path, also behind `unix:` or `unixd:`, or `udp:address:port`.
/// The last one counts.
pub(crate) fn set_socket_name(text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::new(format!("it is empty; {SOCKET_NAME_WANTED}")));
    }
    let socket = Endpoint::datagram(text, PROTOCOL)?;
    change(|settings| settings.socket = Some(socket));
    Ok(())
}

/// `children_count`
pub(crate) fn set_children_count(count: i32) -> Result<(), Error> {
    let count = process_count(count, 1)?;
    change(|settings| settings.children = count);
    Ok(())
}

/// `unix_socket_mode`
pub(crate) fn set_mode(mode: i32) -> Result<(), Error> {
    change(|settings| settings.owner.set_usable_mode(mode))
}

/// `unix_socket_user` by name, and with it the user's group.
pub(crate) fn set_user(name: &str) -> Result<(), Error> {
    change(|settings| settings.owner.set_user_and_group(name))
}

/// `unix_socket_user` as a number.
pub(crate) fn set_user_id(user: i32) -> Result<(), Error> {
    change(|settings| settings.owner.set_user_id(user))
}

/// `unix_socket_group` by name.
pub(crate) fn set_group(name: &str) -> Result<(), Error> {
    change(|settings| settings.owner.set_group(name))
}

/// `unix_socket_group` as a number.
pub(crate) fn set_group_id(group: i32) -> Result<(), Error> {
    change(|settings| settings.owner.set_group_id(group))
}

/// `socket_timeout`, in milliseconds.
pub(crate) fn set_timeout(milliseconds: i32) -> Result<(), Error> {
    /// A reply that nobody fetches in this time is of no use to anybody.
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

/// `reply_indent`
pub(crate) fn set_indent(indent: &str) -> Result<(), Error> {
    change(|settings| settings.indent = indent.as_bytes().to_vec());
    Ok(())
}

/// `alias`: `old=new`.
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
