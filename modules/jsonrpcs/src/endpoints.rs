//! Where the module listens: what the parameters come to when the server
//! starts.

use std::path::{Path, PathBuf};

use kamailio::core::params_storage::{show_int, show_text};
use kamailio::core::{Error, log, server};
use kamailio::net::{Endpoint, Group, Handlers, Owner, OwnerParams};
use rpc_wire::listen::{Flavour, Listen, Place};

use crate::config::{Dgram, PROTOCOL, Settings};

/// The bits of the parameter `transport`.
pub(crate) const HTTP: i32 = 1;
const FIFO: i32 = 2;
const DATAGRAM: i32 = 4;
const TCP: i32 = 8;

impl Settings {
    /// Whether this transport is to be offered.
    pub(crate) fn offers(&self, transport: i32) -> bool {
        self.transports == 0 || self.demands(transport)
    }

    /// Whether the server shall not run without it.
    pub(crate) fn demands(&self, transport: i32) -> bool {
        self.transports & transport != 0
    }
}

/// Gives the endpoint of one transport, if it has any.
type MakeGroup = fn(&Settings) -> Result<Option<Group>, Error>;

/// Has the core tell of the parameters of one transport what became of them.
type Show = fn(&Settings, bool);

/// Opens all endpoints. One that is not there by name is left out, and so is one
/// that cannot be opened if it was not asked for by name.
pub(crate) fn open(settings: &Settings, handlers: &Handlers) -> Result<(), Error> {
    let transports: [(i32, MakeGroup, Show); 3] = [
        (FIFO, fifo, show_fifo),
        (DATAGRAM, datagram, show_datagram),
        (TCP, tcp, show_tcp),
    ];
    for (transport, group, show) in transports {
        let is_open = settings.offers(transport) && open_one(settings, handlers, transport, group)?;
        show(settings, is_open);
    }
    match settings.streams.is_empty() {
        true => Ok(()),
        // Nobody has these by default, so `transport` need not ask for them.
        false => handlers.open(vec![streams(settings)]),
    }
}

/// Whether there is an endpoint of this transport now.
fn open_one(
    settings: &Settings,
    handlers: &Handlers,
    transport: i32,
    group: MakeGroup,
) -> Result<bool, Error> {
    let opened = match group(settings) {
        Ok(None) => return Ok(false),
        Ok(Some(group)) => handlers.open(vec![group]),
        Err(error) => Err(error),
    };
    match opened {
        Ok(()) => Ok(true),
        Err(error) if settings.demands(transport) => Err(error),
        Err(error) => {
            log!(Warning, "{error}; the server goes on without it");
            Ok(false)
        }
    }
}

/// As the C module has them: the whole path or null, and the numbers that the
/// names of a user and a group stand for.
fn show_fifo(settings: &Settings, is_open: bool) {
    let path = fifo_path(settings).filter(|_| is_open);
    show_text("fifo_name", path.as_deref().and_then(Path::to_str));
    if is_open {
        show_owner(&settings.fifo_owner);
    }
}

fn show_datagram(settings: &Settings, is_open: bool) {
    match &settings.dgram {
        // It stays as it was written.
        Dgram::Udp(_) if is_open => {}
        _ => {
            let path = datagram_path(settings).filter(|_| is_open);
            show_text("dgram_socket", path.as_deref().and_then(Path::to_str));
            if is_open {
                show_owner(&settings.dgram_owner);
            }
        }
    }
}

fn show_tcp(_settings: &Settings, is_open: bool) {
    if !is_open {
        show_text("tcp_socket", None);
    }
}

fn show_owner(owner: &OwnerParams) {
    let (user, group) = owner.asked_for();
    let number = |id: Option<u32>| id.and_then(|id| i32::try_from(id).ok()).unwrap_or(-1);
    show_int(owner.names().user, number(user));
    show_int(owner.names().group, number(group));
}

/// Where the pipe is, unless none is wanted.
fn fifo_path(settings: &Settings) -> Option<PathBuf> {
    let name = match settings.fifo_name.as_deref() {
        Some("") => return None,
        Some(name) => name.to_owned(),
        None => format!("{}_rpc.fifo", server::name()),
    };
    Some(server::runtime_dir().join(name))
}

/// Where the Unix socket is, unless none is wanted.
fn datagram_path(settings: &Settings) -> Option<PathBuf> {
    let name = match &settings.dgram {
        Dgram::None | Dgram::Udp(_) => return None,
        Dgram::Default => format!("{}_rpc.sock", server::name()),
        Dgram::Path(name) => name.clone(),
    };
    Some(server::runtime_dir().join(name))
}

fn fifo(settings: &Settings) -> Result<Option<Group>, Error> {
    let Some(path) = fifo_path(settings) else {
        return Ok(None);
    };
    Ok(Some(Group {
        name: c"JSONRPCS FIFO",
        processes: 1,
        endpoints: vec![file("fifo", &path)?],
        owner: settings.fifo_owner.owner(),
    }))
}

fn datagram(settings: &Settings) -> Result<Option<Group>, Error> {
    let endpoint = match (&settings.dgram, datagram_path(settings)) {
        (Dgram::Udp(endpoint), _) => endpoint.clone(),
        (_, Some(path)) => file("unixd", &path)?,
        (_, None) => return Ok(None),
    };
    if settings.dgram_workers == 0 {
        return Ok(None);
    }
    Ok(Some(Group {
        name: c"JSONRPCS DATAGRAM",
        processes: settings.dgram_workers,
        endpoints: vec![endpoint],
        owner: settings.dgram_owner.owner(),
    }))
}

fn tcp(settings: &Settings) -> Result<Option<Group>, Error> {
    Ok(settings.tcp.clone().map(|endpoint| Group {
        name: c"JSONRPCS TCP",
        processes: 1,
        endpoints: vec![endpoint],
        owner: Owner::default(),
    }))
}

fn streams(settings: &Settings) -> Group {
    Group {
        name: c"JSONRPCS STREAM",
        processes: 1,
        endpoints: settings.streams.iter().map(in_runtime_dir).collect(),
        owner: settings.dgram_owner.owner(),
    }
}

/// A relative path is one in the runtime directory, as that of `dgram_socket` is.
fn in_runtime_dir(endpoint: &Endpoint) -> Endpoint {
    let mut endpoint = endpoint.clone();
    if let Place::Path(path) = &mut endpoint.listen.place {
        let whole = server::runtime_dir().join(&*path);
        *path = whole.to_string_lossy().into_owned();
    }
    endpoint
}

fn file(transport: &str, path: &Path) -> Result<Endpoint, Error> {
    let text = format!("{transport}:{}", path.display());
    let listen = Listen::parse(&text, Flavour::BINRPC)
        .map_err(|error| Error::new(format!("cannot listen on {text:?}: {error}")))?;
    Ok(Endpoint::resolve(listen, 0, PROTOCOL)?)
}
