//! The endpoints at which the module listens, as they follow from the parameters when
//! the server starts.

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
    /// Whether this transport is offered.
    pub(crate) fn offers(&self, transport: i32) -> bool {
        self.transports == 0 || self.demands(transport)
    }

    /// Whether the server must not run without it.
    pub(crate) fn demands(&self, transport: i32) -> bool {
        self.transports & transport != 0
    }
}

/// A function that makes the endpoint of one transport, if it has one.
type MakeGroup = fn(&Settings) -> Result<Option<Group>, Error>;

/// A function that makes the core show the outcome of one transport's parameters.
type Show = fn(&Settings, bool);

/// Opens all endpoints. An endpoint that is not configured by name is left out, and so
/// is one that cannot be opened if it was not asked for by name.
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
    // There are none of these by default, so `transport` need not ask for them.
    if !settings.streams.is_empty() {
        handlers.open(vec![streams(settings)])?;
    }
    Ok(())
}

/// Opens the endpoint of this transport, and returns whether it exists now.
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

/// Shows the parameters as the C module does: the whole path or null, and the numbers
/// of the user and the group that are named.
fn show_fifo(settings: &Settings, is_open: bool) {
    let path = fifo_path(settings).filter(|_| is_open);
    show_text("fifo_name", path.as_deref().and_then(Path::to_str));
    if is_open {
        show_owner(&settings.fifo_owner);
    }
}

fn show_datagram(settings: &Settings, is_open: bool) {
    match &settings.dgram {
        // The address is shown as it was written.
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

/// The path of the pipe, unless none is wanted.
fn fifo_path(settings: &Settings) -> Option<PathBuf> {
    let name = match settings.fifo_name.as_deref() {
        Some("") => return None,
        Some(name) => name.to_owned(),
        None => format!("{}_rpc.fifo", server::name()),
    };
    Some(server::runtime_dir().join(name))
}

/// The path of the Unix socket, unless none is wanted.
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

/// The endpoint with its path below the runtime directory, if the path is relative.
/// `dgram_socket` is treated in the same way.
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
