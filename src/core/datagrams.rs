//! Receiving several datagrams with one system call.
//!
//! rustix has no `recvmmsg`, and nix 0.31 passes the length of the last address as the
//! size for the next one, which cuts a longer address off.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::io::Errno;
use rustix::net::SocketAddrAny;
use rustix::net::addr::SocketAddrStorage;

/// The largest number of datagrams that one call takes.
pub const AT_ONCE: usize = 16;

/// A datagram that was received into a buffer.
#[derive(Clone, Debug)]
pub struct Received {
    /// The bytes of the buffer that it fills. A datagram that was longer has been cut
    /// off.
    pub len: usize,
    /// The sender's address. It is `None` if the sender's socket has no name.
    pub from: Option<SocketAddrAny>,
}

/// What to do if no datagram is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Return without a datagram.
    None,
    /// Wait for a datagram without a limit. The socket must be a blocking one.
    Endless,
}

/// Receives the datagrams that wait on a socket, and appends them to `received`. The
/// first one is written into the first `size` bytes of `buffers`, the second one into
/// the next `size` bytes, and so on.
///
/// # Errors
/// No datagram was there (`AGAIN`), a signal came (`INTR`), or the socket reports an
/// error about a datagram that was sent earlier.
///
/// # Panics
/// It panics if `size` is 0.
pub fn receive(
    socket: BorrowedFd<'_>,
    buffers: &mut [u8],
    size: usize,
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
    for (((bytes, address), part), header) in buffers
        .chunks_exact_mut(size)
        .zip(&mut addresses)
        .zip(&mut parts)
        .zip(&mut headers)
    {
        part.iov_base = bytes.as_mut_ptr().cast();
        part.iov_len = size;
        // SAFETY: all zeroes are an empty header, with null pointers and lengths of 0.
        let header = unsafe { header.assume_init_mut() };
        header.msg_hdr.msg_name = address.as_mut_ptr().cast();
        header.msg_hdr.msg_namelen = size_of::<SocketAddrStorage>() as libc::socklen_t;
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    let flags = match patience {
        Patience::None => libc::MSG_DONTWAIT,
        // Once one datagram is there, the others that wait are taken as well.
        Patience::Endless => libc::MSG_WAITFORONE,
    };
    // SAFETY: the first `count` headers lead to as many addresses and parts, and each
    // part to `size` bytes of its own. All of them live longer than the call.
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
        // SAFETY: the header was initialized above, and the kernel wrote its lengths.
        let header = unsafe { header.assume_init_ref() };
        received.push(Received {
            len: header.msg_len as usize,
            // SAFETY: the kernel wrote the sender's address and its length.
            from: unsafe { address_of(address, header.msg_hdr.msg_namelen) },
        });
    }
    Ok(())
}

/// The bytes sent through this socket that receivers have not read, as the system
/// counts them. It is 0 if the system does not tell.
#[must_use]
pub fn unread(socket: BorrowedFd<'_>) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: this call writes one int, and there is one.
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    let bytes = if status == 0 { bytes } else { 0 };
    usize::try_from(bytes).unwrap_or(0)
}

/// Reads an address from what the kernel wrote.
///
/// # Safety
/// The kernel wrote an address of `len` bytes into `storage`.
unsafe fn address_of(
    storage: MaybeUninit<SocketAddrStorage>,
    len: libc::socklen_t,
) -> Option<SocketAddrAny> {
    // An address that is only a family is no name.
    let is_name = (size_of::<libc::sa_family_t>() + 1..=size_of::<SocketAddrStorage>())
        .contains(&(len as usize));
    // SAFETY: the caller vouches for the bytes, and the length is within the
    // storage.
    is_name.then(|| unsafe { SocketAddrAny::new(storage, len) })
}
