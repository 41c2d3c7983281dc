//! The other end of a connection or of a datagram.

use std::fmt;
use std::net::SocketAddr;

use kamailio_core::peers::Process;
use rustix::net::{AddressFamily, SocketAddrAny, SocketAddrUnix};

/// The other end of a connection or of a datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A process of this host, if the system tells which one.
    Local(Option<Process>),
    /// The Unix datagram socket from which a datagram came.
    Socket(SocketAddrUnix),
    /// An Internet address.
    Inet(SocketAddr),
    /// A client whose Internet address the system does not tell.
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

/// The name of a Unix socket. A client chooses it, so it is written in quotes and
/// without anything that is not printable.
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
