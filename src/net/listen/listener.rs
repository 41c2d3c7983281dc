//! Sockets to listen on, opened in the main process while the module starts:
//! later there may be no right to.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use kamailio_core::Error;
use rpc_wire::listen::{Place, Transport};
use rustix::fs::{CWD, FileType, Mode, OFlags, mkfifoat, openat};
use rustix::io::Errno;
use rustix::net::sockopt;
use socket2::{Domain, SockAddr, Socket, Type};

use super::endpoint::{Endpoint, OpenError};
use super::file::{OwnedFile, clear_place};
use super::files::GroupFiles;
use super::owner::{Owner, with_umask};
use super::remake::Remaker;
use crate::limits;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// An open socket or pipe.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) file: OwnedFd,
    pub(crate) endpoint: Arc<Endpoint>,
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
    pub(crate) fn open(
        endpoints: Vec<Endpoint>,
        owner: Owner,
    ) -> Result<(Self, GroupFiles), OpenError> {
        let mut list: Vec<Listener> = Vec::with_capacity(endpoints.len());
        let mut files = Vec::new();
        for endpoint in endpoints {
            match open(&endpoint, owner, &list) {
                Ok((opened, file)) => {
                    list.push(Listener {
                        file: opened,
                        endpoint: Arc::new(endpoint),
                    });
                    files.push(file);
                }
                Err(reason) => {
                    files.iter().flatten().for_each(OwnedFile::remove);
                    let listen = endpoint.listen;
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
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = Arc<Endpoint>> {
        self.list
            .iter()
            .map(|listener| Arc::clone(&listener.endpoint))
    }
}

fn open(
    endpoint: &Endpoint,
    owner: Owner,
    others: &[Listener],
) -> Result<(OwnedFd, Option<OwnedFile>), Error> {
    match (&endpoint.listen.place, endpoint.address) {
        (Place::Path(path), _) => {
            let (opened, file) = open_file(endpoint, Path::new(path), owner)?;
            Ok((opened, Some(file)))
        }
        (_, Some(address)) => open_inet(address, kind(endpoint), others)
            .map(|socket| (socket.into(), None))
            .map_err(|error| Error::new(explain(&error))),
        (_, None) => Err("the address was not resolved".into()),
    }
}

/// Makes the socket or the pipe of a place, and its file.
pub(crate) fn open_file(
    endpoint: &Endpoint,
    path: &Path,
    owner: Owner,
) -> Result<(OwnedFd, OwnedFile), Error> {
    match endpoint.listen.transport {
        Transport::Fifo => make_pipe(path, owner),
        _ => open_unix(path, kind(endpoint), owner),
    }
}

fn kind(endpoint: &Endpoint) -> Type {
    match endpoint.listen.transport {
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
        .filter(|other| other.endpoint.listen.transport == Transport::Udp)
        .filter(|other| other.endpoint.address.is_some_and(overlaps))
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
