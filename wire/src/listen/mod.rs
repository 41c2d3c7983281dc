//! Where a server listens, as an operator writes it.
//!
//! | text | meaning |
//! | --- | --- |
//! | `unix:/run/kamailio/ctl`, `unixs:...` | Unix stream socket |
//! | `unixd:/run/kamailio/ctl` | Unix datagram socket |
//! | `fifo:/run/kamailio/fifo` | named pipe |
//! | `udp:127.0.0.1:2049`, `tcp:sip.example.org:2049` | Internet socket |
//! | `udp:[::1]:2049` | the same with IPv6 |
//! | `tcp:10.0.0.1`, `tcp:[::1]` | the caller's default port |
//! | `tcp:*:2049`, `tcp::2049`, `tcp:2049` | every IPv4 address of the host |
//! | `tcp:localhost:sip` | a service name, which the caller resolves |
//!
//! The transport is written in capitals or small letters. Without one, the
//! [`Flavour`] of the parameter decides. What follows the transport of a path
//! is the path, colons included; an Internet socket's address has none outside
//! brackets.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

pub use parse::ListenError;

/// The longest path of a Unix socket, in bytes: `sun_path` has 108 and one of
/// them is the NUL.
pub const MAX_SOCKET_PATH: usize = 107;

/// How bytes reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A Unix socket with connections.
    UnixStream,
    /// A Unix socket for datagrams.
    UnixDatagram,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// A named pipe.
    Fifo,
}

impl Transport {
    /// Whether it has a host and a port instead of a path.
    #[must_use]
    pub const fn is_inet(self) -> bool {
        matches!(self, Self::Udp | Self::Tcp)
    }

    fn from_name(name: &str) -> Option<Self> {
        const NAMES: [(&str, Transport); 6] = [
            ("unix", Transport::UnixStream),
            ("unixs", Transport::UnixStream),
            ("unixd", Transport::UnixDatagram),
            ("udp", Transport::Udp),
            ("tcp", Transport::Tcp),
            ("fifo", Transport::Fifo),
        ];
        NAMES
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, transport)| *transport)
    }
}

/// The name that stands before the first colon of an address.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnixStream => "unix",
            Self::UnixDatagram => "unixd",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Fifo => "fifo",
        })
    }
}

/// What an address without a transport means in one parameter.
///
/// A host with a port takes `name` if that is an Internet transport and is UDP
/// otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flavour {
    /// The transport of text with a slash in it.
    pub path: Transport,
    /// The transport of text without a slash and without a port.
    pub name: Transport,
}

impl Flavour {
    /// The parameter `binrpc` of the module `ctl`.
    pub const BINRPC: Self = Self {
        path: Transport::UnixStream,
        name: Transport::Udp,
    };
    /// The parameter `fifo` of the module `ctl`.
    pub const FIFO: Self = Self {
        path: Transport::Fifo,
        name: Transport::Fifo,
    };

    fn inet(self) -> Transport {
        if self.name.is_inet() {
            self.name
        } else {
            Transport::Udp
        }
    }
}

/// What a parameter offers whose text is a path, unless the name of a transport
/// stands in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathFlavour {
    /// The transport of a path.
    pub path: Transport,
    /// The transport of an Internet address, if the parameter takes one.
    pub inet: Option<Transport>,
}

impl PathFlavour {
    /// Unix sockets for datagrams, and UDP.
    pub const DATAGRAM: Self = Self {
        path: Transport::UnixDatagram,
        inet: Some(Transport::Udp),
    };
    /// Named pipes.
    pub const PIPE: Self = Self {
        path: Transport::Fifo,
        inet: None,
    };

    /// Whether `name` is a transport here: `unix` says nothing of the kind of the
    /// socket.
    fn transport(self, name: &str) -> Option<Transport> {
        let is_unix = name.eq_ignore_ascii_case("unix");
        if is_unix && self.path == Transport::UnixDatagram {
            return Some(self.path);
        }
        Transport::from_name(name)
            .filter(|transport| *transport == self.path || Some(*transport) == self.inet)
    }
}

/// What may be written.
impl fmt::Display for PathFlavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a path such as /run/kamailio/rpc, with or without {}: in front of it",
            self.path
        )?;
        match self.inet {
            Some(inet) => write!(f, ", or {inet}:127.0.0.1:8090"),
            None => Ok(()),
        }
    }
}

/// An address to listen on. [`Display`](fmt::Display) writes it so that every
/// flavour reads it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// How bytes come in.
    pub transport: Transport,
    /// Where. It is a path unless the transport [is one of the
    /// Internet's](Transport::is_inet).
    pub place: Place,
}

/// The part of an address that the transport leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A socket or a pipe in the file system, absolute or not.
    Path(String),
    /// An Internet address.
    Inet {
        /// A host name or an IP address without brackets; `None` for every
        /// IPv4 address of the host.
        host: Option<String>,
        /// The port.
        port: Port,
    },
}

/// The port of an Internet address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// None was given.
    Default,
    /// 1..=65535
    Number(u16),
    /// A name that stands in `/etc/services`, or should.
    Service(String),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.transport, self.place)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Inet { host, port } => {
                match host.as_deref() {
                    None => f.write_str("*")?,
                    Some(ipv6) if ipv6.contains(':') => write!(f, "[{ipv6}]")?,
                    Some(host) => f.write_str(host)?,
                }
                match port {
                    Port::Default => Ok(()),
                    Port::Number(number) => write!(f, ":{number}"),
                    Port::Service(name) => write!(f, ":{name}"),
                }
            }
        }
    }
}
