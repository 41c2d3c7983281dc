//! Who is connected, for commands that tell.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use kamailio_core::peers::Process;
use parking_lot::Mutex;
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix};

use crate::listener::Bound;

/// The other end of a connection or of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A process of this host, where the system tells which one.
    Local(Option<Process>),
    /// The Unix datagram socket that a datagram came from.
    Socket(SocketAddrUnix),
    /// An Internet address.
    Inet(SocketAddr),
    /// Somebody whose Internet address the system does not tell.
    Unknown,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Local(Some(process)) => process.fmt(f),
            Peer::Local(None) => f.write_str("a local process"),
            Peer::Socket(address) => write!(f, "socket {}", Name(address)),
            Peer::Inet(address) => write!(f, "{address}"),
            Peer::Unknown => f.write_str("a client without an address"),
        }
    }
}

impl Peer {
    /// The sender of a datagram.
    pub(crate) fn of_datagram(from: &SocketAddrAny) -> Self {
        match from.address_family() {
            AddressFamily::UNIX => {
                SocketAddrUnix::try_from(from.clone()).map_or(Peer::Local(None), Peer::Socket)
            }
            _ => SocketAddr::try_from(from.clone()).map_or(Peer::Unknown, Peer::Inet),
        }
    }
}

/// The name of a Unix socket. A client chooses it, so it is in quotes and without
/// anything that is not printable.
struct Name<'a>(&'a SocketAddrUnix);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.0.abstract_name() {
            return write!(f, "\"@{}\"", name.escape_ascii());
        }
        let path = self.0.path().unwrap_or_default();
        write!(f, "\"{}\"", path.to_bytes().escape_ascii())
    }
}

/// An open connection.
#[derive(Clone, Debug)]
pub struct Client {
    /// The socket it came to.
    pub listener: Arc<Bound>,
    /// Who it is.
    pub peer: Peer,
}

/// Connections by their age; none where this process serves nobody.
static CLIENTS: Mutex<Option<BTreeMap<u64, Client>>> = Mutex::new(None);

/// The open stream connections of this process, oldest first, or none if it
/// is not the one that serves them.
#[must_use]
pub fn clients() -> Option<Vec<Client>> {
    let clients = CLIENTS.lock();
    Some(clients.as_ref()?.values().cloned().collect())
}

/// This process serves connections from now on.
pub(crate) fn start() {
    CLIENTS.lock().get_or_insert_default();
}

/// A connection's entry, gone with it.
#[derive(Debug)]
pub(crate) struct Entry(u64);

impl Entry {
    pub(crate) fn new(client: Client) -> Self {
        let mut clients = CLIENTS.lock();
        let clients = clients.get_or_insert_default();
        let next = clients.last_key_value().map_or(0, |(last, _)| last + 1);
        clients.insert(next, client);
        Entry(next)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(clients) = CLIENTS.lock().as_mut() {
            clients.remove(&self.0);
        }
    }
}
