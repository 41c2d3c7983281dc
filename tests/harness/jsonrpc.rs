//! JSON-RPC over a Unix datagram socket, as the C module `jsonrpcs` serves it.

use std::path::Path;

use crate::datagram;

/// The reply of a server to this request, which must have the id 1.
///
/// # Panics
///
/// It does not listen at `socket`, or does not reply.
#[must_use]
pub fn call(socket: &Path, method: &str, params: &str) -> String {
    let request = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":[{params}],"id":1}}"#);
    String::from_utf8_lossy(&datagram::ask(socket, request.as_bytes())).into_owned()
}
