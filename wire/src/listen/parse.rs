//! Parsing of addresses.

use std::net::{Ipv6Addr, SocketAddr};

use thiserror::Error;

use super::{Flavour, Listen, MAX_SOCKET_PATH, PathFlavour, Place, Port, Transport};

/// Kamailio's other transports, on which no remote procedure call comes in. They would
/// be legal as hosts, but nobody means them so.
const FOREIGN_TRANSPORTS: [&str; 6] = ["sctp", "tls", "ws", "wss", "http", "https"];

/// The reason why a text is not an address to listen on, and how one is written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListenError {
    /// There is no text.
    #[error(
        "the address is empty; write for example udp:127.0.0.1:2049 or a path such as /run/kamailio/ctl"
    )]
    Empty,
    /// The text before the first colon is neither a transport nor a host.
    #[error("there is no transport {0:?}; there are unix, unixs, unixd, udp, tcp and fifo")]
    UnknownTransport(String),
    /// The text before the first colon is a transport, or looks like one, that
    /// the parameter does not offer.
    #[error("{0:?} is not served here; write {1}")]
    NotServed(String, PathFlavour),
    /// Nothing follows a transport that needs a path.
    #[error("the path is missing; write for example {0}:/run/kamailio/ctl")]
    EmptyPath(Transport),
    /// The path does not fit into the address of a Unix socket.
    #[error("the path has {0} bytes, that of a Unix socket has at most {MAX_SOCKET_PATH}")]
    PathTooLong(usize),
    /// There is a NUL in a path, where the system would cut it off.
    #[error("there is a NUL byte in the path")]
    NulInPath,
    /// The text where a host belongs cannot be one.
    #[error(
        "{0:?} is no host; write a name, an IPv4 address, an IPv6 address in brackets, or * for \
         every IPv4 address"
    )]
    Host(String),
    /// The text where a port belongs cannot be one.
    #[error("{0:?} is no port; write a number from 1 to 65535 or the name of a service")]
    Port(String),
    /// An IPv6 address, or something else with many colons, has no brackets.
    #[error("{0:?} has too many colons; write an IPv6 address in brackets, such as [::1]:2049")]
    Colons(String),
    /// A bracket is opened and not closed.
    #[error("the bracket in {0:?} is not closed; write for example [::1]:2049")]
    UnclosedBracket(String),
    /// Something other than a port follows a closed bracket.
    #[error("{0:?} follows the bracket; write nothing there or a colon and a port")]
    AfterBracket(String),
}

impl Listen {
    /// Reads an address, as the [module](super) describes it.
    ///
    /// # Errors
    ///
    /// The text is no address; the error says what is wrong and what would be
    /// right. Whether a host or a service exists is for the caller to find out.
    pub fn parse(text: &str, flavour: Flavour) -> Result<Self, ListenError> {
        if text.is_empty() {
            return Err(ListenError::Empty);
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(ListenError::Colons(text.to_owned()));
        }
        if text.starts_with('[') {
            return inet(flavour.inet(), text);
        }
        match text.split_once(':') {
            // No host has a slash in it, so the colon belongs to a path.
            Some((head, _)) if head.contains('/') => bare(text, flavour),
            Some((head, rest)) => match Transport::from_name(head) {
                Some(transport) => at(transport, rest),
                None => host_and_port(text, head, rest, flavour),
            },
            None => bare(text, flavour),
        }
    }

    /// Reads an address for a parameter that takes a path. A relative path may have a
    /// colon in its name, so the text before a colon is a transport only if it is known
    /// as one, or if nothing else makes sense.
    ///
    /// # Errors
    ///
    /// The text is not an address, or not one of this flavour.
    pub fn parse_path(text: &str, flavour: PathFlavour) -> Result<Self, ListenError> {
        if text.is_empty() {
            return Err(ListenError::Empty);
        }
        let Some((head, rest)) = text.split_once(':').filter(|(head, _)| !head.contains('/'))
        else {
            return path(flavour.path, text);
        };
        match flavour.transport(head) {
            Some(transport) => at(transport, rest),
            None if is_transport(head) || is_place(rest) => {
                Err(ListenError::NotServed(format!("{head}:"), flavour))
            }
            None => path(flavour.path, text),
        }
    }
}

/// Whether Kamailio has a transport of this name, for RPC or for anything else.
fn is_transport(name: &str) -> bool {
    Transport::from_name(name).is_some() || is_foreign(name)
}

fn is_foreign(name: &str) -> bool {
    FOREIGN_TRANSPORTS
        .iter()
        .any(|foreign| foreign.eq_ignore_ascii_case(name))
}

/// Whether a text is typical of what follows a transport, and hardly ever follows a
/// colon in the name of a file.
fn is_place(text: &str) -> bool {
    text.starts_with('/')
        || ["*:", "localhost:"]
            .iter()
            .any(|host| text.starts_with(host))
        || text.parse::<SocketAddr>().is_ok()
}

fn bare(text: &str, flavour: Flavour) -> Result<Listen, ListenError> {
    if text.contains('/') {
        at(flavour.path, text)
    } else {
        at(flavour.name, text)
    }
}

/// Reads `head:rest` where `head` is not a transport of ours.
fn host_and_port(
    text: &str,
    head: &str,
    rest: &str,
    flavour: Flavour,
) -> Result<Listen, ListenError> {
    if is_foreign(head) || rest.contains([':', '/']) {
        return Err(ListenError::UnknownTransport(head.to_owned()));
    }
    inet(flavour.inet(), text)
}

fn at(transport: Transport, text: &str) -> Result<Listen, ListenError> {
    if transport.is_inet() {
        inet(transport, text)
    } else {
        path(transport, text)
    }
}

fn path(transport: Transport, path: &str) -> Result<Listen, ListenError> {
    if path.is_empty() {
        return Err(ListenError::EmptyPath(transport));
    }
    if path.contains('\0') {
        return Err(ListenError::NulInPath);
    }
    if transport != Transport::Fifo && path.len() > MAX_SOCKET_PATH {
        return Err(ListenError::PathTooLong(path.len()));
    }
    Ok(Listen {
        transport,
        place: Place::Path(path.to_owned()),
    })
}

fn inet(transport: Transport, text: &str) -> Result<Listen, ListenError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => bracketed(rest)?,
        None => unbracketed(text)?,
    };
    Ok(Listen {
        transport,
        place: Place::Inet { host, port },
    })
}

/// Reads `::1]:2049` or `::1]`.
fn bracketed(text: &str) -> Result<(Option<String>, Port), ListenError> {
    let (host, rest) = text
        .split_once(']')
        .ok_or_else(|| ListenError::UnclosedBracket(format!("[{text}")))?;
    if !is_ipv6(host) {
        return Err(ListenError::Host(format!("[{host}]")));
    }
    let port = match rest.strip_prefix(':') {
        Some(port) => self::port(port)?,
        None if rest.is_empty() => Port::Default,
        None => return Err(ListenError::AfterBracket(rest.to_owned())),
    };
    Ok((Some(host.to_owned()), port))
}

/// Reads `host:port`, `host`, or a port alone.
fn unbracketed(text: &str) -> Result<(Option<String>, Port), ListenError> {
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => Err(ListenError::Colons(text.to_owned())),
        Some((host, port)) => Ok((self::host(host)?, self::port(port)?)),
        None if is_number(text) => Ok((None, port(text)?)),
        None => Ok((host(text)?, Port::Default)),
    }
}

fn host(text: &str) -> Result<Option<String>, ListenError> {
    match text {
        "" | "*" => Ok(None),
        // A lone number reads as a port wherever the port itself is missing.
        _ if is_number(text) || !text.bytes().all(is_name_byte) => {
            Err(ListenError::Host(text.to_owned()))
        }
        _ => Ok(Some(text.to_owned())),
    }
}

fn port(text: &str) -> Result<Port, ListenError> {
    let wrong = || ListenError::Port(text.to_owned());
    if text.is_empty() {
        return Ok(Port::Default);
    }
    if is_number(text) {
        return match text.parse() {
            Ok(0) | Err(_) => Err(wrong()),
            Ok(number) => Ok(Port::Number(number)),
        };
    }
    // IANA demands at least one letter in the name of a service.
    let has_letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    if has_letter && text.bytes().all(is_name_byte) {
        Ok(Port::Service(text.to_owned()))
    } else {
        Err(wrong())
    }
}

/// Whether it is an IPv6 address; that of a link-local one may name its interface
/// behind `%`.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let zone_is_name = |zone: &str| !zone.is_empty() && zone.bytes().all(is_name_byte);
    address.parse::<Ipv6Addr>().is_ok() && zone.is_none_or(zone_is_name)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the names of hosts, services and network interfaces may have this byte.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}
