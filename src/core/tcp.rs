//! The server's TCP, TLS and WebSocket connections.
//!
//! Connections lie in shared memory, and all processes know them. One process, TCP
//! main, owns their descriptors. A process that reads from a connection has a
//! descriptor of its own for that time, and others can ask TCP main for one.

use std::ffi::{c_char, c_int, c_long};
use std::mem;
use std::ops::{BitAnd, BitOr, Not};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};

use crate::message::Message;
use crate::{Error, log_limited, strings, sys, tcp_main};

/// A reference to a connection, which keeps it from being freed.
///
/// # Invariants
/// The pointer leads to a connection in shared memory, and this holds one of the
/// references to it.
#[derive(Debug)]
#[must_use]
pub struct Connection {
    connection: NonNull<sys::tcp_connection_t>,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The connection can be used.
    Established,
    /// The other side has just opened the connection.
    Accepting,
    /// The server is opening the connection.
    Connecting,
    /// The other side has ended the connection.
    Ended,
    /// Reading or writing failed.
    Failed,
    /// The connection is being taken apart.
    Bad,
    /// A state that the core knows and we do not.
    Other(i32),
}

/// The socket of a connection.
#[derive(Debug)]
pub enum Descriptor<'a> {
    /// The descriptor is this process's own.
    Own(BorrowedFd<'a>),
    /// The descriptor is one that TCP main gave us; it is closed when this is dropped.
    Given(OwnedFd),
}

impl AsFd for Descriptor<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Descriptor::Own(descriptor) => *descriptor,
            Descriptor::Given(descriptor) => descriptor.as_fd(),
        }
    }
}

/// An address as the core's variables show it, with a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// `192.0.2.1`, or `2001:db8::1`.
    pub address: Vec<u8>,
    /// A number from 0 to 65535.
    pub port: u16,
}

impl Peer {
    /// The other end of a connection. If a proxy in front has told of a client behind
    /// it, this is still the socket's peer, as the core noted it.
    pub(crate) fn of(connection: &sys::tcp_connection_t) -> Self {
        let (info, received) = (&connection.cinfo, &connection.rcv);
        // The note is empty unless there is such a proxy.
        match info.src_ip.af {
            0 => Peer::new(received.src_ip, received.src_port),
            _ => Peer::new(info.src_ip, info.src_port),
        }
    }

    fn new(mut address: sys::ip_addr_t, port: u16) -> Self {
        // An IPv6 address has at most 39 characters.
        let mut text = [0_u8; 64];
        // SAFETY: the core writes at most as many bytes as it is told, and returns
        // their number.
        let len = unsafe {
            sys::ksrrs_ip_text(
                &raw mut address,
                text.as_mut_ptr().cast(),
                text.len() as c_int,
            )
        };
        let len = usize::try_from(len).unwrap_or(0).min(text.len());
        Peer {
            address: text[..len].to_vec(),
            port,
        }
    }
}

impl Connection {
    /// Finds the connection with this number, unless it has ended.
    pub fn find(id: i32) -> Option<Self> {
        if !enabled() {
            return None;
        }
        // SAFETY: TCP is enabled, so the core looks the connection up under its own
        // lock and takes a reference. Without an address it looks only at the number.
        let found = unsafe { sys::tcpconn_get(id, ptr::null_mut(), 0, ptr::null_mut(), 0) };
        // INVARIANT: the reference that the core took is ours.
        NonNull::new(found).map(|connection| Connection { connection })
    }

    /// Finds the connection with this host, which is an address or a name, unless it
    /// has ended. A name is looked up in the DNS, which may take time.
    ///
    /// # Errors
    /// The host has no address.
    pub fn find_by_address(host: &[u8], port: u16) -> Result<Option<Self>, Error> {
        if !enabled() {
            return Ok(None);
        }
        let mut name = strings::counted(host);
        let mut found = ptr::null_mut();
        // SAFETY: the core reads the name during the call. TCP is enabled, so it has a
        // table of connections. If it finds one it takes a reference.
        let ret = unsafe { sys::ksrrs_tcp_by_address(&raw mut name, port, &raw mut found) };
        if ret < 0 {
            let host = host.escape_ascii();
            return Err(Error::new(format!("{host} has no address")));
        }
        // INVARIANT: the reference that the core took is ours.
        Ok(NonNull::new(found).map(|connection| Connection { connection }))
    }

    /// The number of the connection.
    #[must_use]
    pub fn id(&self) -> i32 {
        // SAFETY: the invariant holds, and the number never changes.
        unsafe { (*self.connection.as_ptr()).id }
    }

    /// The state of the connection.
    #[must_use]
    pub fn state(&self) -> State {
        // SAFETY: the invariant holds, and other processes write the number in one
        // piece.
        let state = unsafe { (&raw const (*self.connection.as_ptr()).state).read_volatile() };
        match state {
            sys::S_CONN_OK => State::Established,
            sys::S_CONN_ACCEPT => State::Accepting,
            sys::S_CONN_CONNECT => State::Connecting,
            sys::S_CONN_EOF => State::Ended,
            sys::S_CONN_ERROR => State::Failed,
            sys::S_CONN_BAD => State::Bad,
            other => State::Other(other),
        }
    }

    /// The socket's peer, even if a proxy in front has told of a client behind it.
    #[must_use]
    pub fn peer(&self) -> Peer {
        // SAFETY: the invariant holds, and the addresses are set before others see the
        // connection.
        Peer::of(unsafe { self.connection.as_ref() })
    }

    /// Lets the connection end after it was idle for this many seconds. The core can
    /// count some four years.
    pub fn set_lifetime(&self, seconds: u32) {
        // SAFETY: the invariant holds. The core's own processes write the two numbers
        // without a lock, too.
        unsafe { sys::ksrrs_tcp_set_lifetime(self.connection.as_ptr(), seconds) };
    }

    /// Restarts the idle time of the connection, as sending over it does.
    pub fn touch(&self) {
        // SAFETY: the rules are those of `set_lifetime`.
        unsafe { sys::ksrrs_tcp_used(self.connection.as_ptr()) };
    }

    /// Marks the connection, so that its end is reported; see
    /// [`Ended::was_marked`](crate::tcp_events::Ended::was_marked).
    pub fn mark(&self) {
        self.add_flags(sys::F_CONN_CLOSE_EV as u32);
    }

    fn add_flags(&self, flags: u32) {
        // SAFETY: the invariant holds, and this is one atomic operation.
        unsafe { sys::ksrrs_tcp_add_flags(self.connection.as_ptr(), flags) };
    }

    /// The socket of the connection.
    ///
    /// # Errors
    /// The connection has no socket any more or not yet, or TCP main does not give it.
    pub fn descriptor(&self) -> Result<Descriptor<'_>, Error> {
        // SAFETY: the invariant holds. A process that reads from a connection finds
        // there what it has written itself.
        let own = unsafe {
            let connection = self.connection.as_ptr();
            if in_tcp_main() {
                let closed = (*connection).flags & sys::F_CONN_FD_CLOSED as u32 != 0;
                Some(if closed { -1 } else { (*connection).s })
            } else {
                let reader = (&raw const (*connection).reader_pid).read_volatile();
                (u32::try_from(reader) == Ok(std::process::id())).then_some((*connection).fd)
            }
        };
        match own {
            Some(descriptor) if descriptor < 0 => Err("the connection has no socket".into()),
            // SAFETY: the descriptor is open as long as this process reads from the
            // connection, or owns it, and neither ends during a call of ours.
            Some(descriptor) => Ok(Descriptor::Own(unsafe {
                BorrowedFd::borrow_raw(descriptor)
            })),
            None => self.ask_for_descriptor().map(Descriptor::Given),
        }
    }

    /// Asks TCP main for a descriptor. TCP main always answers, without a descriptor if
    /// the connection has none.
    fn ask_for_descriptor(&self) -> Result<OwnedFd, Error> {
        let answer = tcp_main::ask_for_descriptor(self.connection)?;
        match answer.descriptor {
            Some(descriptor) if answer.connection == self.connection.as_ptr() => Ok(descriptor),
            Some(_) => Err("TCP main gave the descriptor of another connection".into()),
            None => Err("TCP main has no descriptor for the connection".into()),
        }
    }

    /// Asks TCP main to close the connection. Data that waits to be sent is lost.
    ///
    /// # Errors
    /// TCP main could not be asked. The next message that is sent over the connection
    /// closes it.
    pub fn close(self) -> Result<(), Error> {
        // SAFETY: the invariant holds. The byte belongs to this connection, and all
        // writers only set bits in it.
        unsafe { (*self.connection.as_ptr()).send_flags.f |= sys::SND_F_CON_CLOSE as u16 };
        self.add_flags(sys::F_CONN_FORCE_EOF as u32);
        if in_tcp_main() {
            return self.shut_down();
        }
        tcp_main::tell(self.connection, sys::CONN_EOF as c_long)?;
        // The reference is TCP main's now, which will release it.
        mem::forget(self);
        Ok(())
    }

    /// Shuts the socket down, because TCP main cannot send commands to itself. It
    /// notices the end of the connection when its current work is done, and closes it.
    fn shut_down(&self) -> Result<(), Error> {
        let socket = self.descriptor()?;
        rustix::net::shutdown(&socket, rustix::net::Shutdown::Both)
            .map_err(|error| Error::new(format!("its socket cannot be shut down: {error}")))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the invariant holds, and the reference is released once.
        let last = unsafe { sys::ksrrs_tcp_put(self.connection.as_ptr()) != 0 };
        if !last {
            return;
        }
        // The connection has ended meanwhile, and TCP main has left it to us. Taking it
        // apart is TCP main's work, which it would do if it were told once more of the
        // end. From 6.1.4 on that would run the event routes again. A connection that
        // is marked as being opened is only freed, on every version. The mark misleads
        // nobody: no other process knows the connection any more, and TCP main closed
        // its socket before it released its own reference.
        self.add_flags(sys::F_CONN_PENDING as u32);
        if let Err(error) = tcp_main::tell(self.connection, sys::CONN_EOF as c_long) {
            log_limited!(Error, "connection {} is not freed: {error}", self.id());
        }
    }
}

/// Whether TCP is enabled. With `disable_tcp` the core has neither a table of
/// connections nor a lock for it.
fn enabled() -> bool {
    // SAFETY: this is a number that the core sets before modules start.
    unsafe { sys::ksrrs_tcp_enabled() != 0 }
}

/// Whether this process owns all connections. The event routes of connections run
/// there.
#[must_use]
pub fn in_tcp_main() -> bool {
    // SAFETY: the core makes its table of processes before modules start.
    unsafe { sys::ksrrs_in_tcp_main() != 0 }
}

/// The port for a URI that has none. The C module uses it for TLS, too.
const SIP_PORT: u16 = 5060;

/// The host and the port in a SIP URI.
///
/// # Errors
/// The text is not a SIP URI.
pub fn uri_address(uri: &[u8]) -> Result<(Vec<u8>, u16), Error> {
    let refused = || Error::new(format!("{} is no SIP URI", uri.escape_ascii()));
    let len = c_int::try_from(uri.len()).map_err(|_| refused())?;
    let mut parsed = sys::sip_uri::default();
    // SAFETY: the core reads `len` bytes and points the result into them.
    let ret = unsafe {
        sys::parse_uri(
            uri.as_ptr().cast::<c_char>().cast_mut(),
            len,
            &raw mut parsed,
        )
    };
    // SAFETY: the parts of the result lie in `uri`.
    let host = unsafe { strings::bytes(&raw const parsed.host) };
    if ret != 0 || host.is_empty() {
        return Err(refused());
    }
    let port = match parsed.port_no {
        0 => SIP_PORT,
        port => port,
    };
    Ok((host.to_vec(), port))
}

/// The connection over which a message came, and the one by which it is to leave.
impl Message<'_> {
    /// The number of the connection over which it came, even if that has ended; 0 for
    /// UDP.
    #[must_use]
    pub fn connection_id(&self) -> i32 {
        // SAFETY: the message is valid for the whole call.
        unsafe { (*self.as_ptr()).rcv.proto_reserved1 }
    }

    /// Whether it came over TCP, or over a protocol on top of TCP.
    #[must_use]
    pub fn is_over_tcp(&self) -> bool {
        // SAFETY: the message is valid for the whole call.
        let proto = unsafe { (*self.as_ptr()).rcv.proto };
        [
            sys::PROTO_TCP,
            sys::PROTO_TLS,
            sys::PROTO_WS,
            sys::PROTO_WSS,
        ]
        .iter()
        .any(|tcp| *tcp as i64 == i64::from(proto))
    }

    /// The sender of the message. If a proxy in front has told of a client behind it,
    /// this is that client.
    #[must_use]
    pub fn sender(&self) -> Peer {
        // SAFETY: the message is valid for the whole call.
        let received = unsafe { &(*self.as_ptr()).rcv };
        Peer::new(received.src_ip, received.src_port)
    }

    /// Sets the connection by which it may leave.
    pub fn set_outbound_connection(&mut self, id: i32) {
        // SAFETY: the message is ours to change during the call.
        unsafe { (*self.as_ptr()).otcpid = id };
    }

    /// Sets whether it leaves by that connection.
    pub fn use_outbound_connection(&mut self, used: bool) {
        // SAFETY: the message is ours to change during the call.
        let flags = unsafe { &mut (*self.as_ptr()).msg_flags };
        *flags = with_bit(*flags, sys::FL_USE_OTCPID as u32, used);
    }
}

/// Sets or clears a bit of the flags, whose type is wider in some versions of the core.
fn with_bit<T>(flags: T, bit: u32, is_set: bool) -> T
where
    T: From<u32> + BitAnd<Output = T> + BitOr<Output = T> + Not<Output = T>,
{
    match is_set {
        true => flags | bit.into(),
        false => flags & !T::from(bit),
    }
}
