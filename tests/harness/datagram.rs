//! One request and its reply over a Unix datagram socket.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::own_path::OwnPath;
use crate::wait::PATIENCE;

/// What a server writes in reply to this request.
///
/// # Panics
///
/// It does not listen at `socket`, or does not reply.
#[must_use]
pub fn ask(socket: &Path, request: &[u8]) -> Vec<u8> {
    let own = OwnPath::new();
    let client = UnixDatagram::bind(own.path()).expect("a new socket");
    client
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    client.send_to(request, socket).expect("the server listens");
    let mut reply = vec![0; 1 << 16];
    let len = client.recv(&mut reply).expect("a reply");
    reply.truncate(len);
    reply
}
