//! Sockets to listen on, opened in the main process while the module starts:
//! later there may be no right to.

use std::fmt;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kamailio_core::Error;
use rpc_wire::listen::{Listen, Place, Port, Transport};
use rustix::fs::{CWD, FileType, Mode, OFlags, mkfifoat, openat};
use rustix::io::Errno;
use rustix::net::sockopt;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::file::{OwnedFile, clear_place};
use crate::files::GroupFiles;
use crate::limits;
use crate::owner::{Owner, with_umask};
use crate::remake::Remaker;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A place to listen, and what is spoken there.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The address as it was configured.
    pub listen: Listen,
    /// The same as numbers, for an Internet socket.
    pub address: Option<SocketAddr>,
    /// What the module calls the protocol it speaks there.
    pub protocol: &'static str,
    /// How long a reply may wait for a client that takes no more datagrams.
    pub held: Duration,
}

/// An address that cannot be listened on, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {listen}: {reason}")]
pub struct OpenError {
    listen: Listen,
    reason: Error,
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Error::new(error.to_string())
    }
}

impl Bound {
    /// Resolves the names in an address. Nothing is opened.
    ///
    /// # Errors
    /// The host or the service has no address.
    pub fn resolve(
        listen: Listen,
        default_port: u16,
        protocol: &'static str,
    ) -> Result<Self, OpenError> {
        let address = match &listen.place {
            Place::Path(_) => Ok(None),
            Place::Inet { host, port } => {
                resolve(host.as_deref(), port, default_port, listen.transport).map(Some)
            }
        };
        match address {
            Ok(address) => Ok(Bound {
                listen,
                address,
                protocol,
                held: limits::HELD_DATAGRAM,
            }),
            Err(reason) => Err(OpenError { listen, reason }),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.listen.fmt(f)
    }
}

fn resolve(
    host: Option<&str>,
    port: &Port,
    default_port: u16,
    transport: Transport,
) -> Result<SocketAddr, Error> {
    let port = match port {
        Port::Default => default_port,
        Port::Number(number) => *number,
        Port::Service(name) => service_port(name, transport).ok_or_else(|| {
            Error::new(format!(
                "there is no service {name} in /etc/services; write the port as a number"
            ))
        })?,
    };
    let Some(host) = host else {
        return Ok((Ipv4Addr::UNSPECIFIED, port).into());
    };
    let addresses: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .map_err(|error| Error::new(format!("{host} does not resolve: {error}")))?
        .collect();
    // As with the C modules; kamcmd itself knows nothing else.
    let ipv4 = addresses.iter().find(|address| address.is_ipv4());
    ipv4.or(addresses.first())
        .copied()
        .ok_or_else(|| Error::new(format!("{host} has no address")))
}

fn service_port(name: &str, transport: Transport) -> Option<u16> {
    let services = fs::read_to_string("/etc/services").ok()?;
    let protocol = transport.to_string();
    services.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let canonical = words.next()?;
        let (port, of) = words.next()?.split_once('/')?;
        let named = canonical == name || words.any(|alias| alias == name);
        (named && of == protocol).then(|| port.parse().ok())?
    })
}

/// An open socket or pipe.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) file: OwnedFd,
    pub(crate) bound: Arc<Bound>,
}

/// Open sockets, and the files that go with them.
///
/// Dropping it closes the sockets in this process; the files stay until
/// [`GroupFiles::remove`].
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) list: Vec<Listener>,
    /// Makes their files again. None where there are none, or where the system does
    /// not tell what becomes of them.
    pub(crate) remaker: Option<Remaker>,
}

impl Listeners {
    /// Opens all of them, or none.
    ///
    /// # Errors
    /// One cannot be opened; what was opened before is gone again.
    pub(crate) fn open(places: Vec<Bound>, owner: Owner) -> Result<(Self, GroupFiles), OpenError> {
        let mut list: Vec<Listener> = Vec::with_capacity(places.len());
        let mut files = Vec::new();
        for bound in places {
            match open(&bound, owner, &list) {
                Ok((opened, file)) => {
                    list.push(Listener {
                        file: opened,
                        bound: Arc::new(bound),
                    });
                    files.push(file);
                }
                Err(reason) => {
                    files.iter().flatten().for_each(OwnedFile::remove);
                    let listen = bound.listen;
                    return Err(OpenError { listen, reason });
                }
            }
        }
        let (files, teller) = GroupFiles::new(files);
        let remaker = teller.and_then(|teller| Remaker::new(owner, teller, &files));
        Ok((Listeners { list, remaker }, files))
    }

    /// How many descriptors they hold.
    pub(crate) fn descriptors(&self) -> u32 {
        /// To see that files are deleted, and to tell that they are made again.
        const OF_REMAKER: usize = 2;
        let more = self.remaker.as_ref().map_or(0, |_| OF_REMAKER);
        u32::try_from(self.list.len() + more).unwrap_or(u32::MAX)
    }

    /// Where they listen, in the order of the configuration.
    pub(crate) fn bound(&self) -> impl Iterator<Item = Arc<Bound>> {
        self.list.iter().map(|listener| Arc::clone(&listener.bound))
    }
}

fn open(
    bound: &Bound,
    owner: Owner,
    others: &[Listener],
) -> Result<(OwnedFd, Option<OwnedFile>), Error> {
    match (&bound.listen.place, bound.address) {
        (Place::Path(path), _) => {
            let (opened, file) = open_file(bound, Path::new(path), owner)?;
            Ok((opened, Some(file)))
        }
        (_, Some(address)) => open_inet(address, kind(bound), others)
            .map(|socket| (socket.into(), None))
            .map_err(|error| Error::new(explain(&error))),
        (_, None) => Err("the address was not resolved".into()),
    }
}

/// Makes the socket or the pipe of a place, and its file.
pub(crate) fn open_file(
    bound: &Bound,
    path: &Path,
    owner: Owner,
) -> Result<(OwnedFd, OwnedFile), Error> {
    match bound.listen.transport {
        Transport::Fifo => make_pipe(path, owner),
        _ => open_unix(path, kind(bound), owner),
    }
}

fn kind(bound: &Bound) -> Type {
    match bound.listen.transport {
        Transport::UnixStream | Transport::Tcp | Transport::Fifo => Type::STREAM,
        Transport::UnixDatagram | Transport::Udp => Type::DGRAM,
    }
}

fn open_unix(path: &Path, kind: Type, owner: Owner) -> Result<(OwnedFd, OwnedFile), Error> {
    clear_place(path)?;
    let socket = bind_unix(path, kind, owner)?;
    let found = openat(
        CWD,
        path,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let found = found.map_err(|error| Error::new(explain(&error.into())))?;
    let file = OwnedFile::of(path, &found, FileType::Socket)?;
    let ready = owner
        .give_group(&found, path)
        .and_then(|()| owner.give_user(&found, path))
        // Nobody may connect before the owner is right.
        .and_then(|()| listen(&socket, kind).map_err(|error| Error::new(explain(&error))));
    match ready {
        Ok(()) => Ok((socket.into(), file)),
        Err(error) => {
            file.remove();
            Err(error)
        }
    }
}

/// The file has its mode from the start: it is that of the socket.
fn bind_unix(path: &Path, kind: Type, owner: Owner) -> Result<Socket, Error> {
    let failed = |error: io::Error| Error::new(explain(&error));
    let socket = Socket::new(Domain::UNIX, kind, None).map_err(failed)?;
    match kind {
        Type::DGRAM => make_room_for_unread(&socket),
        _ => socket.set_nonblocking(true).map_err(failed)?,
    }
    let address = SockAddr::unix(path).map_err(failed)?;
    owner.permit(&socket, path)?;
    let bind = || socket.bind(&address);
    let bound = match owner.mode {
        Some(_) => with_umask(0, bind),
        None => bind(),
    };
    bound.map_err(failed)?;
    Ok(socket)
}

/// The system counts a Unix datagram against its sender until the receiver has
/// read it, so clients that do not read take the room of those that do. More room
/// than usual is a matter of rights, or of what the host allows to everybody.
fn make_room_for_unread(socket: &Socket) {
    let wanted = limits::UNREAD_DATAGRAMS;
    if sockopt::set_socket_send_buffer_size_force(socket, wanted).is_err() {
        // Without, it is as it is.
        let _ = sockopt::set_socket_send_buffer_size(socket, wanted);
    }
}

/// Our own end for writing keeps the pipe open when the last client leaves. It is
/// nobody else's until it has its owner.
fn make_pipe(path: &Path, owner: Owner) -> Result<(OwnedFd, OwnedFile), Error> {
    let failed = |error: Errno| Error::new(explain(&error.into()));
    clear_place(path)?;
    with_umask(0, || mkfifoat(CWD, path, Mode::from_raw_mode(0o600))).map_err(failed)?;
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(CWD, path, flags, Mode::empty()).map_err(failed)?;
    let file = OwnedFile::of(path, &opened, FileType::Fifo)?;
    // The group comes before the mode: one that admits a group is meant for the
    // new one.
    let owned = owner
        .give_group(&opened, path)
        .and_then(|()| owner.permit(&opened, path))
        .and_then(|()| owner.give_user(&opened, path));
    match owned {
        Ok(()) => Ok((opened, file)),
        Err(error) => {
            file.remove();
            Err(error)
        }
    }
}

fn open_inet(address: SocketAddr, kind: Type, others: &[Listener]) -> io::Result<Socket> {
    /// Asks routers not to let these packets wait, as the C module does.
    const LOW_DELAY: u32 = 0x10;
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    if kind == Type::STREAM {
        // Old connections may linger on the port. Of datagrams another process
        // that does the same would take ours.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    } else {
        socket.set_tos_v4(LOW_DELAY)?;
    }
    match socket.bind(&address.into()) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && kind == Type::DGRAM => {
            bind_beside(&socket, address, others).map_err(|_| error)?;
        }
        bound => bound?,
    }
    listen(&socket, kind)?;
    Ok(socket)
}

/// Binds a UDP socket to one address where another of ours has the same port on
/// all addresses, or the other way round, as with the C module: the system gives
/// each packet to the one with its address. It allows that only to sockets that
/// share their port, and these do so for this moment only.
fn bind_beside(socket: &Socket, address: SocketAddr, others: &[Listener]) -> io::Result<()> {
    let overlaps = |other: SocketAddr| {
        other.port() == address.port()
            && other.is_ipv4() == address.is_ipv4()
            && other.ip().is_unspecified() != address.ip().is_unspecified()
    };
    let overlapping: Vec<&Listener> = others
        .iter()
        .filter(|other| other.bound.listen.transport == Transport::Udp)
        .filter(|other| other.bound.address.is_some_and(overlaps))
        .collect();
    let share = |shared| -> io::Result<()> {
        for other in &overlapping {
            sockopt::set_socket_reuseaddr(&other.file, shared)?;
        }
        socket.set_reuse_address(shared)
    };
    if overlapping.is_empty() {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    share(true)?;
    let bound = socket.bind(&address.into());
    share(false)?;
    bound
}

fn listen(socket: &Socket, kind: Type) -> io::Result<()> {
    if kind == Type::STREAM {
        socket.listen(BACKLOG)?;
    }
    Ok(())
}

/// An error of the system, and what an operator can do about it.
fn explain(error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => "another process uses it; choose another or end that process",
        io::ErrorKind::AddrNotAvailable => "this host does not have that address",
        io::ErrorKind::NotFound => "its directory does not exist; create it first",
        io::ErrorKind::PermissionDenied => "the server may not write there",
        _ => return error.to_string(),
    };
    format!("{error}; {hint}")
}
