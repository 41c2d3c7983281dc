//! The addresses of servers, and the clients' ends of connections.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

use harness::binrpc::any_port_towards;
use harness::linefifo::ReplyPipe;
use harness::own_path::OwnPath;
use harness::tls::Certificate;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::net::sockopt::set_socket_linger;

/// How long a server may keep a client waiting that has something to send.
const ROOM: Duration = Duration::from_secs(2);

/// The size of one read, which no datagram exceeds.
const CHUNK: usize = 1 << 18;

/// An address at which a server listens.
#[derive(Clone, Debug)]
pub(crate) enum ServerAddress {
    UnixStream(PathBuf),
    UnixDatagram(PathBuf),
    Tcp(SocketAddr),
    Udp(SocketAddr),
    Tls(SocketAddr, Certificate),
    Pipe(PathBuf),
}

impl ServerAddress {
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::UnixStream(_) | Self::Tcp(_) | Self::Tls(..))
    }

    pub(crate) fn is_pipe(&self) -> bool {
        matches!(self, Self::Pipe(_))
    }
}

/// A client's end of a connection, a socket or a pipe.
pub(crate) enum Link {
    Unix(UnixStream),
    Tcp(TcpStream),
    /// The encrypted stream, and the socket below.
    Tls(Box<dyn Duplex>, TcpStream),
    UnixDatagram {
        socket: UnixDatagram,
        _own: Option<OwnPath>,
    },
    Udp(UdpSocket),
    /// The server's pipe, and one for the answers.
    Pipe(File, ReplyPipe),
}

/// A stream with both directions.
pub(crate) trait Duplex: Read + Write + Send {}

impl<T: Read + Write + Send> Duplex for T {}

impl Link {
    /// Opens a connection, a socket or a pipe.
    pub(crate) fn open(address: &ServerAddress) -> io::Result<Self> {
        Ok(match address {
            ServerAddress::UnixStream(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_write_timeout(Some(ROOM))?;
                Self::Unix(stream)
            }
            ServerAddress::Tcp(to) => Self::Tcp(connected(*to)?),
            ServerAddress::Tls(to, certificate) => {
                let socket = connected(*to)?;
                socket.set_read_timeout(Some(ROOM))?;
                let below = socket.try_clone()?;
                Self::Tls(Box::new(certificate.secure(socket)?), below)
            }
            ServerAddress::UnixDatagram(path) => {
                let own = OwnPath::new();
                let socket = UnixDatagram::bind(own.path())?;
                datagrams(socket, path, Some(own))?
            }
            ServerAddress::Udp(to) => {
                let socket = UdpSocket::bind(any_port_towards(*to))?;
                socket.connect(to)?;
                Self::Udp(socket)
            }
            ServerAddress::Pipe(path) => Self::Pipe(open_to_write(path)?, ReplyPipe::without_end()),
        })
    }

    /// Opens a socket to which the server cannot answer, if the transport has such
    /// sockets.
    pub(crate) fn open_without_name(address: &ServerAddress) -> io::Result<Self> {
        match address {
            ServerAddress::UnixDatagram(path) => datagrams(UnixDatagram::unbound()?, path, None),
            other => Self::open(other),
        }
    }

    /// The name of the pipe that a request must give for its answer.
    pub(crate) fn reply_pipe(&self) -> Option<&str> {
        match self {
            Self::Pipe(_, reply) => Some(reply.name()),
            _ => None,
        }
    }

    /// Sends these bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
            Self::Tls(stream, _) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Self::UnixDatagram { socket, .. } => socket.send(bytes).map(drop),
            Self::Udp(socket) => socket.send(bytes).map(drop),
            Self::Pipe(server, _) => write_all(server, bytes),
        }
    }

    /// Reads some of what the server sends; at the end there is nothing.
    pub(crate) fn receive(&mut self, patience: Duration) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; CHUNK];
        let limit = Some(patience);
        let len = match self {
            Self::Unix(stream) => {
                stream.set_read_timeout(limit)?;
                stream.read(&mut bytes)?
            }
            Self::Tcp(stream) => {
                stream.set_read_timeout(limit)?;
                stream.read(&mut bytes)?
            }
            Self::Tls(stream, below) => {
                below.set_read_timeout(limit)?;
                stream.read(&mut bytes)?
            }
            Self::UnixDatagram { socket, .. } => {
                socket.set_read_timeout(limit)?;
                socket.recv(&mut bytes)?
            }
            Self::Udp(socket) => {
                socket.set_read_timeout(limit)?;
                socket.recv(&mut bytes)?
            }
            Self::Pipe(_, reply) => {
                return reply.read_some_within(patience, CHUNK);
            }
        };
        bytes.truncate(len);
        Ok(bytes)
    }

    /// Says that no more is sent, on a stream.
    pub(crate) fn finish(&self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            Self::Tcp(stream) | Self::Tls(_, stream) => stream.shutdown(Shutdown::Write),
            _ => Ok(()),
        }
    }

    /// Ends a TCP connection at once.
    pub(crate) fn reset(self) {
        if let Self::Tcp(socket) | Self::Tls(_, socket) = &self {
            // Without the option it ends in an orderly way, which will do.
            let _ = set_socket_linger(socket, Some(Duration::ZERO));
        }
    }
}

fn connected(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, ROOM)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(ROOM))?;
    Ok(stream)
}

fn datagrams(socket: UnixDatagram, to: &PathBuf, own: Option<OwnPath>) -> io::Result<Link> {
    socket.connect(to)?;
    socket.set_write_timeout(Some(ROOM))?;
    Ok(Link::UnixDatagram { socket, _own: own })
}

/// Opens the server's pipe without waiting. It fails if no server reads.
fn open_to_write(path: &PathBuf) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(open(path, flags, Mode::empty())?))
}

fn write_all(mut pipe: &File, mut bytes: &[u8]) -> io::Result<()> {
    let time = Timespec {
        tv_sec: ROOM.as_secs() as i64,
        tv_nsec: 0,
    };
    while !bytes.is_empty() {
        match pipe.write(bytes) {
            Ok(len) => bytes = &bytes[len..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut ready = [PollFd::new(pipe, PollFlags::OUT)];
                if poll(&mut ready, Some(&time))? == 0 {
                    return Err(io::ErrorKind::TimedOut.into());
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
