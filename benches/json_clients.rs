//! JSON-RPC clients for the transports under comparison.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use harness::datagram::NamedSocket;
use harness::linefifo::ReplyPipe;
use harness::wait::{self, patience};
use rpc_wire::ScanState;
use rpc_wire::jsonrpc::{Found, find_on};

use crate::measure::Asker;

/// Asks over a Unix datagram socket, with each request in a datagram.
pub(crate) struct Datagram {
    socket: NamedSocket,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Datagram {
    pub(crate) fn new(server: &Path, request: &str) -> Self {
        Datagram {
            socket: NamedSocket::to(server),
            request: request.as_bytes().to_vec(),
            reply: vec![0; 1 << 16],
        }
    }
}

impl Asker for Datagram {
    fn ask(&mut self, in_flight: usize) -> usize {
        for _ in 0..in_flight {
            self.socket.send(&self.request).expect("the server reads");
        }
        let mut bytes = 0;
        for _ in 0..in_flight {
            bytes = self.socket.recv(&mut self.reply).expect("a reply");
        }
        bytes
    }
}

/// Asks through a named pipe. All requests are one write, and each has a reply pipe of
/// its own.
pub(crate) struct Pipe {
    server: File,
    replies: Vec<(ReplyPipe, Input)>,
    request: String,
}

impl Pipe {
    pub(crate) fn new(server: &Path, request: &str) -> Self {
        let server = File::options().write(true).open(server);
        Pipe {
            server: server.expect("the server listens"),
            replies: Vec::new(),
            request: request.to_owned(),
        }
    }
}

impl Asker for Pipe {
    fn ask(&mut self, in_flight: usize) -> usize {
        while self.replies.len() < in_flight {
            self.replies
                .push((ReplyPipe::without_end(), Input::default()));
        }
        let replies = &mut self.replies[..in_flight];
        let requests: String = replies
            .iter()
            .map(|(reply, _)| {
                let named = format!(r#"{{"reply_name":"{}","#, reply.name());
                self.request.replacen('{', &named, 1)
            })
            .collect();
        self.server
            .write_all(requests.as_bytes())
            .expect("the server reads");
        let mut bytes = 0;
        for (reply, input) in replies {
            bytes = input.next(|| reply.read_some(1 << 20).expect("a reply"));
        }
        bytes
    }
}

/// Asks over one TCP connection. All requests are one write.
pub(crate) struct Tcp {
    stream: TcpStream,
    request: Vec<u8>,
    input: Input,
    buffer: Vec<u8>,
}

impl Tcp {
    pub(crate) fn new(server: SocketAddr, request: &str) -> Self {
        Tcp {
            stream: connected(server),
            request: request.as_bytes().to_vec(),
            input: Input::default(),
            buffer: vec![0; 1 << 18],
        }
    }
}

impl Asker for Tcp {
    fn ask(&mut self, in_flight: usize) -> usize {
        let requests = self.request.repeat(in_flight);
        self.stream.write_all(&requests).expect("the server reads");
        let mut bytes = 0;
        for _ in 0..in_flight {
            bytes = self.input.next(|| {
                let count = self.stream.read(&mut self.buffer).expect("a reply");
                assert!(count > 0, "the server closed the connection");
                self.buffer[..count].to_vec()
            });
        }
        bytes
    }
}

/// What has come of replies whose ends show only by their brackets.
#[derive(Default)]
struct Input {
    bytes: Vec<u8>,
    progress: ScanState,
}

impl Input {
    /// Takes the next reply and returns its length.
    fn next(&mut self, mut read: impl FnMut() -> Vec<u8>) -> usize {
        loop {
            match find_on(&self.bytes, &mut self.progress) {
                Found::Document(len) => {
                    self.bytes.drain(..len);
                    self.progress = ScanState::default();
                    return len;
                }
                Found::Other(len @ 1..) => drop(self.bytes.drain(..len)),
                Found::Other(0) | Found::More => self.bytes.extend(read()),
            }
        }
    }
}

/// Asks over one HTTP connection, one request after the other.
pub(crate) struct Http {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    body: Vec<u8>,
}

impl Http {
    pub(crate) fn new(server: SocketAddr, request: &str) -> Self {
        let len = request.len();
        let request = format!(
            "POST /RPC HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {len}\r\n\r\n{request}"
        );
        Http {
            stream: BufReader::new(connected(server)),
            request: request.into_bytes(),
            body: Vec::new(),
        }
    }

    fn receive(&mut self) -> usize {
        let mut len = None;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("a reply");
            if let Some(text) = line.strip_prefix("Content-Length:") {
                len = text.trim().parse().ok();
            } else if line == "\r\n" {
                break;
            }
        }
        self.body.resize(len.expect("a reply tells its length"), 0);
        self.stream.read_exact(&mut self.body).expect("the reply");
        self.body.len()
    }
}

impl Asker for Http {
    fn ask(&mut self, in_flight: usize) -> usize {
        let mut bytes = 0;
        for _ in 0..in_flight {
            self.stream
                .get_mut()
                .write_all(&self.request)
                .expect("the server reads");
            bytes = self.receive();
        }
        bytes
    }
}

fn connected(server: SocketAddr) -> TcpStream {
    let stream = wait::for_some(|| TcpStream::connect(server).ok());
    let stream = stream.expect("the server listens");
    stream
        .set_read_timeout(Some(patience()))
        .expect("a time limit");
    stream.set_nodelay(true).expect("a socket takes it");
    stream
}
