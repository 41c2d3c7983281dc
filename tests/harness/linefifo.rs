//! Clients of the line protocol that `ctl` speaks on named pipes, UDP and TCP.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rpc_wire::linefifo::client::{Arg, encode_request};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, mkfifoat, open};

use crate::binrpc::any_port_towards;
use crate::own_path::OwnPath;
use crate::wait::patience;

/// An address at which a server listens for the line protocol.
#[derive(Clone, Debug)]
pub enum Address {
    /// A named pipe.
    Pipe(PathBuf),
    /// UDP.
    Udp(SocketAddr),
    /// TCP.
    Tcp(SocketAddr),
}

/// A client for one request, or for several in a row.
#[derive(Debug)]
pub enum Client {
    /// The server's pipe, and one for the reply.
    Pipe(File, ReplyPipe),
    /// A socket for datagrams.
    Udp(UdpSocket),
    /// A connection.
    Tcp(TcpStream),
}

/// A named pipe in /tmp through which a server may reply.
#[derive(Debug)]
pub struct ReplyPipe {
    own: OwnPath,
    reader: File,
    /// Our own writer, which keeps the pipe from ever having an end.
    _writer: Option<File>,
}

/// The whole reply of the server at `address` to this command.
///
/// # Panics
///
/// There is none, or the protocol cannot express the request.
#[must_use]
pub fn ask(address: &Address, method: &str, args: &[Arg]) -> Vec<u8> {
    ask_raw(address, |reply_file| request(method, reply_file, args))
}

/// The whole reply to these bytes. `request` makes them from the name of a reply pipe,
/// which is empty if the reply comes back the way of the request.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn ask_raw(address: &Address, request: impl FnOnce(&str) -> Vec<u8>) -> Vec<u8> {
    let mut client = Client::connect(address);
    let request = request(client.reply_file());
    let reply = client.send(&request).and_then(|()| client.receive_all());
    reply.unwrap_or_else(|error| panic!("no reply over {address:?}: {error}"))
}

/// The bytes of a request.
///
/// # Panics
///
/// The protocol cannot express it.
#[must_use]
pub fn request(method: &str, reply_file: &str, args: &[Arg]) -> Vec<u8> {
    let reply_file = (!reply_file.is_empty()).then_some(reply_file.as_bytes());
    encode_request(method.as_bytes(), reply_file, args)
        .unwrap_or_else(|error| panic!("{method}: {error}"))
}

impl Client {
    /// Connects to the server at `address`.
    ///
    /// # Panics
    ///
    /// Nothing listens there.
    #[must_use]
    pub fn connect(address: &Address) -> Self {
        Self::try_connect(address).unwrap_or_else(|error| panic!("{address:?}: {error}"))
    }

    fn try_connect(address: &Address) -> io::Result<Self> {
        Ok(match address {
            Address::Pipe(path) => Self::Pipe(open_to_write(path)?, ReplyPipe::new()),
            Address::Udp(address) => {
                let socket = UdpSocket::bind(any_port_towards(*address))?;
                socket.connect(address)?;
                socket.set_read_timeout(Some(patience()))?;
                Self::Udp(socket)
            }
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(patience()))?;
                stream.set_write_timeout(Some(patience()))?;
                Self::Tcp(stream)
            }
        })
    }

    /// The name that a request must give for its reply.
    #[must_use]
    pub fn reply_file(&self) -> &str {
        match self {
            Self::Pipe(_, reply) => reply.name(),
            Self::Udp(_) | Self::Tcp(_) => "",
        }
    }

    /// Sends these bytes, whether or not they are a request.
    ///
    /// # Errors
    ///
    /// The server does not take them.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Pipe(server, _) => server.write_all(bytes),
            Self::Udp(socket) => socket.send(bytes).map(drop),
            Self::Tcp(stream) => stream.write_all(bytes),
        }
    }

    /// All that the server replies. It ends with the pipe, with a datagram, or with the
    /// connection, on which no more requests follow.
    ///
    /// # Errors
    ///
    /// The reply cannot be read, or nothing comes within [`patience`].
    pub fn receive_all(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Pipe(_, reply) => reply.read_all(),
            Self::Udp(socket) => {
                let mut reply = vec![0; 1 << 16];
                let len = socket.recv(&mut reply)?;
                reply.truncate(len);
                Ok(reply)
            }
            Self::Tcp(stream) => {
                stream.shutdown(Shutdown::Write)?;
                let mut reply = Vec::new();
                stream.read_to_end(&mut reply)?;
                Ok(reply)
            }
        }
    }
}

impl ReplyPipe {
    /// A new pipe, from which this reads.
    ///
    /// # Panics
    ///
    /// It cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let own = OwnPath::new();
        make_pipe(own.path());
        // While there is no writer, other ways to open or read would wait for one or
        // report the end of the pipe; `poll` knows the difference.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let reader = open(own.path(), flags, Mode::empty()).expect("a pipe of our own");
        Self {
            own,
            reader: File::from(reader),
            _writer: None,
        }
    }

    /// A new pipe for one reply after the other. It has no end, so the reader must know
    /// where a reply ends.
    ///
    /// # Panics
    ///
    /// It cannot be made.
    #[must_use]
    pub fn without_end() -> Self {
        let pipe = Self::new();
        let writer = File::options().write(true).open(pipe.path());
        Self {
            _writer: Some(writer.expect("a pipe with a reader")),
            ..pipe
        }
    }

    /// The name by which a request refers to it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.own.name()
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.own.path()
    }

    /// All that is written until the writer closes it.
    ///
    /// # Errors
    ///
    /// Nothing comes within [`patience`].
    pub fn read_all(&mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let piece = self.read_some(1 << 16)?;
            if piece.is_empty() {
                return Ok(all);
            }
            all.extend(piece);
        }
    }

    /// Reads at most `most` bytes of what is written; there are none at the end.
    ///
    /// # Errors
    ///
    /// Nothing comes within [`patience`].
    pub fn read_some(&mut self, most: usize) -> io::Result<Vec<u8>> {
        self.read_some_within(patience(), most)
    }

    /// As [`read_some`](Self::read_some), with another time limit.
    ///
    /// # Errors
    ///
    /// Nothing comes within it.
    pub fn read_some_within(&mut self, patience: Duration, most: usize) -> io::Result<Vec<u8>> {
        let time = Timespec {
            tv_sec: patience.as_secs() as i64,
            tv_nsec: patience.subsec_nanos().into(),
        };
        let mut bytes = vec![0; most];
        loop {
            let mut ready = [PollFd::new(&self.reader, PollFlags::IN)];
            if poll(&mut ready, Some(&time))? == 0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            match self.reader.read(&mut bytes) {
                // One writer has left, and another has come since.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => {
                    bytes.truncate(read?);
                    return Ok(bytes);
                }
            }
        }
    }
}

impl Default for ReplyPipe {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a named pipe to which everybody may write, as far as the system's mask allows.
///
/// # Panics
///
/// It cannot be made.
pub fn make_pipe(path: &Path) {
    mkfifoat(CWD, path, Mode::from_raw_mode(0o666))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Opens the server's pipe. It fails if no server reads from it.
fn open_to_write(path: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let pipe = open(path, flags, Mode::empty())?;
    // From here on a write may wait for room.
    rustix::fs::fcntl_setfl(&pipe, OFlags::empty())?;
    Ok(File::from(pipe))
}
