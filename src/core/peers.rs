//! Identifying the process at the other end of a Unix socket.
//!
//! rustix offers this, too, but its type for a process number cannot be 0, which the
//! system returns for a process outside of our container.

use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// A process as the system identifies it to the other end of its socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// The number of the process. It is `None` for a process outside of our container.
    pub pid: Option<u32>,
    /// The number of the user as whom it runs.
    pub user: u32,
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid} of user {}", self.user),
            None => write!(f, "a local process of user {}", self.user),
        }
    }
}

/// The process that connected the socket, if the system tells it.
#[must_use]
pub fn process_of(socket: BorrowedFd<'_>) -> Option<Process> {
    let mut peer = MaybeUninit::<libc::ucred>::zeroed();
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the buffer has as many bytes as the length says.
    let ret = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            peer.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    // SAFETY: these are three numbers, which were zero before the kernel wrote them.
    let peer = unsafe { peer.assume_init() };
    (ret == 0).then(|| Process {
        pid: u32::try_from(peer.pid).ok().filter(|pid| *pid != 0),
        user: peer.uid,
    })
}
