//! The module's own RPC commands. Other transports can call them too.

use kamailio::core::command::{Call, Fault};
use kamailio::net::{self, Bound, Client, Peer};
use rpc_wire::listen::{Place, Transport};

use crate::HANDLERS;

/// `ctl.listen`: protocol, transport, address and port of each socket.
pub(crate) fn listen(call: &mut Call<'_>) -> Result<(), Fault> {
    for bound in HANDLERS.places() {
        call.add_text(bound.protocol)?;
        call.add_text(transport_name(bound.listen.transport))?;
        let (name, port) = name_and_port(&bound);
        call.add_text(name)?;
        call.add_text(port)?;
    }
    Ok(())
}

/// `ctl.connections`: how many stream connections are open.
pub(crate) fn connections(call: &mut Call<'_>) -> Result<(), Fault> {
    let count = open_connections()?.len();
    call.add_int(i32::try_from(count).unwrap_or(i32::MAX))
}

/// `ctl.who`: protocol, transport and both ends of each stream connection.
pub(crate) fn who(call: &mut Call<'_>) -> Result<(), Fault> {
    let clients = open_connections()?;
    if clients.is_empty() {
        return Err(Fault::new(400, "no open stream connection"));
    }
    for client in clients {
        call.add_text(client.listener.protocol)?;
        call.add_text(transport_name(client.listener.listen.transport))?;
        for (address, port) in [far_end(&client), near_end(&client.listener)] {
            call.add_text(address)?;
            call.add_text(port)?;
        }
    }
    Ok(())
}

fn open_connections() -> Result<Vec<Client>, Fault> {
    net::clients().ok_or_else(|| Fault::new(606, "rpc available only over binrpc (ctl)"))
}

fn far_end(client: &Client) -> (String, String) {
    match &client.peer {
        Peer::Local(_) | Peer::Socket(_) => ("<anonymous unix socket>".to_owned(), String::new()),
        Peer::Inet(address) => (address.ip().to_string(), address.port().to_string()),
        Peer::Unknown => ("<unknown>".to_owned(), String::new()),
    }
}

fn near_end(bound: &Bound) -> (String, String) {
    match bound.address {
        Some(address) => (address.ip().to_string(), address.port().to_string()),
        None => (bound.listen.place.to_string(), String::new()),
    }
}

/// An address as it was configured.
fn name_and_port(bound: &Bound) -> (String, String) {
    let port = bound.address.map(|address| address.port().to_string());
    let name = match &bound.listen.place {
        Place::Path(path) => path.clone(),
        Place::Inet { host: None, .. } => "*".to_owned(),
        Place::Inet {
            host: Some(host), ..
        } => host.clone(),
    };
    (name, port.unwrap_or_default())
}

/// The C module's word for a transport.
fn transport_name(transport: Transport) -> &'static str {
    match transport {
        Transport::UnixStream => "unix_stream",
        Transport::UnixDatagram => "unix_dgram",
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Fifo => "fifo",
    }
}
