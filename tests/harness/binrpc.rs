//! BINRPC clients over every transport that `ctl` listens on.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;

use rpc_wire::binrpc::Header;
use rpc_wire::binrpc::client::{Answer, Arg, decode_answer, encode_request};

use crate::datagram;
use crate::own_path::OwnPath;
use crate::wait::patience;

/// An address at which a server listens for BINRPC.
#[derive(Clone, Debug)]
pub enum Address {
    /// A Unix stream socket.
    UnixStream(PathBuf),
    /// A Unix datagram socket.
    UnixDatagram(PathBuf),
    /// TCP.
    Tcp(SocketAddr),
    /// UDP.
    Udp(SocketAddr),
}

/// A client with one connection, or one socket for datagrams.
#[derive(Debug)]
pub struct Client {
    socket: Socket,
    /// Bytes that arrived behind the last packet that was returned.
    pending: Vec<u8>,
    cookie: u32,
}

#[derive(Debug)]
enum Socket {
    UnixStream(UnixStream),
    UnixDatagram { socket: UnixDatagram, _own: OwnPath },
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl Client {
    /// Connects to the server at `address`.
    ///
    /// # Panics
    ///
    /// Nothing listens there.
    #[must_use]
    pub fn connect(address: Address) -> Self {
        let shown = format!("{address:?}");
        Self::try_connect(address).unwrap_or_else(|error| panic!("connecting to {shown}: {error}"))
    }

    /// As [`connect`](Self::connect), for servers that may not listen.
    ///
    /// # Errors
    ///
    /// Nothing listens there, or we are not allowed to connect.
    pub fn try_connect(address: Address) -> io::Result<Self> {
        Ok(Self {
            socket: Socket::connect(address)?,
            pending: Vec::new(),
            cookie: 0,
        })
    }

    /// The server's answer to this command.
    ///
    /// # Panics
    ///
    /// It does not answer, or the answer is malformed.
    pub fn call(&mut self, method: &str, args: &[Arg]) -> Answer {
        self.try_call(method, args)
            .unwrap_or_else(|error| panic!("no answer to {method}: {error}"))
    }

    /// As [`call`](Self::call), for servers that may not answer.
    ///
    /// # Errors
    ///
    /// The connection fails, no answer comes within [`patience`], or it is
    /// malformed or belongs to another request.
    pub fn try_call(&mut self, method: &str, args: &[Arg]) -> io::Result<Answer> {
        self.cookie += 1;
        let request = request(method, args, self.cookie);
        self.send(&request)?;
        let packet = self.receive()?;
        let (header, answer) = decode(&packet)?;
        if header.cookie != self.cookie {
            return Err(malformed("the answer belongs to another request"));
        }
        Ok(answer)
    }

    /// Calls `method` once with each of these parameters, many at a time, and returns
    /// the answers in the same order.
    ///
    /// # Panics
    ///
    /// An answer is missing or malformed.
    pub fn call_many(
        &mut self,
        method: &str,
        calls: impl IntoIterator<Item = Vec<Arg>>,
        mut each: impl FnMut(Answer),
    ) {
        // This is so many that few round trips are left, and so few that their answers
        // fit into the socket; otherwise both sides would wait to be read.
        const AT_ONCE: usize = 200;
        let mut calls = calls.into_iter().peekable();
        while calls.peek().is_some() {
            let mut count = 0;
            let mut requests = Vec::new();
            for args in calls.by_ref().take(AT_ONCE) {
                requests.extend(request(method, &args, 0));
                count += 1;
            }
            let answers = self.send(&requests).and_then(|()| {
                (0..count)
                    .map(|_| Ok(decode(&self.receive()?)?.1))
                    .collect()
            });
            let answers: Vec<Answer> =
                answers.unwrap_or_else(|error: io::Error| panic!("no answer to {method}: {error}"));
            answers.into_iter().for_each(&mut each);
        }
    }

    /// Sends these bytes and returns the raw packet that answers them.
    ///
    /// # Panics
    ///
    /// There is no answer.
    pub fn call_raw(&mut self, request: &[u8]) -> Vec<u8> {
        self.send(request)
            .and_then(|()| self.receive())
            .unwrap_or_else(|error| panic!("no answer to {}: {error}", shown(request)))
    }

    /// Sends these bytes, whether or not they are a packet.
    ///
    /// # Errors
    ///
    /// The connection fails.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.socket {
            Socket::UnixStream(stream) => stream.write_all(bytes),
            Socket::Tcp(stream) => stream.write_all(bytes),
            Socket::UnixDatagram { socket, .. } => socket.send(bytes).map(drop),
            Socket::Udp(socket) => socket.send(bytes).map(drop),
        }
    }

    /// The next packet that the server sends.
    ///
    /// # Errors
    ///
    /// The connection fails or ([`io::ErrorKind::UnexpectedEof`]) ends, nothing
    /// comes within [`patience`], or it does not begin as a packet does.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let len = packet_len(&self.pending)?;
            if let Some(len) = len.filter(|len| *len <= self.pending.len()) {
                let rest = self.pending.split_off(len);
                return Ok(std::mem::replace(&mut self.pending, rest));
            }
            if self.read_more()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Reads at most `most` bytes of what the server sends behind what
    /// [`receive`](Self::receive) has read. There are none at the end of the
    /// connection.
    ///
    /// # Errors
    ///
    /// The connection fails, or nothing comes within [`patience`].
    pub fn read_some(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let len = self.socket.read(&mut bytes)?;
        bytes.truncate(len);
        Ok(bytes)
    }

    /// Tells the server that no more requests follow.
    ///
    /// # Panics
    ///
    /// The connection has failed, or the client has none.
    pub fn finish_sending(&mut self) {
        match &self.socket {
            Socket::UnixStream(stream) => stream.shutdown(Shutdown::Write),
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Socket::UnixDatagram { .. } | Socket::Udp(_) => panic!("datagrams have no end"),
        }
        .expect("a connection that stands can be half closed");
    }

    /// Whether the server closes the connection without sending anything more.
    pub fn is_closed_by_server(&mut self) -> bool {
        let closed = |error: io::Error| {
            use io::ErrorKind::{ConnectionReset, UnexpectedEof};
            matches!(error.kind(), ConnectionReset | UnexpectedEof)
        };
        self.receive().is_err_and(closed)
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut buffer = vec![0; self.socket.read_at_once()];
        let len = loop {
            match self.socket.read(&mut buffer) {
                // A socket with a time limit reports this whenever the tests are
                // stopped and continued.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.pending.extend_from_slice(&buffer[..len]);
        Ok(len)
    }
}

impl Socket {
    fn connect(address: Address) -> io::Result<Self> {
        let patience = Some(patience());
        Ok(match address {
            Address::UnixStream(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(patience)?;
                stream.set_write_timeout(patience)?;
                Self::UnixStream(stream)
            }
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(patience)?;
                stream.set_write_timeout(patience)?;
                Self::Tcp(stream)
            }
            Address::UnixDatagram(path) => {
                let own = OwnPath::new();
                let socket = UnixDatagram::bind(own.path())?;
                socket.connect(path)?;
                socket.set_read_timeout(patience)?;
                Self::UnixDatagram { socket, _own: own }
            }
            Address::Udp(address) => {
                let socket = UdpSocket::bind(any_port_towards(address))?;
                socket.connect(address)?;
                socket.set_read_timeout(patience)?;
                Self::Udp(socket)
            }
        })
    }

    /// The size of one read. A datagram that is longer is cut off.
    fn read_at_once(&self) -> usize {
        match self {
            Self::UnixDatagram { .. } => datagram::LONGEST,
            _ => 1 << 16,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::UnixStream(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
            Self::UnixDatagram { socket, .. } => socket.recv(buffer),
            Self::Udp(socket) => socket.recv(buffer),
        }
    }
}

/// An address from which a UDP client of the server at `address` can send.
#[must_use]
pub fn any_port_towards(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// The bytes of a request.
///
/// # Panics
///
/// It is longer than BINRPC allows.
#[must_use]
pub fn request(method: &str, args: &[Arg], cookie: u32) -> Vec<u8> {
    encode_request(method.as_bytes(), args, cookie).expect("a request of less than 2 GiB")
}

/// The answer in a complete packet.
///
/// # Errors
///
/// There is no answer, or it is malformed.
pub fn decode(packet: &[u8]) -> io::Result<(Header, Answer)> {
    decode_answer(packet)
        .map_err(malformed)?
        .ok_or_else(|| malformed("the packet is cut off"))
}

/// The start of a packet, for messages.
fn shown(packet: &[u8]) -> impl fmt::Display {
    packet[..packet.len().min(80)].escape_ascii()
}

fn packet_len(bytes: &[u8]) -> io::Result<Option<usize>> {
    let header = Header::parse(bytes).map_err(malformed)?;
    Ok(header.map(|header| header.packet_len()))
}

fn malformed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
