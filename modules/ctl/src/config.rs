//! The module's parameters.

use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use kamailio::core::Error;
use kamailio::core::params_storage::show_int;
use kamailio::net::{Endpoint, OwnerNames, OwnerParams};
use kamailio::rpc::MaxReply;
use parking_lot::Mutex;
use rpc_wire::listen::{Flavour, Listen, Transport};

use crate::service::{BINRPC, LINE_FIFO, Protocols};

/// The port of UDP and TCP sockets if none is given.
const DEFAULT_PORT: u16 = 2049;

/// The names of the parameters that control the access to sockets and pipes.
const OWNER: OwnerNames = OwnerNames {
    mode: "mode",
    user: "user",
    group: "group",
};

/// The values of the parameters.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The endpoints at which to listen.
    pub(crate) endpoints: Vec<Endpoint>,
    /// The mode, the user and the group of sockets and pipes.
    pub(crate) owner: OwnerParams,
    /// The parameter `autoconversion`: whether all parameters are converted to the type
    /// for which a command asks, even if it does not ask for a conversion.
    converts: bool,
    /// The parameter `max_reply`.
    max_reply: MaxReply,
}

static CONFIG: Mutex<Config> = Mutex::new(Config {
    endpoints: Vec::new(),
    // The C module ignores the one without the other on sockets.
    owner: OwnerParams::new(OWNER, 0o600).one_may_fail(),
    converts: false,
    max_reply: MaxReply::DEFAULT,
});

/// The configuration, with the default socket if it has none.
pub(crate) fn finished() -> Result<Config, Error> {
    let mut config = CONFIG.lock();
    if config.endpoints.is_empty() {
        config.endpoints.push(endpoint(&crate::default_socket())?);
    }
    Ok(config.clone())
}

/// The settings for the protocols.
pub(crate) fn protocols() -> Protocols {
    let config = CONFIG.lock();
    Protocols::new(config.converts, config.max_reply)
}

/// The default of `max_reply`.
pub(crate) const DEFAULT_MAX_REPLY: i32 = MaxReply::DEFAULT.parameter();

/// Sets `max_reply`.
pub(crate) fn set_max_reply(bytes: i32) -> Result<(), Error> {
    CONFIG.lock().max_reply = MaxReply::new(bytes)?;
    Ok(())
}

/// Sets `binrpc`, which adds an endpoint.
pub(crate) fn add_binrpc(text: &str) -> Result<(), Error> {
    let endpoint = endpoint(text)?;
    CONFIG.lock().endpoints.push(endpoint);
    Ok(())
}

/// Sets `fifo`, which adds an endpoint for the line protocol.
pub(crate) fn add_fifo(text: &str) -> Result<(), Error> {
    let endpoint = Endpoint::resolve(parsed(text, Flavour::FIFO)?, DEFAULT_PORT, LINE_FIFO)?;
    CONFIG.lock().endpoints.push(endpoint);
    Ok(())
}

fn endpoint(text: &str) -> Result<Endpoint, Error> {
    let listen = parsed(text, Flavour::BINRPC)?;
    if listen.transport == Transport::Fifo {
        return Err(Error::new(format!(
            "{text:?} is a named pipe, over which nobody can be answered in BINRPC; \
             use the parameter fifo for it"
        )));
    }
    Ok(Endpoint::resolve(listen, DEFAULT_PORT, BINRPC)?)
}

fn parsed(text: &str, flavour: Flavour) -> Result<Listen, Error> {
    Listen::parse(text, flavour)
        .map_err(|error| Error::new(format!("{text:?} is no address to listen on: {error}")))
}

/// Sets `mode`. The value 0 leaves the mode that the system gives.
pub(crate) fn set_mode(mode: i32) -> Result<(), Error> {
    CONFIG.lock().owner.set_mode(mode)
}

/// Sets `user`, a name or a number in a text.
pub(crate) fn set_user(name: &str) -> Result<(), Error> {
    CONFIG.lock().owner.set_user(name)
}

/// Sets `user`, a number.
pub(crate) fn set_user_id(user: i32) -> Result<(), Error> {
    CONFIG.lock().owner.set_user_id(user)
}

/// Sets `group`, a name or a number in a text.
pub(crate) fn set_group(name: &str) -> Result<(), Error> {
    CONFIG.lock().owner.set_group(name)
}

/// Sets `group`, a number.
pub(crate) fn set_group_id(group: i32) -> Result<(), Error> {
    CONFIG.lock().owner.set_group_id(group)
}

/// Sets `autoconversion`.
pub(crate) fn set_autoconversion(on: i32) -> Result<(), Error> {
    CONFIG.lock().converts = on != 0;
    Ok(())
}

/// Ignores `binrpc_max_body_size`, `binrpc_struct_max_body_size` and
/// `binrpc_buffer_size`, which limit the C module's replies. Ours have no such limits.
/// The parameters exist so that old configurations still load.
pub(crate) fn ignore_size(_size: i32) -> Result<(), Error> {
    Ok(())
}

/// Makes the core show for the two sizes in kilobytes what it shows with the C module:
/// bytes, and the least size if the value makes no sense.
pub(crate) fn show_sizes() {
    let shown = [
        ("binrpc_max_body_size", &MAX_BODY, 4),
        ("binrpc_struct_max_body_size", &MAX_STRUCT, 1),
    ];
    for (name, kilobytes, least) in shown {
        let kilobytes = match kilobytes.load(Relaxed) {
            ..=0 => least,
            kilobytes => kilobytes,
        };
        show_int(name, kilobytes.wrapping_mul(1024));
    }
}

static MAX_BODY: AtomicI32 = AtomicI32::new(32);
static MAX_STRUCT: AtomicI32 = AtomicI32::new(8);

/// Sets `binrpc_max_body_size`, which is shown and has no other effect.
pub(crate) fn set_max_body(kilobytes: i32) -> Result<(), Error> {
    MAX_BODY.store(kilobytes, Relaxed);
    Ok(())
}

/// Sets `binrpc_struct_max_body_size`, which is shown and has no other effect.
pub(crate) fn set_max_struct(kilobytes: i32) -> Result<(), Error> {
    MAX_STRUCT.store(kilobytes, Relaxed);
    Ok(())
}
