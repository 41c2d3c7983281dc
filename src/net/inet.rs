//! Internet sockets as one parameter names them: `udp:address:port`.

use std::fmt::Display;
use std::net::Ipv6Addr;

use kamailio_core::Error;
use rpc_wire::listen::{Flavour, Listen, Place, Port, Transport};

use crate::listener::Bound;

impl Bound {
    /// The socket that `text` names: `udp:` or `tcp:`, the address and the port.
    /// An IPv6 address may have brackets or not.
    ///
    /// # Errors
    /// It names none of this transport, or has no port.
    pub fn inet(text: &str, transport: Transport, protocol: &'static str) -> Result<Self, Error> {
        let wrong = |reason: &dyn Display| {
            Error::new(format!("{text:?} is no address to listen on: {reason}"))
        };
        let listen = Listen::parse(&with_brackets(text), Flavour::BINRPC).map_err(|e| wrong(&e))?;
        if listen.transport != transport {
            return Err(wrong(&format!(
                "write for example {transport}:127.0.0.1:8090"
            )));
        }
        match listen.place {
            Place::Inet {
                port: Port::Default,
                ..
            } => Err(wrong(&"it has no port; there is no usual one")),
            _ => Ok(Self::resolve(listen, 0, protocol)?),
        }
    }
}

/// In C the last colon is the one before the port, also in an IPv6 address
/// without brackets.
fn with_brackets(text: &str) -> String {
    let parts = text
        .split_once(':')
        .and_then(|(transport, place)| Some((transport, place.rsplit_once(':')?)));
    match parts {
        Some((transport, (host, port))) if host.parse::<Ipv6Addr>().is_ok() => {
            format!("{transport}:[{host}]:{port}")
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::with_brackets;

    #[test]
    fn an_ipv6_address_gets_its_brackets() {
        assert_eq!(with_brackets("udp:::1:8090"), "udp:[::1]:8090");
        for text in ["udp:[::1]:8090", "udp:127.0.0.1:8090", "udp:host", "udp:"] {
            assert_eq!(with_brackets(text), text);
        }
    }
}
