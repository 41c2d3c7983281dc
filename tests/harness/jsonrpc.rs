//! JSON-RPC over a Unix datagram socket, as the C module `jsonrpcs` serves it.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use crate::own_path::OwnPath;
use crate::wait::PATIENCE;

/// What a server writes in reply to this request, which has the id 1.
///
/// # Panics
///
/// It does not listen at `socket`, or does not reply.
#[must_use]
pub fn call(socket: &Path, method: &str, params: &str) -> String {
    let own = OwnPath::new();
    let client = UnixDatagram::bind(own.path()).expect("a new socket");
    client
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    let request = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":[{params}],"id":1}}"#);
    client
        .send_to(request.as_bytes(), socket)
        .expect("the server listens");
    let mut reply = vec![0; 1 << 16];
    let len = client.recv(&mut reply).expect("a reply");
    String::from_utf8_lossy(&reply[..len]).into_owned()
}
