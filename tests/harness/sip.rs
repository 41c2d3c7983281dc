//! A SIP peer to which a server sends requests.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A peer that answers every request as the user in its URI says. A code is sent after
/// a provisional reply; `silent` gets no answer; `held` gets 200 when the test says so.
/// Dropping the peer ends it.
#[derive(Debug)]
pub struct Peer {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    ends: AtomicBool,
    released: AtomicBool,
    /// The number of requests that are held.
    held: AtomicUsize,
}

impl Peer {
    /// Starts a peer on a free port.
    ///
    /// # Panics
    ///
    /// There is none.
    #[must_use]
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("it is bound").port();
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("a time limit");
        let shared = Arc::new(Shared::default());
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || serve(&socket, &shared)
        });
        Self {
            port,
            shared,
            thread: Some(thread),
        }
    }

    /// The peer's URI for requests that are to be answered in this way.
    #[must_use]
    pub fn uri(&self, user: &str) -> String {
        format!("sip:{user}@127.0.0.1:{}", self.port)
    }

    /// The number of requests that it holds, including retransmissions.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::Acquire)
    }

    /// Answers the requests that it holds, and later ones at once.
    pub fn release(&self) {
        self.shared.released.store(true, Ordering::Release);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(socket: &UdpSocket, shared: &Shared) {
    let mut held: Vec<(String, SocketAddr)> = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while !shared.ends.load(Ordering::Acquire) {
        if let Ok((len, from)) = socket.recv_from(&mut buffer) {
            let request = String::from_utf8_lossy(&buffer[..len]).into_owned();
            match user(&request) {
                "silent" => {}
                "held" => {
                    held.push((request, from));
                    shared.held.fetch_add(1, Ordering::AcqRel);
                }
                code => {
                    let code = code.to_owned();
                    reply(socket, from, &request, "100");
                    reply(socket, from, &request, &code);
                }
            }
        }
        if shared.released.load(Ordering::Acquire) {
            for (request, from) in held.drain(..) {
                reply(socket, from, &request, "200");
            }
        }
    }
}

fn user(request: &str) -> &str {
    let uri = request.split(' ').nth(1).unwrap_or_default();
    let uri = uri.strip_prefix("sip:").unwrap_or(uri);
    uri.split('@').next().unwrap_or_default()
}

/// Sends a reply with the headers that tie it to its request.
fn reply(socket: &UdpSocket, to: SocketAddr, request: &str, code: &str) {
    let mut text = format!("SIP/2.0 {code} Told So\r\n");
    for line in request.split("\r\n") {
        let name = line.split(':').next().unwrap_or_default();
        if ["Via", "From", "Call-ID", "CSeq"].contains(&name) {
            text += &format!("{line}\r\n");
        } else if name == "To" {
            text += &format!("{line};tag=peer\r\n");
        }
    }
    text += "X-Said: \"quoted\" \\ é\r\nContent-Length: 0\r\n\r\n";
    // A server that is gone needs no reply.
    let _ = socket.send_to(text.as_bytes(), to);
}
