//! Sending documents to a server with `jsonrpcs` on each of its transports.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;

use crate::builder::Builder;
use crate::datagram::{LONGEST, NamedSocket};
use crate::http;
use crate::linefifo::ReplyPipe;
use crate::modules::{self, Flavor};
use crate::server::{Server, free_port};
use crate::wait::patience;

/// The modules that servers load in tests of ours alone.
const MODULES: &[&str] = &[
    "ctl", "pv", "sl", "xlog", "kex", "htable", "rtimer", "xhttp", "jsonrpcs",
];

/// A transport of `jsonrpcs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonTransport {
    /// A Unix datagram socket.
    Datagram,
    /// A named pipe for the request, and another for the answer.
    Pipe,
    /// TCP.
    Tcp,
    /// HTTP, through `xhttp`.
    Http,
}

/// All transports.
pub const JSON_TRANSPORTS: [JsonTransport; 4] = [
    JsonTransport::Datagram,
    JsonTransport::Pipe,
    JsonTransport::Tcp,
    JsonTransport::Http,
];

/// The listeners of a server on all transports.
#[derive(Clone, Copy, Debug)]
pub struct JsonListeners {
    tcp: SocketAddr,
}

/// A document that is always answered.
pub const ECHO: &str = r#"{"jsonrpc":"2.0","method":"core.echo","params":["a",2],"id":"x"}"#;
/// The answer to [`ECHO`].
pub const ECHOED: &str = r#"{"jsonrpc":"2.0","result":["a","2"],"id":"x"}"#;

impl Default for JsonListeners {
    fn default() -> Self {
        Self::new()
    }
}

impl JsonListeners {
    /// Starts a server of ours that listens on all transports, with `extra` in its
    /// configuration, which may contain routes.
    #[must_use]
    pub fn start(&self, extra: &str) -> Server {
        self.builder(extra).start()
    }

    /// Describes the server that [`start`](Self::start) starts, for further changes.
    #[must_use]
    pub fn builder(&self, extra: &str) -> Builder {
        let config = self.config(true, 0);
        Server::builder(Flavor::Rust)
            .tcp()
            .modules(MODULES.iter().copied())
            .config(&format!(
                "{config}{extra}\n\
                 tcp_accept_no_cl=yes\n\
                 modparam(\"htable\", \"htable\", \"t=>size=8;\")\n\
                 request_route {{ exit; }}\n\
                 event_route[xhttp:request] {{ jsonrpc_dispatch(); }}\n"
            ))
    }

    /// A free port for TCP. The other listeners are files, and the port for SIP.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tcp: ([127, 0, 0, 1], free_port()).into(),
        }
    }

    /// The module's parameters, with TCP or without. The caller must write the route
    /// for HTTP.
    #[must_use]
    pub fn config(&self, with_tcp: bool, pretty: i32) -> String {
        let (transports, tcp) = if with_tcp {
            let tcp = self.tcp;
            let line = format!("modparam(\"jsonrpcs\", \"tcp_socket\", \"tcp:{tcp}\")\n");
            (15, line)
        } else {
            (7, String::new())
        };
        format!(
            "modparam(\"jsonrpcs\", \"transport\", {transports})\n\
             modparam(\"jsonrpcs\", \"pretty_format\", {pretty})\n\
             modparam(\"jsonrpcs\", \"fifo_name\", \"{{dir}}/rpc.fifo\")\n\
             modparam(\"jsonrpcs\", \"dgram_socket\", \"{{dir}}/rpc.socket\")\n\
             {tcp}"
        )
    }

    /// The answer to a document, which must be a request. Over HTTP the status and the
    /// headers are part of it.
    ///
    /// # Panics
    ///
    /// It does not answer.
    #[must_use]
    pub fn ask(&self, server: &Server, transport: JsonTransport, document: &str) -> String {
        match transport {
            JsonTransport::Datagram => datagram(&server.path("rpc.socket"), document.as_bytes()),
            JsonTransport::Pipe => pipe(&server.path("rpc.fifo"), document),
            JsonTransport::Tcp => one_line_feed_less(tcp(self.tcp, document.as_bytes())),
            JsonTransport::Http => http(server, document),
        }
    }

    /// The address at which it listens for TCP.
    #[must_use]
    pub fn tcp(&self) -> SocketAddr {
        self.tcp
    }
}

/// The answer over TCP without the line feed that ours ends it with and C's has not.
fn one_line_feed_less(mut answer: String) -> String {
    if answer.ends_with('\n') {
        answer.pop();
    }
    answer
}

/// Whether the module listens on TCP, which the C module does only in later versions.
#[must_use]
pub fn has_tcp(flavor: Flavor) -> bool {
    if flavor == Flavor::Rust {
        return true;
    }
    let module = modules::c_modules().join("jsonrpcs.so");
    let module = std::fs::read(&module).expect("the C module is installed");
    module.windows(11).any(|bytes| bytes == b"tcp_socket\0")
}

/// The answer to a Unix datagram.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn datagram(socket: &Path, document: &[u8]) -> String {
    first_datagram(socket, &[document])
}

/// The first answer to several Unix datagrams.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn first_datagram(socket: &Path, documents: &[&[u8]]) -> String {
    let client = NamedSocket::new();
    for document in documents {
        client.send_to(document, socket).expect("sent");
    }
    let mut reply = vec![0; LONGEST];
    match client.recv(&mut reply) {
        Ok(len) => String::from_utf8_lossy(&reply[..len]).into_owned(),
        Err(error) => {
            let document = documents[0].escape_ascii();
            panic!("no answer to {document}: {error}");
        }
    }
}

/// The answer through a pipe, whose name is inserted behind the first bracket.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn pipe(pipe: &Path, document: &str) -> String {
    let mut reply = ReplyPipe::new();
    let named = format!(r#"{{"reply_name":"{}","#, reply.name());
    let document = document.replacen('{', &named, 1);
    let mut pipe = File::options().write(true).open(pipe).expect("a pipe");
    pipe.write_all(document.as_bytes())
        .expect("the server reads");
    match reply.read_all() {
        Ok(answer) => String::from_utf8_lossy(&answer).into_owned(),
        Err(error) => panic!("no answer to {document}: {error}"),
    }
}

/// All bytes that come back until the server closes. The client says that it sends no
/// more, but only after it was answered.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn tcp(server: SocketAddr, document: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(document).expect("the server reads");
    read_all(stream)
}

/// As [`tcp`], but the client first says that it sends no more.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn tcp_to_the_end(server: SocketAddr, document: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(document).expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("it is open");
    read_all(stream)
}

/// A connection whose reads wait no longer than [`patience`].
///
/// # Panics
///
/// Nothing listens there.
#[must_use]
pub fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).expect("the server listens");
    stream
        .set_read_timeout(Some(patience()))
        .expect("a time limit");
    stream
}

fn read_all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .expect("an answer, then the end");
    String::from_utf8_lossy(&answer).into_owned()
}

fn http(server: &Server, document: &str) -> String {
    let response = http::Client::connect(server.port()).post(document.as_bytes());
    let headers = response
        .headers
        .iter()
        // The first header has the client's port, and the other one the length of the
        // body.
        .filter(|it| !it.starts_with("Sia:") && !it.starts_with("Content-Length:"));
    let headers: Vec<&str> = headers.map(String::as_str).collect();
    format!(
        "{}\n{}\n\n{}",
        response.status,
        headers.join("\n"),
        response.body
    )
}
