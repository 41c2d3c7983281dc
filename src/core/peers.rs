//! Which process is at the other end of a Unix socket.
//!
//! rustix offers this, too, but its type of a process number cannot be 0, which
//! is what the system says of a process outside our container.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The number of the process that connected the socket, where the system tells
/// it.
#[must_use]
pub fn process_of(socket: BorrowedFd<'_>) -> Option<u32> {
    let mut peer = MaybeUninit::<libc::ucred>::zeroed();
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: there are as many bytes as the length says.
    let ret = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            peer.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    // SAFETY: three numbers, all zero before the kernel wrote any.
    let peer = unsafe { peer.assume_init() };
    u32::try_from(peer.pid)
        .ok()
        .filter(|pid| ret == 0 && *pid != 0)
}
