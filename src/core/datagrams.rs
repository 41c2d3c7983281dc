//! Several datagrams with one system call.
//!
//! rustix offers no `recvmmsg`, and nix 0.31 keeps the length of the last
//! address in the place for the next, which cuts a longer one.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::SocketAddrAny;
use rustix::net::addr::SocketAddrStorage;

/// The most datagrams that one call takes.
pub const AT_ONCE: usize = 16;

/// A datagram that lies in its room.
#[derive(Clone, Debug)]
pub struct Received {
    /// How many bytes of the room it has. One that is longer was cut.
    pub len: usize,
    /// Where it came from; none if the sender's socket has no name.
    pub from: Option<SocketAddrAny>,
}

/// What to do when no datagram is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Come back without one.
    None,
    /// Wait for one, for ever. The socket must be one that waits.
    Endless,
}

/// Takes what waits on a socket, and appends to `received` what it took. The first
/// datagram is in the first `room` bytes of `rooms`, the second in the next, and so
/// on.
///
/// # Errors
/// Nothing was there (`AGAIN`), a signal came (`INTR`), or the socket has
/// something to tell about a datagram that was sent before.
///
/// # Panics
/// If `room` is 0.
pub fn receive(
    socket: BorrowedFd<'_>,
    rooms: &mut [u8],
    room: usize,
    patience: Patience,
    received: &mut Vec<Received>,
) -> Result<(), Errno> {
    let mut addresses = [const { MaybeUninit::<SocketAddrStorage>::uninit() }; AT_ONCE];
    let mut parts = [libc::iovec {
        iov_base: std::ptr::null_mut(),
        iov_len: 0,
    }; AT_ONCE];
    let mut headers = [const { MaybeUninit::<libc::mmsghdr>::zeroed() }; AT_ONCE];
    let mut count = 0;
    for (((bytes, address), part), header) in rooms
        .chunks_exact_mut(room)
        .zip(&mut addresses)
        .zip(&mut parts)
        .zip(&mut headers)
    {
        part.iov_base = bytes.as_mut_ptr().cast();
        part.iov_len = room;
        // SAFETY: zeroes are a header without anything: null pointers and
        // lengths of 0.
        let header = unsafe { header.assume_init_mut() };
        header.msg_hdr.msg_name = address.as_mut_ptr().cast();
        header.msg_hdr.msg_namelen = size_of::<SocketAddrStorage>() as libc::socklen_t;
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    let flags = match patience {
        Patience::None => libc::MSG_DONTWAIT,
        // Once one is there, what else is there is taken, too.
        Patience::Endless => libc::MSG_WAITFORONE,
    };
    // SAFETY: the first `count` headers lead to as many addresses and parts, each
    // part to `room` bytes of its own, and all of them live longer than the call.
    let taken = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr().cast(),
            count,
            flags,
            std::ptr::null_mut(),
        )
    };
    let Ok(taken) = usize::try_from(taken) else {
        let code = std::io::Error::last_os_error().raw_os_error();
        return Err(Errno::from_raw_os_error(code.unwrap_or(libc::EIO)));
    };
    for (header, address) in headers.iter().zip(addresses).take(taken) {
        // SAFETY: it was made above, and the kernel wrote its lengths.
        let header = unsafe { header.assume_init_ref() };
        received.push(Received {
            len: header.msg_len as usize,
            // SAFETY: the kernel wrote the sender's address and its length.
            from: unsafe { address_of(address, header.msg_hdr.msg_namelen) },
        });
    }
    Ok(())
}

/// How many bytes receivers have not read of what was sent through this socket, as
/// the system counts them; 0 where it does not tell.
#[must_use]
pub fn unread(socket: BorrowedFd<'_>) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: this call writes one int, and there is one.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    let bytes = if status == 0 { bytes } else { 0 };
    usize::try_from(bytes).unwrap_or(0)
}

/// # Safety
/// The kernel wrote an address of `len` bytes into `storage`.
unsafe fn address_of(
    storage: MaybeUninit<SocketAddrStorage>,
    len: libc::socklen_t,
) -> Option<SocketAddrAny> {
    // A family alone is no name.
    let is_name = (size_of::<libc::sa_family_t>() + 1..=size_of::<SocketAddrStorage>())
        .contains(&(len as usize));
    // SAFETY: the caller vouches for the bytes, and the length is within the
    // storage.
    is_name.then(|| unsafe { SocketAddrAny::new(storage, len) })
}
