//! A signal that wakes a handler process wherever it waits.
//!
//! A process that waits in a read from its only socket hears of nothing else, and
//! asking the poller as well would be a system call more for each request. What
//! happens once in a blue moon therefore comes as a signal.

use std::ffi::{c_int, c_uint};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether a signal has come that nobody has seen.
static IS_WOKEN: AtomicBool = AtomicBool::new(false);

/// What a signal does.
extern "C" fn wake(_signal: c_int) {
    IS_WOKEN.store(true, Relaxed);
    // One that comes just before the process begins to wait does not wake it. So
    // there is another every second, until it was seen.
    // SAFETY: may be called in a signal's handler, and cannot fail.
    unsafe { libc::alarm(1) };
}

/// From now on a signal comes when there is something to be read from a
/// descriptor, which has to be this process's own.
///
/// # Errors
/// The system does not offer it for this kind of descriptor.
pub fn on_input(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    catch(libc::SIGIO)?;
    catch(libc::SIGALRM)?;
    let descriptor = descriptor.as_raw_fd();
    // SAFETY: a descriptor that is open, and settings of it that take a number.
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

/// Such a signal comes in so many seconds.
pub fn after(seconds: u32) {
    // SAFETY: a timer of this process. Its signal is caught since `on_input`.
    unsafe { libc::alarm(seconds as c_uint) };
}

/// Whether a signal has come since the last look.
#[inline]
#[must_use]
pub fn is_due() -> bool {
    IS_WOKEN.load(Relaxed) && see()
}

#[cold]
fn see() -> bool {
    IS_WOKEN.store(false, Relaxed);
    // SAFETY: stops a timer of this process.
    unsafe { libc::alarm(0) };
    true
}

/// System calls that wait end when the signal comes.
fn catch(signal: c_int) -> io::Result<()> {
    // SAFETY: zeroes are a valid action, with no flags and no signals held back.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = wake as extern "C" fn(c_int) as usize;
    // SAFETY: the function does only what a signal's handler may do, and it lives
    // as long as the process: modules are not unloaded while handlers run.
    let status = unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    if status == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
