//! `$tcp(...)`: the connection of a message.

use kamailio::core::message::Message;
use kamailio::core::tcp::{Connection, Peer};
use kamailio::core::variables::Value;

use crate::events;

/// The parts, in the order of their numbers. Those with `a` in front are null
/// where the connection has ended.
const PARTS: [&str; 6] = ["conid", "c_si", "c_sp", "aconid", "ac_si", "ac_sp"];

/// Numbers `$tcp(part)`.
pub(crate) fn parse_tcp(part: &[u8]) -> Option<i32> {
    let index = PARTS.iter().position(|name| name.as_bytes() == part)?;
    i32::try_from(index).ok()
}

/// What it is for this message.
pub(crate) fn get_tcp(message: &mut Message<'_>, part: i32) -> Value {
    let part = usize::try_from(part).ok().and_then(|part| PARTS.get(part));
    let id = message.connection_id();
    match part.copied().unwrap_or_default() {
        "conid" => Value::Int(id.into()),
        "c_si" => address(known(message)),
        "c_sp" => port(known(message)),
        "aconid" => active(id).map_or(Value::Null, |connection| Value::Int(connection.id().into())),
        "ac_si" => active(id).map_or(Value::Null, |connection| address(connection.peer())),
        "ac_sp" => active(id).map_or(Value::Null, |connection| port(connection.peer())),
        _ => Value::Null,
    }
}

fn active(id: i32) -> Option<Connection> {
    Connection::find(id)
}

/// The connection's other end; that of one which has ended, as long as its
/// event route runs; and where there is none, the message's sender.
fn known(message: &Message<'_>) -> Peer {
    let id = message.connection_id();
    active(id)
        .map(|connection| connection.peer())
        .or_else(|| events::peer_of_ended(id))
        .unwrap_or_else(|| message.sender())
}

fn address(peer: Peer) -> Value {
    Value::Text(peer.address)
}

fn port(peer: Peer) -> Value {
    Value::Int(peer.port.into())
}
