//! Finding the connection to an address, and the state of connections.

use std::net::Ipv6Addr;

use kamailio::core::Error;
use kamailio::core::args::Args;
use kamailio::core::message::Message;
use kamailio::core::tcp::{Connection, State, uri_address};

use crate::function::{Function, Refusal};

static ALIVE: Function = Function::new("tcp_conid_alive");
static STATE: Function = Function::new("tcp_conid_state");
static ADDRESS_ALIVE: Function = Function::new("tcp_con_alive");
static FIND: Function = Function::new("tcp_get_conid");

/// The port of an address that has none.
const PORT: u16 = 5060;

/// The result for a host that has no address, which is one of the core's numbers.
const NOT_RESOLVED: i32 = -5;

/// The script function `tcp_conid_state("$conid")`.
pub(crate) fn state(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    STATE.answer(|| Ok(state_of(Connection::find(args.int(0)?))))
}

/// The script function `tcp_conid_alive("$conid")`.
pub(crate) fn alive(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    ALIVE.answer(|| Ok(alive_or_not(Connection::find(args.int(0)?))))
}

/// The script function `tcp_con_alive("192.0.2.1:5060")`, or with `$du`.
pub(crate) fn address_alive(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    ADDRESS_ALIVE.answer(|| {
        let (host, port) = parse(&args.text(0)?)?;
        Ok(alive_or_not(Connection::find_by_address(&host, port)?))
    })
}

/// The script function `tcp_get_conid("192.0.2.1:5060", "$var(conid)")`.
pub(crate) fn find(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    FIND.answer(|| {
        let (host, port) = parse(&args.text(0)?)?;
        let found = Connection::find_by_address(&host, port)
            .map_err(|error| Refusal::new(NOT_RESOLVED, error))?;
        if let Some(connection) = &found {
            // The script is about to use the connection.
            connection.touch();
        }
        let id = found.map_or(0, |connection| connection.id());
        args.set_int(1, id)?;
        Ok(if id == 0 { -1 } else { 1 })
    })
}

/// The C module's number for a state.
fn state_of(connection: Option<Connection>) -> i32 {
    match connection.map(|connection| connection.state()) {
        Some(State::Established | State::Other(_)) => 1,
        Some(State::Accepting) => 2,
        Some(State::Connecting) => 3,
        None => -1,
        Some(State::Ended) => -2,
        Some(State::Failed) => -3,
        Some(State::Bad) => -4,
    }
}

fn alive_or_not(connection: Option<Connection>) -> i32 {
    if state_of(connection) > 0 { 1 } else { -1 }
}

/// The host and the port in an address or a SIP URI.
fn parse(text: &[u8]) -> Result<(Vec<u8>, u16), Error> {
    let scheme = text.split(|byte| *byte == b':').next().unwrap_or_default();
    if scheme.eq_ignore_ascii_case(b"sip") || scheme.eq_ignore_ascii_case(b"sips") {
        return uri_address(text);
    }
    let refused = || Error::new(format!("{} is no address", text.escape_ascii()));
    let text = std::str::from_utf8(text).map_err(|_| refused())?;
    let (host, port) = split(text);
    let port = port.map_or(Ok(PORT), str::parse).map_err(|_| refused())?;
    if host.is_empty() {
        return Err(refused());
    }
    Ok((host.as_bytes().to_vec(), port))
}

/// Splits `host`, `host:port`, `[IPv6]` and `[IPv6]:port` at the colon of the port.
fn split(text: &str) -> (&str, Option<&str>) {
    if text.parse::<Ipv6Addr>().is_ok() {
        return (text, None);
    }
    let host_end = text.find(']').map_or(0, |bracket| bracket + 1);
    match text[host_end..].find(':') {
        Some(colon) => (
            &text[..host_end + colon],
            Some(&text[host_end + colon + 1..]),
        ),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn an_address_is_cut_at_the_colon_of_its_port() {
        for (text, host, port) in [
            ("192.0.2.1", "192.0.2.1", None),
            ("192.0.2.1:5061", "192.0.2.1", Some("5061")),
            ("host:", "host", Some("")),
            (":5060", "", Some("5060")),
            ("2001:db8::1", "2001:db8::1", None),
            ("[2001:db8::1]", "[2001:db8::1]", None),
            ("[2001:db8::1]:5060", "[2001:db8::1]", Some("5060")),
            ("]", "]", None),
            ("", "", None),
        ] {
            assert_eq!(split(text), (host, port), "{text}");
        }
    }
}
