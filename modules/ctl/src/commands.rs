//! The module's own RPC commands, which other transports can also call.

use kamailio::core::command::{Call, Fault};
use kamailio::net::{self, Endpoint, OpenConnection, Peer};
use rpc_wire::listen::{Place, Transport};

use crate::HANDLERS;

/// Answers `ctl.listen` with the protocol, transport, address and port of each socket.
pub(crate) fn listen(call: &mut Call<'_>) -> Result<(), Fault> {
    for endpoint in HANDLERS.endpoints() {
        call.add_text(endpoint.protocol)?;
        call.add_text(transport_name(endpoint.listen.transport))?;
        let (name, port) = name_and_port(&endpoint);
        call.add_text(name)?;
        call.add_text(port)?;
    }
    Ok(())
}

/// Answers `ctl.connections` with the number of open stream connections.
pub(crate) fn connections(call: &mut Call<'_>) -> Result<(), Fault> {
    let count = open_connections()?.len();
    call.add_int(i32::try_from(count).unwrap_or(i32::MAX))
}

/// Answers `ctl.who` with the protocol, transport and both ends of each stream
/// connection.
pub(crate) fn who(call: &mut Call<'_>) -> Result<(), Fault> {
    let connections = open_connections()?;
    if connections.is_empty() {
        return Err(Fault::new(400, "no open stream connection"));
    }
    for connection in connections {
        call.add_text(connection.listener.protocol)?;
        call.add_text(transport_name(connection.listener.listen.transport))?;
        for (address, port) in [far_end(&connection), near_end(&connection.listener)] {
            call.add_text(address)?;
            call.add_text(port)?;
        }
    }
    Ok(())
}

fn open_connections() -> Result<Vec<OpenConnection>, Fault> {
    net::open_connections().ok_or_else(|| Fault::new(606, "rpc available only over binrpc (ctl)"))
}

fn far_end(connection: &OpenConnection) -> (String, String) {
    match &connection.peer {
        Peer::Local(_) | Peer::Socket(_) => ("<anonymous unix socket>".to_owned(), String::new()),
        Peer::Inet(address) => (address.ip().to_string(), address.port().to_string()),
        Peer::Unknown => ("<unknown>".to_owned(), String::new()),
    }
}

fn near_end(endpoint: &Endpoint) -> (String, String) {
    match endpoint.address {
        Some(address) => (address.ip().to_string(), address.port().to_string()),
        None => (endpoint.listen.place.to_string(), String::new()),
    }
}

/// The address and the port as they were configured.
fn name_and_port(endpoint: &Endpoint) -> (String, String) {
    let port = endpoint.address.map(|address| address.port().to_string());
    let name = match &endpoint.listen.place {
        Place::Path(path) => path.clone(),
        Place::Inet { host: None, .. } => "*".to_owned(),
        Place::Inet {
            host: Some(host), ..
        } => host.clone(),
    };
    (name, port.unwrap_or_default())
}

/// The C module's name for a transport.
fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::UnixStream => "unix_stream",
        Transport::UnixDatagram => "unix_dgram",
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Fifo => "fifo",
    }
}
