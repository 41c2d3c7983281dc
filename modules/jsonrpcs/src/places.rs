//! Where the module listens: what the parameters come to when the server
//! starts.

use kamailio::core::{Error, log, server};
use kamailio::net::{Bound, Group, Handlers, Owner};
use rpc_wire::listen::{Flavour, Listen};

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

/// Gives the place of one transport, if it has any.
type MakeGroup = fn(&Settings) -> Result<Option<Group>, Error>;

/// Opens all places. One that is not there by name is left out, and so is one
/// that cannot be opened if it was not asked for by name.
pub(crate) fn open(settings: &Settings, handlers: &Handlers) -> Result<(), Error> {
    let groups: [(i32, MakeGroup); 3] = [(FIFO, fifo), (DATAGRAM, datagram), (TCP, tcp)];
    for (transport, group) in groups {
        if !settings.offers(transport) {
            continue;
        }
        let opened = match group(settings) {
            Ok(None) => continue,
            Ok(Some(group)) => handlers.open(vec![group]),
            Err(error) => Err(error),
        };
        match opened {
            Err(error) if settings.demands(transport) => return Err(error),
            Err(error) => log!(Warning, "{error}; the server goes on without it"),
            Ok(()) => {}
        }
    }
    Ok(())
}

fn fifo(settings: &Settings) -> Result<Option<Group>, Error> {
    let name = match settings.fifo_name.as_deref() {
        Some("") => return Ok(None),
        Some(name) => name.to_owned(),
        None => format!("{}_rpc.fifo", server::name()),
    };
    Ok(Some(Group {
        name: c"JSONRPCS FIFO",
        processes: 1,
        places: vec![file("fifo", &name)?],
        owner: settings.fifo_owner.owner(),
    }))
}

fn datagram(settings: &Settings) -> Result<Option<Group>, Error> {
    let place = match &settings.dgram {
        Dgram::None => return Ok(None),
        Dgram::Default => file("unixd", &format!("{}_rpc.sock", server::name()))?,
        Dgram::Path(name) => file("unixd", name)?,
        Dgram::Udp(bound) => bound.clone(),
    };
    if settings.dgram_workers == 0 {
        return Ok(None);
    }
    Ok(Some(Group {
        name: c"JSONRPCS DATAGRAM",
        processes: settings.dgram_workers,
        places: vec![place],
        owner: settings.dgram_owner.owner(),
    }))
}

fn tcp(settings: &Settings) -> Result<Option<Group>, Error> {
    Ok(settings.tcp.clone().map(|place| Group {
        name: c"JSONRPCS TCP",
        processes: 1,
        places: vec![place],
        owner: Owner::default(),
    }))
}

/// A file by its name, below the runtime directory unless that is a whole path.
fn file(transport: &str, name: &str) -> Result<Bound, Error> {
    let path = server::runtime_dir().join(name);
    let text = format!("{transport}:{}", path.display());
    let listen = Listen::parse(&text, Flavour::BINRPC)
        .map_err(|error| Error::new(format!("cannot listen on {text:?}: {error}")))?;
    Ok(Bound::resolve(listen, 0, PROTOCOL)?)
}
