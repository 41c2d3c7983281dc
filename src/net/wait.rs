//! Waiting for one slow client, and for nobody else.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Whether the descriptor accepts bytes within `time`, which must be below a second.
pub(crate) fn wait_writable(socket: BorrowedFd<'_>, time: Duration) -> bool {
    let time = Timespec {
        tv_sec: 0,
        tv_nsec: time.subsec_nanos().into(),
    };
    let mut fds = [PollFd::from_borrowed_fd(socket, PollFlags::OUT)];
    matches!(poll(&mut fds, Some(&time)), Ok(1..) | Err(Errno::INTR))
}
