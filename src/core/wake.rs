//! A signal that wakes a handler process wherever it waits.
//!
//! A process that waits in a read from its only socket does not notice anything else,
//! and asking the poller as well would be one more system call for each request. So
//! rare events are reported by a signal.

use std::ffi::{c_int, c_uint};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether a signal has come that was not handled yet.
static IS_WOKEN: AtomicBool = AtomicBool::new(false);

/// The handler of the signal.
extern "C" fn wake(_signal: c_int) {
    IS_WOKEN.store(true, Relaxed);
    // A signal that comes just before the process begins to wait does not wake it. So
    // another follows every second until it is handled.
    // SAFETY: this may be called in a signal's handler, and cannot fail.
    unsafe { libc::alarm(1) };
}

/// Makes a signal come from now on whenever a descriptor can be read, which must be
/// this process's own.
///
/// # Errors
/// The system does not offer this for such a descriptor.
pub fn on_input(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    catch(libc::SIGIO)?;
    catch(libc::SIGALRM)?;
    let descriptor = descriptor.as_raw_fd();
    // SAFETY: the descriptor is open, and these settings of it take a number.
    let settled = unsafe {
        libc::fcntl(descriptor, libc::F_SETOWN, libc::getpid()) >= 0
            && libc::fcntl(
                descriptor,
                libc::F_SETFL,
                libc::fcntl(descriptor, libc::F_GETFL) | libc::O_ASYNC,
            ) >= 0
    };
    if settled {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Makes a signal come in this many seconds.
pub fn after(seconds: u32) {
    // SAFETY: this sets a timer of this process, whose signal is caught since
    // `on_input`.
    unsafe { libc::alarm(seconds as c_uint) };
}

/// Whether a signal has come since the last call.
#[inline]
#[must_use]
pub fn is_due() -> bool {
    IS_WOKEN.load(Relaxed) && see()
}

#[cold]
fn see() -> bool {
    IS_WOKEN.store(false, Relaxed);
    // SAFETY: this stops a timer of this process.
    unsafe { libc::alarm(0) };
    true
}

/// Makes system calls that wait end when the signal comes.
fn catch(signal: c_int) -> io::Result<()> {
    // SAFETY: all zeroes are a valid action, without flags and blocked signals.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = wake as extern "C" fn(c_int) as usize;
    // SAFETY: the function does only what a signal's handler may do. It lives as long
    // as the process, because modules are not unloaded while handlers run.
    let status = unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
