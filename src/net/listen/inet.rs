//! Places to listen as parameters name them that have one kind of place in mind.

use std::fmt::Display;
use std::net::Ipv6Addr;

use kamailio_core::Error;
use rpc_wire::listen::{Flavour, Listen, PathFlavour, Place, Port, Transport};

use super::endpoint::Endpoint;

impl Endpoint {
    /// The socket that `text` names: `udp:` or `tcp:`, the address and the port.
    /// An IPv6 address may have brackets or not.
    ///
    /// # Errors
    /// It names none of this transport, or has no port.
    pub fn inet(text: &str, transport: Transport, protocol: &'static str) -> Result<Self, Error> {
        let listen = Listen::parse(&with_brackets(text), Flavour::BINRPC)
            .map_err(|error| wrong(text, &error))?;
        if listen.transport != transport {
            let right = format!(
                "it does not begin with {transport}:; write for example {transport}:127.0.0.1:8090"
            );
            return Err(wrong(text, &right));
        }
        with_its_port(text, listen, protocol)
    }

    /// The place for datagrams that `text` names: a path, also behind `unix:` or
    /// `unixd:`, or `udp:`, the address and the port.
    ///
    /// # Errors
    /// It names something else, or has no port.
    pub fn datagram(text: &str, protocol: &'static str) -> Result<Self, Error> {
        path_or_inet(text, PathFlavour::DATAGRAM, protocol)
    }

    /// The place for connections that `text` names: a path, also behind `unix:` or
    /// `unixs:`, or `tcp:`, the address and the port.
    ///
    /// # Errors
    /// It names something else, or has no port.
    pub fn stream(text: &str, protocol: &'static str) -> Result<Self, Error> {
        path_or_inet(text, PathFlavour::STREAM, protocol)
    }
}

fn path_or_inet(
    text: &str,
    flavour: PathFlavour,
    protocol: &'static str,
) -> Result<Endpoint, Error> {
    let listen =
        Listen::parse_path(&with_brackets(text), flavour).map_err(|error| wrong(text, &error))?;
    with_its_port(text, listen, protocol)
}

/// The path of the named pipe that `text` names, also behind `fifo:`.
///
/// # Errors
/// It names something else.
pub fn pipe_path(text: &str) -> Result<String, Error> {
    let listen =
        Listen::parse_path(text, PathFlavour::PIPE).map_err(|error| wrong(text, &error))?;
    Ok(listen.place.to_string())
}

fn with_its_port(text: &str, listen: Listen, protocol: &'static str) -> Result<Endpoint, Error> {
    match listen.place {
        Place::Inet {
            port: Port::Default,
            ..
        } => Err(wrong(
            text,
            &format!(
                "it has no port; write for example {}:127.0.0.1:8090",
                listen.transport
            ),
        )),
        _ => Ok(Endpoint::resolve(listen, 0, protocol)?),
    }
}

fn wrong(text: &str, reason: &dyn Display) -> Error {
    Error::new(format!("{text:?} is no address to listen on: {reason}"))
}

/// In C the last colon is the one before the port, also in an IPv6 address
/// without brackets.
fn with_brackets(text: &str) -> String {
    let parts = text
        .split_once(':')
        .filter(|(transport, _)| {
            ["udp", "tcp"]
                .iter()
                .any(|inet| inet.eq_ignore_ascii_case(transport))
        })
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
        assert_eq!(with_brackets("TCP:::1:8090"), "TCP:[::1]:8090");
        for text in [
            "udp:[::1]:8090",
            "udp:127.0.0.1:8090",
            "udp:host",
            "udp:",
            "file:::1:8090",
        ] {
            assert_eq!(with_brackets(text), text);
        }
    }
}
