//! A server that can be asked in every way there is, and clients that ask more
//! than once.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use harness::binrpc;
use harness::builder::Builder;
use harness::ctl_ways::{self, STREAM};
use harness::http;
use harness::json_ways;
use harness::linefifo::{self, ReplyPipe};
use harness::modules::example;
use harness::own_path::OwnPath;
use harness::server::Server;
use harness::wait::patience;

/// Where a server of these tests is to be reached.
pub(crate) struct Everywhere {
    ctl: ctl_ways::Ways,
    json: json_ways::Ways,
}

/// A client that keeps its connection, or its socket.
pub(crate) struct Client {
    /// The transport, for messages.
    pub(crate) name: &'static str,
    way: Way,
}

enum Way {
    Binrpc(binrpc::Client),
    LineDatagram(linefifo::Client),
    LinePipe(File),
    LineStream(TcpStream),
    JsonDatagram(Datagrams),
    JsonPipe(File),
    JsonStream(TcpStream),
    Http(http::Client),
    Mi(Datagrams),
}

impl Everywhere {
    pub(crate) fn new() -> Self {
        Self {
            ctl: ctl_ways::Ways::new(),
            json: json_ways::Ways::new(),
        }
    }

    /// A server with all transports of all modules, with this in its
    /// configuration, which may have routes.
    pub(crate) fn builder(&self, extra: &str) -> Builder {
        self.json
            .builder(extra)
            .modules(["mi_datagram", "tm"])
            .module_file(&example("hello"))
            .config(&self.ctl.config())
            .config(
                r#"
                modparam("jsonrpcs", "tcp_keep", 1)
                modparam("mi_datagram", "socket_name", "{dir}/mi")
                "#,
            )
            .socket(STREAM)
    }

    /// Where BINRPC is spoken over connections.
    pub(crate) fn streams(&self, server: &Server) -> [binrpc::Address; 2] {
        self.ctl.streams(server)
    }

    /// Where JSON-RPC is spoken over connections, and the line protocol.
    pub(crate) fn text_streams(&self, server: &Server) -> [SocketAddr; 2] {
        let [_, _, lines] = self.ctl.lines(server);
        let linefifo::Address::Tcp(lines) = lines else {
            unreachable!("the last one is TCP");
        };
        [self.json.tcp(), lines]
    }

    /// A client for each transport of each module.
    pub(crate) fn clients(&self, server: &Server) -> Vec<Client> {
        let names = [
            "BINRPC over a Unix stream",
            "BINRPC over a Unix datagram",
            "BINRPC over UDP",
            "BINRPC over TCP",
        ];
        let binrpc = names.into_iter().zip(self.ctl.binrpc(server));
        let mut clients: Vec<Client> = binrpc
            .map(|(name, address)| Client {
                name,
                way: Way::Binrpc(binrpc::Client::connect(address)),
            })
            .collect();
        let [_, line_udp, _] = self.ctl.lines(server);
        let [json_tcp, line_tcp] = self.text_streams(server);
        let others = [
            (
                "lines over a pipe",
                Way::LinePipe(open(&server.path("pipe"))),
            ),
            (
                "lines over UDP",
                Way::LineDatagram(linefifo::Client::connect(&line_udp)),
            ),
            (
                "lines over TCP",
                Way::LineStream(json_ways::connect(line_tcp)),
            ),
            (
                "JSON over a datagram",
                Way::JsonDatagram(Datagrams::to(&server.path("rpc.socket"))),
            ),
            (
                "JSON over a pipe",
                Way::JsonPipe(open(&server.path("rpc.fifo"))),
            ),
            (
                "JSON over TCP",
                Way::JsonStream(json_ways::connect(json_tcp)),
            ),
            (
                "JSON over HTTP",
                Way::Http(http::Client::connect(server.port())),
            ),
            (
                "the Management Interface",
                Way::Mi(Datagrams::to(&server.path("mi"))),
            ),
        ];
        clients.extend(others.map(|(name, way)| Client { name, way }));
        clients
    }
}

impl Client {
    /// The answer, in the form of the protocol.
    ///
    /// # Panics
    ///
    /// There is none.
    pub(crate) fn ask(&mut self, command: &str, words: &[&str]) -> String {
        match &mut self.way {
            Way::Binrpc(client) => {
                let words: Vec<_> = words.iter().map(|word| (*word).into()).collect();
                let answer = client.try_call(command, &words);
                answer
                    .unwrap_or_else(|error| panic!("no answer over {}: {error}", self.name))
                    .to_string()
            }
            Way::LineDatagram(client) => {
                let sent = client.send(&lines(command, "", words));
                text(sent.and_then(|()| client.receive_all()).expect("a reply"))
            }
            Way::LinePipe(pipe) => through(pipe, |name| lines(command, name, words)),
            Way::LineStream(stream) => {
                stream
                    .write_all(&lines(command, "", words))
                    .expect("the server reads");
                // The first line is the status, and each word comes back in its own.
                read_until(stream, |reply| {
                    let values = if reply.starts_with(b"200") {
                        words.len()
                    } else {
                        0
                    };
                    reply.iter().filter(|byte| **byte == b'\n').count() > values
                })
            }
            Way::JsonDatagram(socket) => socket.exchange(&document(command, "", words)),
            Way::JsonPipe(pipe) => through(pipe, |name| document(command, name, words)),
            Way::JsonStream(stream) => {
                stream
                    .write_all(&document(command, "", words))
                    .expect("the server reads");
                read_until(stream, |reply| reply.ends_with(br#","id":1}"#))
            }
            Way::Http(client) => client.post(&document(command, "", words)).body,
            Way::Mi(socket) => {
                let words: String = words.iter().map(|word| format!("{word}\n")).collect();
                socket.exchange(format!(":{command}:\n{words}").as_bytes())
            }
        }
    }

    /// Whether the server answers as it should.
    pub(crate) fn is_answered(&mut self) -> bool {
        let answer = self.ask("core.echo", &["works"]);
        answer.contains("works") && !answer.contains("500")
    }
}

fn lines(command: &str, reply_pipe: &str, words: &[&str]) -> Vec<u8> {
    let words: Vec<_> = words.iter().map(|word| (*word).into()).collect();
    linefifo::request(command, reply_pipe, &words)
}

fn document(command: &str, reply_pipe: &str, words: &[&str]) -> Vec<u8> {
    let reply_name = match reply_pipe {
        "" => String::new(),
        name => format!(r#""reply_name":"{name}","#),
    };
    format!(r#"{{"jsonrpc":"2.0",{reply_name}"method":"{command}","params":{words:?},"id":1}}"#)
        .into_bytes()
}

fn open(pipe: &Path) -> File {
    File::options().write(true).open(pipe).expect("a pipe")
}

/// A Unix datagram socket with a name, for the server's replies.
struct Datagrams {
    socket: UnixDatagram,
    _own: OwnPath,
}

impl Datagrams {
    fn to(server: &Path) -> Self {
        let own = OwnPath::new();
        let socket = UnixDatagram::bind(own.path()).expect("a new socket");
        socket.connect(server).expect("the server listens");
        socket
            .set_read_timeout(Some(patience()))
            .expect("a time limit");
        Self { socket, _own: own }
    }

    fn exchange(&self, request: &[u8]) -> String {
        self.socket.send(request).expect("the server reads");
        let mut reply = vec![0; 1 << 17];
        let len = self.socket.recv(&mut reply).expect("a reply");
        text(reply[..len].to_vec())
    }
}

/// The reply through a pipe of its own.
fn through(pipe: &mut File, request: impl FnOnce(&str) -> Vec<u8>) -> String {
    let mut reply = ReplyPipe::new();
    pipe.write_all(&request(reply.name()))
        .expect("the server reads");
    text(reply.read_all().expect("a reply"))
}

fn read_until(stream: &mut TcpStream, is_whole: impl Fn(&[u8]) -> bool) -> String {
    let mut reply = Vec::new();
    while !is_whole(&reply) {
        let mut piece = [0; 4096];
        let len = stream.read(&mut piece).expect("a reply");
        assert!(len > 0, "the server closes after {}", reply.escape_ascii());
        reply.extend_from_slice(&piece[..len]);
    }
    text(reply)
}

fn text(reply: Vec<u8>) -> String {
    String::from_utf8_lossy(&reply).into_owned()
}
