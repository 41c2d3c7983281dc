//! Messages to and from TCP main, the process that owns the descriptors of all
//! connections.

use std::ffi::{c_int, c_long, c_void};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};

use crate::tcp::in_tcp_main;
use crate::{Error, sys};

/// A connection to which the caller holds a reference.
type Pointer = NonNull<sys::tcp_connection_t>;

/// The answer of TCP main to a request for a descriptor.
pub(crate) struct Answer {
    pub(crate) connection: *mut sys::tcp_connection_t,
    /// The descriptor. It is `None` if the connection has none.
    pub(crate) descriptor: Option<OwnedFd>,
}

/// Asks for a descriptor and waits for the answer, as the core does when it sends. TCP
/// main answers unless the socket between the two processes fails twice.
pub(crate) fn ask_for_descriptor(connection: Pointer) -> Result<Answer, Error> {
    /// An answer that is left unread would be taken for the answer to the next
    /// question.
    const TRIES: usize = 3;
    // The core may have left an answer.
    while Answer::take(socket()?, libc::MSG_DONTWAIT).is_ok() {}
    let socket = tell(connection, sys::CONN_GET_FD as c_long)?;
    let mut answer = Answer::take(socket, libc::MSG_WAITALL);
    for _ in 1..TRIES {
        answer = answer.or_else(|_| Answer::take(socket, libc::MSG_WAITALL));
    }
    answer.map_err(|error| Error::new(format!("the answer of TCP main is lost: {error}")))
}

/// Sends a command about a connection, and returns the socket over which it was sent.
pub(crate) fn tell(connection: Pointer, command: c_long) -> Result<c_int, Error> {
    let socket = socket()?;
    let mut message = [connection.as_ptr() as c_long, command];
    // SAFETY: TCP main reads a pointer and a number, each as long as a `long`. The
    // connection has the same address in all processes.
    let sent = unsafe {
        sys::send_all(
            socket,
            message.as_mut_ptr().cast::<c_void>(),
            size_of_val(&message) as c_int,
        )
    };
    if sent <= 0 {
        let error = io::Error::last_os_error();
        return Err(Error::new(format!("TCP main cannot be asked: {error}")));
    }
    Ok(socket)
}

/// The socket over which this process asks.
fn socket() -> Result<c_int, Error> {
    // SAFETY: this is a number that the core sets when it makes the process.
    let socket = unsafe { sys::unix_tcp_sock };
    if in_tcp_main() || socket <= 0 {
        return Err("this process cannot ask TCP main".into());
    }
    Ok(socket)
}

impl Answer {
    fn take(socket: c_int, flags: c_int) -> io::Result<Self> {
        let mut connection: *mut sys::tcp_connection_t = ptr::null_mut();
        let mut descriptor: c_int = -1;
        // SAFETY: the buffer holds a pointer, which is what TCP main sends.
        let received = unsafe {
            sys::receive_fd(
                socket,
                (&raw mut connection).cast::<c_void>(),
                size_of_val(&connection) as c_int,
                &raw mut descriptor,
                flags,
            )
        };
        let error = io::Error::last_os_error();
        // SAFETY: the descriptor has just been received, so nothing else owns it.
        let descriptor = (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) });
        match received {
            1.. => Ok(Answer {
                connection,
                descriptor,
            }),
            _ => Err(error),
        }
    }
}
