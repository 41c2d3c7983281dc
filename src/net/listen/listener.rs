//! Sockets at which to listen. The main process opens them while the module starts,
//! because the server may lack the rights later.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use kamailio_core::Error;
use rpc_wire::listen::{Place, Transport};
use rustix::fs::{CWD, FileType, Mode, OFlags, mkfifoat, openat};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with, sockopt,
};

use super::endpoint::{Endpoint, OpenError};
use super::file::{OwnedFile, clear_place};
use super::files::GroupFiles;
use super::owner::{Owner, with_umask};
use super::remake::Remaker;
use crate::limits;

/// The number of connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// An open socket or pipe.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) file: OwnedFd,
    pub(crate) endpoint: Arc<Endpoint>,
}

/// Open sockets, and the files that belong to them.
///
/// Dropping it closes the sockets in this process; the files stay until
/// [`GroupFiles::remove`].
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(crate) list: Vec<Listener>,
    /// Recreates their files. It is `None` if there are none, or if the system does not
    /// tell what becomes of them.
    pub(crate) remaker: Option<Remaker>,
}

impl Listeners {
    /// Opens all of them, or none.
    ///
    /// # Errors
    /// One of them cannot be opened. Those that were opened before are closed and
    /// removed.
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

    /// The number of descriptors that they hold.
    pub(crate) fn descriptors(&self) -> u32 {
        /// The descriptors for noticing deleted files, and for reporting recreated
        /// ones.
        const OF_REMAKER: usize = 2;
        let more = self.remaker.as_ref().map_or(0, |_| OF_REMAKER);
        u32::try_from(self.list.len() + more).unwrap_or(u32::MAX)
    }

    /// The endpoints, in the order of the configuration.
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
            .map(|socket| (socket, None))
            .map_err(failed),
        (_, None) => Err("the address was not resolved".into()),
    }
}

/// Makes the socket or the pipe of an endpoint, and its file.
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

fn kind(endpoint: &Endpoint) -> SocketType {
    match endpoint.listen.transport {
        Transport::UnixStream | Transport::Tcp | Transport::Fifo => SocketType::STREAM,
        Transport::UnixDatagram | Transport::Udp => SocketType::DGRAM,
    }
}

fn open_unix(path: &Path, kind: SocketType, owner: Owner) -> Result<(OwnedFd, OwnedFile), Error> {
    clear_place(path)?;
    let socket = bind_unix(path, kind, owner)?;
    let found = openat(
        CWD,
        path,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    );
    let found = found.map_err(failed)?;
    let file = OwnedFile::of(path, &found, FileType::Socket)?;
    let ready = owner
        .give_group(&found, path)
        .and_then(|()| owner.give_user(&found, path))
        // Nobody may connect before the owner is set.
        .and_then(|()| start(&socket, kind).map_err(failed));
    match ready {
        Ok(()) => Ok((socket, file)),
        Err(error) => {
            file.remove();
            Err(error)
        }
    }
}

/// Binds a Unix socket. Its file has its mode from the start, because that is the
/// socket's.
fn bind_unix(path: &Path, kind: SocketType, owner: Owner) -> Result<OwnedFd, Error> {
    let socket = new_socket(AddressFamily::UNIX, kind).map_err(failed)?;
    if kind == SocketType::DGRAM {
        make_room_for_unread(&socket);
    }
    let address = SocketAddrUnix::new(path).map_err(failed)?;
    owner.permit(&socket, path)?;
    let bind = || bind(&socket, &address);
    let bound = match owner.mode {
        Some(_) => with_umask(0, bind),
        None => bind(),
    };
    bound.map_err(failed)?;
    Ok(socket)
}

/// Enlarges the buffer for unread datagrams. The system counts a Unix datagram against
/// its sender until the receiver has read it, so clients that do not read take the room
/// of those that do. A larger buffer than usual needs rights, or a host that allows it
/// to everybody.
fn make_room_for_unread(socket: &OwnedFd) {
    let wanted = limits::UNREAD_DATAGRAMS;
    if sockopt::set_socket_send_buffer_size_force(socket, wanted).is_err() {
        // If this fails the buffer stays as it is.
        let _ = sockopt::set_socket_send_buffer_size(socket, wanted);
    }
}

/// Makes a named pipe. Our own end for writing keeps it open when the last client
/// leaves. Nobody else can open the pipe until it has its owner.
fn make_pipe(path: &Path, owner: Owner) -> Result<(OwnedFd, OwnedFile), Error> {
    clear_place(path)?;
    with_umask(0, || mkfifoat(CWD, path, Mode::from_raw_mode(0o600))).map_err(failed)?;
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(CWD, path, flags, Mode::empty()).map_err(failed)?;
    let file = OwnedFile::of(path, &opened, FileType::Fifo)?;
    // The group precedes the mode, because a mode that admits a group means the new
    // one.
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

fn open_inet(address: SocketAddr, kind: SocketType, others: &[Listener]) -> Result<OwnedFd, Errno> {
    /// Asks routers not to delay these packets, as the C module does.
    const LOW_DELAY: u8 = 0x10;
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = new_socket(family, kind)?;
    if kind == SocketType::STREAM {
        // Old connections may linger on the port. With datagrams another process that
        // does the same could take ours.
        sockopt::set_socket_reuseaddr(&socket, true)?;
    }
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    } else {
        sockopt::set_ip_tos(&socket, LOW_DELAY)?;
    }
    match bind(&socket, &address) {
        Err(Errno::ADDRINUSE) if kind == SocketType::DGRAM => {
            bind_beside(&socket, address, others).map_err(|_| Errno::ADDRINUSE)?;
        }
        bound => bound?,
    }
    start(&socket, kind)?;
    Ok(socket)
}

/// Makes a socket. Accepting never waits; for a datagram each call says whether it
/// does.
fn new_socket(family: AddressFamily, kind: SocketType) -> Result<OwnedFd, Errno> {
    let flags = match kind {
        SocketType::STREAM => SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        _ => SocketFlags::CLOEXEC,
    };
    socket_with(family, kind, flags, None)
}

/// Binds a UDP socket to one address if another of ours has the same port on all
/// addresses, or the other way round, as with the C module. The system gives each
/// packet to the one with its address. It allows this only to sockets that share their
/// port, which these do for this moment only.
fn bind_beside(socket: &OwnedFd, address: SocketAddr, others: &[Listener]) -> Result<(), Errno> {
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
    let share = |shared| -> Result<(), Errno> {
        for other in &overlapping {
            sockopt::set_socket_reuseaddr(&other.file, shared)?;
        }
        sockopt::set_socket_reuseaddr(socket, shared)
    };
    if overlapping.is_empty() {
        return Err(Errno::ADDRINUSE);
    }
    share(true)?;
    let bound = bind(socket, &address);
    share(false)?;
    bound
}

/// Lets clients connect, if there are connections.
fn start(socket: &OwnedFd, kind: SocketType) -> Result<(), Errno> {
    match kind {
        SocketType::STREAM => listen(socket, BACKLOG),
        _ => Ok(()),
    }
}

/// An error of the system, with advice for an operator.
fn failed(error: Errno) -> Error {
    let hint = match error {
        Errno::ADDRINUSE => "another process uses it; choose another or end that process",
        Errno::ADDRNOTAVAIL => "this host does not have that address",
        Errno::NOENT => "its directory does not exist; create it first",
        Errno::ACCESS | Errno::PERM => "the server may not write there",
        Errno::NAMETOOLONG => "the path of a socket has at most 107 bytes",
        _ => return Error::new(error.to_string()),
    };
    Error::new(format!("{error}; {hint}"))
}
