//! Exchanging one request and its reply over a datagram socket.

use std::net::{SocketAddr, UdpSocket};
use std::ops::Deref;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::binrpc::any_port_towards;
use crate::own_path::OwnPath;
use crate::wait::patience;

/// A buffer size that no datagram exceeds.
pub const LONGEST: usize = 8 << 20;

/// A Unix datagram socket with a name of its own, to which a server can reply. It waits
/// for a reply no longer than a test does.
#[derive(Debug)]
pub struct NamedSocket {
    socket: UnixDatagram,
    /// The name, which goes with the socket.
    _own: OwnPath,
}

impl NamedSocket {
    /// A new socket.
    ///
    /// # Panics
    ///
    /// The system has none.
    #[must_use]
    pub fn new() -> Self {
        let own = OwnPath::new();
        let socket = UnixDatagram::bind(own.path()).expect("a new socket");
        socket
            .set_read_timeout(Some(patience()))
            .expect("a time limit");
        Self { socket, _own: own }
    }

    /// A new socket that sends to this one.
    ///
    /// # Panics
    ///
    /// Nothing listens there.
    #[must_use]
    pub fn to(server: &Path) -> Self {
        let client = Self::new();
        client.connect(server).expect("the server listens");
        client
    }
}

impl Default for NamedSocket {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for NamedSocket {
    type Target = UnixDatagram;

    fn deref(&self) -> &UnixDatagram {
        &self.socket
    }
}

/// The reply of a server to this request over a Unix socket.
///
/// # Panics
///
/// It does not listen at `socket`, or does not reply.
#[must_use]
pub fn ask(socket: &Path, request: &[u8]) -> Vec<u8> {
    let client = NamedSocket::new();
    client.send_to(request, socket).expect("the server listens");
    let mut reply = vec![0; LONGEST];
    let len = client.recv(&mut reply).expect("a reply");
    reply.truncate(len);
    reply
}

/// Sends a request that is not answered, or whose answer is not read.
///
/// # Panics
///
/// Nothing listens at `socket`.
pub fn send(socket: &Path, request: &[u8]) {
    let client = UnixDatagram::unbound().expect("a new socket");
    client.send_to(request, socket).expect("the server listens");
}

/// The reply of a server to this request over UDP.
///
/// # Panics
///
/// It does not reply.
#[must_use]
pub fn ask_udp(server: SocketAddr, request: &[u8]) -> Vec<u8> {
    let client = UdpSocket::bind(any_port_towards(server)).expect("a new socket");
    client
        .set_read_timeout(Some(patience()))
        .expect("a time limit");
    client.send_to(request, server).expect("a way there");
    let mut reply = vec![0; 1 << 16];
    let len = client.recv(&mut reply).expect("a reply");
    reply.truncate(len);
    reply
}
