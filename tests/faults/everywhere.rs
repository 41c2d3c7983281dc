//! A server that listens on every transport of every module, and clients that ask more
//! than once.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use harness::binrpc;
use harness::builder::Builder;
use harness::ctl_listeners::{self, STREAM};
use harness::datagram::NamedSocket;
use harness::http;
use harness::json_transports;
use harness::linefifo::{self, ReplyPipe};
use harness::modules::example;
use harness::server::Server;

/// The listeners of a server of these tests.
pub(crate) struct Everywhere {
    ctl: ctl_listeners::CtlListeners,
    json: json_transports::JsonListeners,
}

/// A transport of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    BinrpcUnixStream,
    BinrpcUnixDatagram,
    BinrpcUdp,
    BinrpcTcp,
    LinesPipe,
    LinesUdp,
    LinesTcp,
    JsonDatagram,
    JsonPipe,
    JsonTcp,
    JsonHttp,
    MiDatagram,
}

impl Transport {
    pub(crate) const ALL: [Self; 12] = [
        Self::BinrpcUnixStream,
        Self::BinrpcUnixDatagram,
        Self::BinrpcUdp,
        Self::BinrpcTcp,
        Self::LinesPipe,
        Self::LinesUdp,
        Self::LinesTcp,
        Self::JsonDatagram,
        Self::JsonPipe,
        Self::JsonTcp,
        Self::JsonHttp,
        Self::MiDatagram,
    ];
    /// The transports with connections of our own.
    pub(crate) const STREAMS: [Self; 4] = [
        Self::BinrpcUnixStream,
        Self::BinrpcTcp,
        Self::LinesTcp,
        Self::JsonTcp,
    ];
    pub(crate) const DATAGRAMS: [Self; 5] = [
        Self::BinrpcUnixDatagram,
        Self::BinrpcUdp,
        Self::LinesUdp,
        Self::JsonDatagram,
        Self::MiDatagram,
    ];
    pub(crate) const PIPES: [Self; 2] = [Self::LinesPipe, Self::JsonPipe];

    /// The process that answers on it.
    pub(crate) fn handler(self) -> &'static str {
        match self {
            Self::JsonDatagram => "JSONRPCS DATAGRAM",
            Self::JsonPipe => "JSONRPCS FIFO",
            Self::JsonTcp => "JSONRPCS TCP",
            Self::JsonHttp => "tcp receiver (generic)",
            Self::MiDatagram => "MI DATAGRAM",
            _ => "ctl handler",
        }
    }
}

/// A client that keeps its connection, or its socket.
pub(crate) struct Client {
    pub(crate) transport: Transport,
    socket: Socket,
    /// The pipe for the reply to its last request, unless the reply comes back the same
    /// way.
    reply: Option<ReplyPipe>,
}

enum Socket {
    Binrpc(binrpc::Client),
    LineDatagram(linefifo::Client),
    LinePipe(File),
    LineStream(TcpStream),
    JsonDatagram(NamedSocket),
    JsonPipe(File),
    JsonStream(TcpStream),
    Http(http::Client),
    Mi(NamedSocket),
}

impl Everywhere {
    pub(crate) fn new() -> Self {
        Self {
            ctl: ctl_listeners::CtlListeners::new(),
            json: json_transports::JsonListeners::new(),
        }
    }

    /// A server with all transports of all modules, and with `extra` in its
    /// configuration, which may contain routes.
    pub(crate) fn builder(&self, extra: &str) -> Builder {
        self.json
            .builder(extra)
            .modules(["mi_datagram", "tm"])
            .module_file(&example("hello"))
            .module_file(&example("faulty"))
            .config(&self.ctl.config())
            .config(
                r#"
                modparam("jsonrpcs", "tcp_keep", 1)
                modparam("mi_datagram", "socket_name", "{dir}/mi")
                "#,
            )
            .socket(STREAM)
    }

    /// The address for BINRPC over UDP.
    pub(crate) fn udp(&self, server: &Server) -> binrpc::Address {
        let [_, udp] = self.ctl.datagrams(server);
        udp
    }

    /// The addresses for BINRPC over connections.
    pub(crate) fn streams(&self, server: &Server) -> [binrpc::Address; 2] {
        self.ctl.streams(server)
    }

    /// The addresses for JSON-RPC over connections, and for the line protocol.
    pub(crate) fn text_streams(&self, server: &Server) -> [SocketAddr; 2] {
        let [_, _, lines] = self.ctl.lines(server);
        let linefifo::Address::Tcp(lines) = lines else {
            unreachable!("the last one is TCP");
        };
        [self.json.tcp(), lines]
    }

    /// A client for each transport of each module.
    pub(crate) fn clients(&self, server: &Server) -> Vec<Client> {
        let client = |transport| self.client(server, transport);
        Transport::ALL.into_iter().map(client).collect()
    }

    pub(crate) fn client(&self, server: &Server, transport: Transport) -> Client {
        let [unix, datagram, udp, tcp] = self.ctl.binrpc(server);
        let [_, line_udp, _] = self.ctl.lines(server);
        let [json_tcp, line_tcp] = self.text_streams(server);
        let binrpc = |address| Socket::Binrpc(binrpc::Client::connect(address));
        let socket = match transport {
            Transport::BinrpcUnixStream => binrpc(unix),
            Transport::BinrpcUnixDatagram => binrpc(datagram),
            Transport::BinrpcUdp => binrpc(udp),
            Transport::BinrpcTcp => binrpc(tcp),
            Transport::LinesPipe => Socket::LinePipe(open(&server.path("pipe"))),
            Transport::LinesUdp => Socket::LineDatagram(linefifo::Client::connect(&line_udp)),
            Transport::LinesTcp => Socket::LineStream(json_transports::connect(line_tcp)),
            Transport::JsonDatagram => {
                Socket::JsonDatagram(NamedSocket::to(&server.path("rpc.socket")))
            }
            Transport::JsonPipe => Socket::JsonPipe(open(&server.path("rpc.fifo"))),
            Transport::JsonTcp => Socket::JsonStream(json_transports::connect(json_tcp)),
            Transport::JsonHttp => Socket::Http(http::Client::connect(server.port())),
            Transport::MiDatagram => Socket::Mi(NamedSocket::to(&server.path("mi"))),
        };
        Client {
            transport,
            socket,
            reply: None,
        }
    }
}

impl Client {
    /// Sends a request and returns the answer, in the form of the protocol.
    ///
    /// # Panics
    ///
    /// There is none.
    pub(crate) fn ask(&mut self, command: &str, words: &[&str]) -> String {
        self.tell(command, words);
        self.hear(words.len())
    }

    /// Whether the server answers as it should.
    pub(crate) fn is_answered(&mut self) -> bool {
        let answer = self.ask("core.echo", &["works"]);
        answer.contains("works") && !answer.contains("500")
    }

    /// Sends a request and does not wait.
    pub(crate) fn tell(&mut self, command: &str, words: &[&str]) {
        if matches!(self.socket, Socket::LinePipe(_) | Socket::JsonPipe(_)) {
            self.reply = Some(ReplyPipe::new());
        }
        let pipe = self.reply.as_ref().map_or("", ReplyPipe::name);
        let sent = match &mut self.socket {
            Socket::Binrpc(client) => {
                let words: Vec<_> = words.iter().map(|word| (*word).into()).collect();
                client.send(&binrpc::request(command, &words, 1))
            }
            Socket::LineDatagram(client) => client.send(&lines(command, "", words)),
            Socket::LinePipe(file) => file.write_all(&lines(command, pipe, words)),
            Socket::LineStream(stream) => stream.write_all(&lines(command, "", words)),
            Socket::JsonDatagram(datagrams) => {
                let document = document(command, "", words);
                datagrams.send(&document).map(drop)
            }
            Socket::JsonPipe(file) => file.write_all(&document(command, pipe, words)),
            Socket::JsonStream(stream) => stream.write_all(&document(command, "", words)),
            Socket::Http(client) => {
                client.send(&document(command, "", words));
                Ok(())
            }
            Socket::Mi(datagrams) => {
                let words: String = words.iter().map(|word| format!("{word}\n")).collect();
                let request = format!(":{command}:\n{words}");
                datagrams.send(request.as_bytes()).map(drop)
            }
        };
        sent.unwrap_or_else(|error| panic!("{:?} is not read: {error}", self.transport));
    }

    /// Sends this datagram, whether or not it is a request.
    pub(crate) fn tell_raw(&mut self, datagram: &[u8]) {
        let sent = match &mut self.socket {
            Socket::Binrpc(client) => client.send(datagram),
            Socket::LineDatagram(client) => client.send(datagram),
            Socket::JsonDatagram(datagrams) | Socket::Mi(datagrams) => {
                datagrams.send(datagram).map(drop)
            }
            _ => panic!("{:?} has no datagrams", self.transport),
        };
        sent.unwrap_or_else(|error| panic!("{:?} is not read: {error}", self.transport));
    }

    /// The answer to a request that had this many words.
    ///
    /// # Panics
    ///
    /// There is none.
    pub(crate) fn hear(&mut self, words: usize) -> String {
        match &mut self.socket {
            Socket::Binrpc(client) => {
                let answer = client.receive().and_then(|packet| binrpc::decode(&packet));
                let (_, answer) =
                    answer.unwrap_or_else(|error| panic!("{:?}: {error}", self.transport));
                answer.to_string()
            }
            Socket::LineDatagram(client) => text(client.receive_all().expect("a reply")),
            // The first line is the status, and each word comes back on a line of its
            // own.
            Socket::LineStream(stream) => read_until(stream, |reply| {
                let values = if reply.starts_with(b"200") { words } else { 0 };
                reply.iter().filter(|byte| **byte == b'\n').count() > values
            }),
            Socket::LinePipe(_) | Socket::JsonPipe(_) => {
                let mut reply = self.reply.take().expect("it has asked");
                text(reply.read_all().expect("a reply"))
            }
            Socket::JsonStream(stream) => {
                read_until(stream, |reply| reply.ends_with(b",\"id\":1}\n"))
            }
            Socket::Http(client) => client.receive().expect("a reply").body,
            Socket::JsonDatagram(datagrams) | Socket::Mi(datagrams) => receive(datagrams),
        }
    }

    /// Whether the server closes the connection without sending anything before.
    pub(crate) fn is_closed(&mut self) -> bool {
        match &mut self.socket {
            Socket::Binrpc(client) => client.is_closed_by_server(),
            Socket::LineStream(stream) | Socket::JsonStream(stream) => {
                match stream.read(&mut [0]) {
                    Ok(count) => count == 0,
                    Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
                }
            }
            _ => panic!("{:?} has no connection of ours", self.transport),
        }
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

fn receive(socket: &NamedSocket) -> String {
    let mut reply = vec![0; 1 << 17];
    let len = socket.recv(&mut reply).expect("a reply");
    text(reply[..len].to_vec())
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
