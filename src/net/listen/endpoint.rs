//! The endpoints at which a module listens, with the names in their addresses resolved.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use kamailio_core::Error;
use rpc_wire::listen::{Listen, Place, Port, Transport};

use crate::limits;

/// An address at which to listen, and its protocol.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address as it was configured.
    pub listen: Listen,
    /// The numerical address of an Internet socket.
    pub address: Option<SocketAddr>,
    /// The module's name for the protocol of the endpoint.
    pub protocol: &'static str,
    /// The time for which a reply may wait for a client that takes no more datagrams.
    pub patience: Duration,
}

/// The error for an address at which one cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {listen}: {reason}")]
pub struct OpenError {
    pub(super) listen: Listen,
    pub(super) reason: Error,
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Error::new(error.to_string())
    }
}

impl Endpoint {
    /// Resolves the names in an address. It opens nothing.
    ///
    /// # Errors
    /// The host or the service has no address.
    pub fn resolve(
        listen: Listen,
        default_port: u16,
        protocol: &'static str,
    ) -> Result<Self, OpenError> {
        let address = match &listen.place {
            Place::Path(_) => Ok(None),
            Place::Inet { host, port } => {
                resolve(host.as_deref(), port, default_port, listen.transport).map(Some)
            }
        };
        match address {
            Ok(address) => Ok(Endpoint {
                listen,
                address,
                protocol,
                patience: limits::DATAGRAM_PATIENCE,
            }),
            Err(reason) => Err(OpenError { listen, reason }),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.listen.fmt(f)
    }
}

fn resolve(
    host: Option<&str>,
    port: &Port,
    default_port: u16,
    transport: Transport,
) -> Result<SocketAddr, Error> {
    let port = match port {
        Port::Default => default_port,
        Port::Number(number) => *number,
        Port::Service(name) => service_port(name, transport).ok_or_else(|| {
            Error::new(format!(
                "there is no service {name} in /etc/services; write the port as a number"
            ))
        })?,
    };
    let Some(host) = host else {
        return Ok((Ipv4Addr::UNSPECIFIED, port).into());
    };
    let addresses: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| Error::new(format!("{host} does not resolve: {error}")))?
        .collect();
    // IPv4 is preferred as with the C modules, because kamcmd knows nothing else.
    let ipv4 = addresses.iter().find(|address| address.is_ipv4());
    ipv4.or(addresses.first())
        .copied()
        .ok_or_else(|| Error::new(format!("{host} has no address")))
}

fn service_port(name: &str, transport: Transport) -> Option<u16> {
    let services = fs::read_to_string("/etc/services").ok()?;
    let protocol = transport.to_string();
    services.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let canonical = words.next()?;
        let (port, of) = words.next()?.split_once('/')?;
        let named = canonical == name || words.any(|alias| alias == name);
        (named && of == protocol).then(|| port.parse().ok())?
    })
}
