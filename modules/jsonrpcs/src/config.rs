//! The module's parameters.

use std::path::PathBuf;

use kamailio::core::{Error, server};
use kamailio::net::{Endpoint, OwnerNames, OwnerParams, pipe_path, process_count};
use kamailio::rpc::MaxReply;
use parking_lot::Mutex;
use rpc_wire::jsonrpc::Form;
use rpc_wire::listen::{Place, Transport};

/// The protocol of all endpoints except those of `stream_socket`.
pub(crate) const PROTOCOL: &str = "jsonrpc";

/// The protocol of the endpoints of `stream_socket`, whose connections stay open.
pub(crate) const STREAM_PROTOCOL: &str = "jsonrpc stream";

/// The values of the parameters.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The parameter `transport`.
    pub(crate) transports: i32,
    /// The parameter `pretty_format`.
    pub(crate) pretty: bool,
    /// The parameter `strict`.
    pub(crate) strict: bool,
    /// The parameter `fifo_name`, or `None` if it was not set.
    pub(crate) fifo_name: Option<String>,
    pub(crate) fifo_owner: OwnerParams,
    /// The parameter `fifo_reply_dir`.
    pub(crate) fifo_reply_dir: PathBuf,
    /// The parameter `dgram_socket`.
    pub(crate) dgram: Dgram,
    pub(crate) dgram_owner: OwnerParams,
    /// The parameter `dgram_workers`.
    pub(crate) dgram_workers: u32,
    /// The parameter `tcp_socket`.
    pub(crate) tcp: Option<Endpoint>,
    /// The parameter `tcp_keep`.
    pub(crate) keeps_tcp: bool,
    /// The parameters `stream_socket`.
    pub(crate) streams: Vec<Endpoint>,
    /// The parameter `store_dir`.
    pub(crate) store_dir: Option<PathBuf>,
    /// The parameter `all_values`.
    pub(crate) all_values: bool,
    /// The parameter `max_reply`.
    pub(crate) max_reply: MaxReply,
    /// The parameter `http_over_udp`.
    pub(crate) http_over_udp: bool,
}

/// The socket for datagrams.
#[derive(Clone, Debug)]
pub(crate) enum Dgram {
    /// The parameter was not set.
    Default,
    /// No socket is wanted.
    None,
    /// A Unix socket.
    Path(String),
    /// A UDP socket.
    Udp(Endpoint),
}

/// The names of the parameters that control the access to the pipe.
const FIFO_OWNER: OwnerNames = OwnerNames {
    mode: "fifo_mode",
    user: "fifo_user",
    group: "fifo_group",
};

/// The names of the parameters that control the access to the Unix socket.
const DGRAM_OWNER: OwnerNames = OwnerNames {
    mode: "dgram_mode",
    user: "dgram_user",
    group: "dgram_group",
};

/// The default mode, by which the owner and the group may write.
const MODE: u32 = 0o660;

static SETTINGS: Mutex<Option<Settings>> = Mutex::new(None);

/// The values that were set so far.
pub(crate) fn settings() -> Settings {
    change(|settings| settings.clone())
}

/// The layout of answers. The pretty form is that of the C module of this version.
pub(crate) fn form() -> Form {
    change(|settings| settings.form())
}

impl Settings {
    pub(crate) fn form(&self) -> Form {
        match self.pretty {
            false => Form::Compact,
            true if server::PUTS_ARRAYS_ON_LINES => Form::PrettyLines,
            true => Form::Pretty,
        }
    }
}

fn change<R>(edit: impl FnOnce(&mut Settings) -> R) -> R {
    edit(SETTINGS.lock().get_or_insert_with(|| Settings {
        transports: 6,
        pretty: true,
        strict: false,
        fifo_name: None,
        fifo_owner: OwnerParams::new(FIFO_OWNER, MODE),
        fifo_reply_dir: PathBuf::from("/tmp"),
        dgram: Dgram::Default,
        dgram_owner: OwnerParams::new(DGRAM_OWNER, MODE),
        dgram_workers: 1,
        tcp: None,
        keeps_tcp: false,
        streams: Vec::new(),
        store_dir: None,
        all_values: false,
        max_reply: MaxReply::DEFAULT,
        http_over_udp: false,
    }))
}

/// Sets `transport`.
pub(crate) fn set_transport(transports: i32) -> Result<(), Error> {
    if !(0..=15).contains(&transports) {
        return Err(Error::new(format!(
            "{transports} is not a sum of 1 (HTTP), 2 (FIFO), 4 (datagram) and 8 (TCP), \
             or 0 for all that can be"
        )));
    }
    change(|settings| settings.transports = transports);
    Ok(())
}

/// Sets `pretty_format`.
pub(crate) fn set_pretty(on: i32) -> Result<(), Error> {
    change(|settings| settings.pretty = on != 0);
    Ok(())
}

/// Sets `strict`.
pub(crate) fn set_strict(on: i32) -> Result<(), Error> {
    change(|settings| settings.strict = on != 0);
    Ok(())
}

/// Sets `all_values`.
pub(crate) fn set_all_values(on: i32) -> Result<(), Error> {
    change(|settings| settings.all_values = on != 0);
    Ok(())
}

/// The default of `max_reply`.
pub(crate) const DEFAULT_MAX_REPLY: i32 = MaxReply::DEFAULT.parameter();

/// Sets `max_reply`.
pub(crate) fn set_max_reply(bytes: i32) -> Result<(), Error> {
    let max_reply = MaxReply::new(bytes)?;
    change(|settings| settings.max_reply = max_reply);
    Ok(())
}

/// Sets `http_over_udp`.
pub(crate) fn set_http_over_udp(on: i32) -> Result<(), Error> {
    change(|settings| settings.http_over_udp = on != 0);
    Ok(())
}

/// Sets `fifo_name`: a path, optionally behind `fifo:`, or an empty text for no pipe.
pub(crate) fn set_fifo_name(text: &str) -> Result<(), Error> {
    let path = match text {
        "" => String::new(),
        text => pipe_path(text)?,
    };
    change(|settings| settings.fifo_name = Some(path));
    Ok(())
}

/// Sets `fifo_mode`.
pub(crate) fn set_fifo_mode(mode: i32) -> Result<(), Error> {
    change(|settings| settings.fifo_owner.set_usable_mode(mode))
}

/// Sets `fifo_user` by name, and with it the user's group.
pub(crate) fn set_fifo_user(name: &str) -> Result<(), Error> {
    change(|settings| settings.fifo_owner.set_user_and_group(name))
}

/// Sets `fifo_user`, a number.
pub(crate) fn set_fifo_user_id(user: i32) -> Result<(), Error> {
    change(|settings| settings.fifo_owner.set_user_id(user))
}

/// Sets `fifo_group` by name.
pub(crate) fn set_fifo_group(name: &str) -> Result<(), Error> {
    change(|settings| settings.fifo_owner.set_group(name))
}

/// Sets `fifo_group`, a number.
pub(crate) fn set_fifo_group_id(group: i32) -> Result<(), Error> {
    change(|settings| settings.fifo_owner.set_group_id(group))
}

/// Sets `fifo_reply_dir`.
pub(crate) fn set_fifo_reply_dir(path: &str) -> Result<(), Error> {
    let directory = existing_directory(path)?;
    change(|settings| settings.fifo_reply_dir = directory);
    Ok(())
}

/// Sets `dgram_socket`: a path, optionally behind `unix:` or `unixd:`, or
/// `udp:address:port`, or an empty text for no socket.
pub(crate) fn set_dgram_socket(text: &str) -> Result<(), Error> {
    let dgram = match text {
        "" => Dgram::None,
        text => dgram(Endpoint::datagram(text, PROTOCOL)?),
    };
    change(|settings| settings.dgram = dgram);
    Ok(())
}

fn dgram(endpoint: Endpoint) -> Dgram {
    match &endpoint.listen.place {
        Place::Path(path) => Dgram::Path(path.clone()),
        Place::Inet { .. } => Dgram::Udp(endpoint),
    }
}

/// Sets `dgram_workers`.
pub(crate) fn set_dgram_workers(workers: i32) -> Result<(), Error> {
    let workers = process_count(workers, 0)?;
    change(|settings| settings.dgram_workers = workers);
    Ok(())
}

/// Ignores `dgram_timeout`. C reads it and uses it nowhere, and ours never waits.
pub(crate) fn ignore_timeout(_milliseconds: i32) -> Result<(), Error> {
    Ok(())
}

/// Sets `dgram_mode`.
pub(crate) fn set_dgram_mode(mode: i32) -> Result<(), Error> {
    change(|settings| settings.dgram_owner.set_usable_mode(mode))
}

/// Sets `dgram_user` by name, and with it the user's group.
pub(crate) fn set_dgram_user(name: &str) -> Result<(), Error> {
    change(|settings| settings.dgram_owner.set_user_and_group(name))
}

/// Sets `dgram_user`, a number.
pub(crate) fn set_dgram_user_id(user: i32) -> Result<(), Error> {
    change(|settings| settings.dgram_owner.set_user_id(user))
}

/// Sets `dgram_group` by name.
pub(crate) fn set_dgram_group(name: &str) -> Result<(), Error> {
    change(|settings| settings.dgram_owner.set_group(name))
}

/// Sets `dgram_group`, a number.
pub(crate) fn set_dgram_group_id(group: i32) -> Result<(), Error> {
    change(|settings| settings.dgram_owner.set_group_id(group))
}

/// Sets `tcp_socket`: `tcp:address:port`.
pub(crate) fn set_tcp_socket(text: &str) -> Result<(), Error> {
    let tcp = if text.is_empty() {
        None
    } else {
        Some(Endpoint::inet(text, Transport::Tcp, PROTOCOL)?)
    };
    change(|settings| settings.tcp = tcp);
    Ok(())
}

/// Sets `tcp_keep`.
pub(crate) fn set_tcp_keep(on: i32) -> Result<(), Error> {
    change(|settings| settings.keeps_tcp = on != 0);
    Ok(())
}

/// Sets `stream_socket`, which adds a path, optionally behind `unix:`, or
/// `tcp:address:port`.
pub(crate) fn add_stream_socket(text: &str) -> Result<(), Error> {
    let endpoint = Endpoint::stream(text, STREAM_PROTOCOL)?;
    change(|settings| settings.streams.push(endpoint));
    Ok(())
}

/// Sets `store_dir`.
pub(crate) fn set_store_dir(path: &str) -> Result<(), Error> {
    let directory = existing_directory(path)?;
    if !directory.is_absolute() {
        return Err(Error::new(format!(
            "{path:?} does not start with a slash; write the whole path"
        )));
    }
    change(|settings| settings.store_dir = Some(directory));
    Ok(())
}

fn existing_directory(path: &str) -> Result<PathBuf, Error> {
    let directory = PathBuf::from(path);
    if directory.is_dir() {
        Ok(directory)
    } else {
        Err(Error::new(format!(
            "{path:?} is no directory; create it first or write the path of another"
        )))
    }
}
