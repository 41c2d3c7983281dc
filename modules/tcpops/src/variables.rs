//! The variable `$tcp(...)`, which describes the connection of a message.

use kamailio::core::message::Message;
use kamailio::core::tcp::{Connection, Peer};
use kamailio::core::variables::Value;

use crate::events;

/// The parts, in the order of their numbers. Those that begin with `a` are null if the
/// connection has ended.
const PARTS: [&str; 6] = ["conid", "c_si", "c_sp", "aconid", "ac_si", "ac_sp"];

/// Gives the part in `$tcp(part)` its number.
pub(crate) fn parse_tcp(part: &[u8]) -> Option<i32> {
    let index = PARTS.iter().position(|name| name.as_bytes() == part)?;
    i32::try_from(index).ok()
}

/// The value of a part for this message.
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

/// The other end of the connection. If the connection has ended it is known as long as
/// the event route runs. Without a connection it is the message's sender.
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
