//! The addresses at which a server listens, as an operator writes them.
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
//! The transport may be written in capitals or small letters. Without one, the
//! [`Flavour`] of the parameter decides. Everything behind the transport of a path is
//! the path, including colons; the address of an Internet socket has no other colons
//! outside brackets.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

pub use parse::ListenError;

/// The longest path of a Unix socket, in bytes. `sun_path` has 108, of which one is the
/// NUL.
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
    /// Whether its address is a host and a port instead of a path.
    #[must_use]
    pub const fn is_inet(self) -> bool {
        matches!(self, Self::Udp | Self::Tcp)
    }

    /// Whether its clients have connections.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::UnixStream | Self::Tcp)
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

/// Writes the name that precedes the first colon of an address.
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

/// The meaning of an address without a transport, which differs by parameter.
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
    /// The flavour of `ctl`'s parameter `binrpc`.
    pub const BINRPC: Self = Self {
        path: Transport::UnixStream,
        name: Transport::Udp,
    };
    /// The flavour of `ctl`'s parameter `fifo`.
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

/// The transports of a parameter whose text is a path unless the name of a transport
/// precedes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathFlavour {
    /// The transport of a path.
    pub path: Transport,
    /// The transport of an Internet address, if the parameter takes one.
    pub inet: Option<Transport>,
}

impl PathFlavour {
    /// The flavour of parameters that take Unix sockets for datagrams, and UDP.
    pub const DATAGRAM: Self = Self {
        path: Transport::UnixDatagram,
        inet: Some(Transport::Udp),
    };
    /// The flavour of parameters that take Unix sockets with connections, and TCP.
    pub const STREAM: Self = Self {
        path: Transport::UnixStream,
        inet: Some(Transport::Tcp),
    };
    /// The flavour of parameters that take named pipes.
    pub const PIPE: Self = Self {
        path: Transport::Fifo,
        inet: None,
    };

    /// The transport of this name, if the parameter has it. The name `unix` alone
    /// leaves the kind of socket to the parameter.
    fn transport(self, name: &str) -> Option<Transport> {
        let is_unix = name.eq_ignore_ascii_case("unix");
        if is_unix && self.path == Transport::UnixDatagram {
            return Some(self.path);
        }
        Transport::from_name(name)
            .filter(|transport| *transport == self.path || Some(*transport) == self.inet)
    }
}

/// Writes what an operator may write.
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
    /// The transport by which bytes come in.
    pub transport: Transport,
    /// The path or the Internet address. It is a path unless the transport [is one of
    /// the Internet's](Transport::is_inet).
    pub place: Place,
}

/// The part of an address behind the transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The path of a socket or a pipe, absolute or relative.
    Path(String),
    /// An Internet address.
    Inet {
        /// A host name or an IP address without brackets. `None` stands for every IPv4
        /// address of the host.
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
    /// The name of a service, which the caller looks up in `/etc/services`.
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
