//! What a process tells and asks TCP main, the process that owns the descriptors
//! of all connections.

use std::ffi::{c_int, c_long, c_void};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};

use crate::tcp::in_tcp_main;
use crate::{Error, sys};

/// A connection, of which the caller holds a reference.
type Pointer = NonNull<sys::tcp_connection_t>;

/// What TCP main answers when it is asked for a descriptor.
pub(crate) struct Answer {
    pub(crate) connection: *mut sys::tcp_connection_t,
    /// None where the connection has none.
    pub(crate) descriptor: Option<OwnedFd>,
}

/// Waits for the answer, as the core does when it sends: TCP main gives one unless
/// the socket between the two fails it twice.
pub(crate) fn ask_for_descriptor(connection: Pointer) -> Result<Answer, Error> {
    /// An answer that is left would be taken for that to the next question.
    const TRIES: usize = 3;
    // The core may have left one.
    while Answer::take(socket()?, libc::MSG_DONTWAIT).is_ok() {}
    let socket = tell(connection, sys::CONN_GET_FD as c_long)?;
    let mut answer = Answer::take(socket, libc::MSG_WAITALL);
    for _ in 1..TRIES {
        answer = answer.or_else(|_| Answer::take(socket, libc::MSG_WAITALL));
    }
    answer.map_err(|error| Error::new(format!("the answer of TCP main is lost: {error}")))
}

/// Sends a command about a connection; over which socket.
pub(crate) fn tell(connection: Pointer, command: c_long) -> Result<c_int, Error> {
    let socket = socket()?;
    let mut message = [connection.as_ptr() as c_long, command];
    // SAFETY: TCP main reads a pointer and a number, each as long as a `long`; the
    // connection lives at the same address in all processes.
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

/// Over which socket this process asks.
fn socket() -> Result<c_int, Error> {
    // SAFETY: a number of the core's, set when the process was made.
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
        // SAFETY: there is room for a pointer, which is what TCP main sends.
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
        // SAFETY: a descriptor that was received just now is ours alone.
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
