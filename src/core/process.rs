//! Processes: the core forks them, and a module may ask for more.

use std::convert::Infallible;
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::{Error, log, panic, sys};

/// Which process a hook runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// The main process before anything was forked.
    Init,
    /// The main process, which forks the others.
    Main,
    /// The main process when all others run.
    PostChildInit,
    /// The timer process.
    Timer,
    /// A process that serves commands; many modules have some.
    Rpc,
    /// The process that owns the TCP connections.
    TcpMain,
    /// A process that handles SIP, with its number.
    Worker(i32),
    /// Any other, with the core's number for it.
    Other(i32),
}

impl Rank {
    #[doc(hidden)]
    #[must_use]
    pub fn from_core(rank: i32) -> Self {
        match rank {
            sys::PROC_INIT => Rank::Init,
            sys::PROC_MAIN => Rank::Main,
            sys::PROC_POSTCHILDINIT => Rank::PostChildInit,
            sys::PROC_TIMER => Rank::Timer,
            sys::PROC_RPC => Rank::Rpc,
            sys::PROC_TCP_MAIN => Rank::TcpMain,
            n if n > 0 => Rank::Worker(n),
            n => Rank::Other(n),
        }
    }
}

/// Tells the core, in `init`, of `handlers` processes that will be forked and
/// of `descriptors` that each process will hold.
///
/// # Errors
/// The core has no room for them.
pub fn announce(handlers: u32, descriptors: u32) -> Result<(), Error> {
    // SAFETY: counters of the core, meant to be raised while modules are
    // initialized, which is when this runs.
    unsafe {
        if sys::register_procs(handlers as i32) < 0 {
            return Err("the core takes no more processes".into());
        }
        // The processes take part in changes of the runtime configuration.
        sys::cfg_register_child(handlers as i32);
    }
    announce_descriptors(descriptors as i32);
    Ok(())
}

/// Changes how many descriptors the core expects a process to hold. It is an
/// estimate; the core cannot refuse.
pub fn announce_descriptors(change: i32) {
    // SAFETY: a counter of the core.
    unsafe { sys::register_fds(change) };
}

/// Forks a handler in the main process. `body` runs in the new process and
/// returns only when it cannot go on; the server ends when a handler does.
///
/// The core calls this module's `child_init` in the new process before `body`
/// runs, so no lock may be held across this call.
///
/// # Errors
/// The fork failed; only the caller's process exists.
pub fn fork_handler(
    name: &CStr,
    body: impl FnOnce() -> Result<Infallible, Error>,
) -> Result<(), Error> {
    let parent = std::process::id();
    // SAFETY: the main process has one thread, and the core copies the name.
    // The last argument opens the socket through which the process can send
    // SIP over TCP.
    let pid = unsafe { sys::fork_process(sys::PROC_RPC, name.as_ptr().cast_mut(), 1) };
    match pid {
        0 => run_handler(body),
        pid if pid > 0 => Ok(()),
        // The new process, which another module has failed to prepare. It must
        // not go on as if it were the main one, and clean up what is not its own.
        _ if std::process::id() != parent => {
            run_handler(|| Err("another module failed to prepare it, see above".into()))
        }
        _ => Err(Error::new(format!(
            "cannot fork {}",
            name.to_string_lossy()
        ))),
    }
}

/// Whether this process serves a module's clients and nothing else.
static IS_HANDLER: AtomicBool = AtomicBool::new(false);

fn run_handler(body: impl FnOnce() -> Result<Infallible, Error>) -> ! {
    // SAFETY: a flag of this process, and the first call after the fork that
    // gives this process its view of the runtime configuration.
    let ready = unsafe {
        sys::_ksr_is_main = 0;
        sys::cfg_child_init() == 0
    };
    IS_HANDLER.store(true, Relaxed);
    give_back_memory();
    let end = if ready {
        panic::stop(Err("it panicked".into()), body)
    } else {
        Err("it has no runtime configuration".into())
    };
    let Err(reason) = end;
    log!(Critical, "the handler process cannot go on: {reason}");
    // SAFETY: ends the process. What the server registered to run at its exit is
    // not for a handler to run.
    unsafe { libc::_exit(1) }
}

/// Large blocks go back to the system as soon as they are free. Left alone, the C
/// library keeps up to twice the largest block that has ever been freed, and a
/// client chooses how large that is.
fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    {
        /// In bytes. Everyday replies are smaller, and stay quick.
        const LARGE: libc::c_int = 1024 * 1024;
        // SAFETY: settings of this process's allocator; the process has one thread.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
            libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * LARGE);
        }
    }
}

/// Gives all free memory back to the system, also what lies between blocks that are
/// in use. That takes some milliseconds where there is much of it.
pub fn give_back_free_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it touches free blocks of this process's allocator only, and the
    // process has one thread.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Whether the process can still have so many bytes of memory. They are asked for and
/// given back, which takes two system calls; what the C library has free counts for
/// nothing.
#[must_use]
pub fn can_have_memory(bytes: usize) -> bool {
    // SAFETY: the system chooses a place where nothing is, and only that is unmapped.
    unsafe {
        let trial = libc::mmap(
            ptr::null_mut(),
            bytes.max(1),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        );
        trial != libc::MAP_FAILED && libc::munmap(trial, bytes.max(1)) == 0
    }
}

/// To be called when a command has run. Where that was in a handler, log lines no
/// longer show `log_prefix` as the last message had it, nor its Call-ID: a route that
/// the command ran has set both, and what follows concerns other clients. A
/// process that handles messages goes on with the message that it has.
pub fn forget_message() {
    if IS_HANDLER.load(Relaxed) {
        // SAFETY: the core takes null for "no message", and writes to variables of
        // this process alone.
        unsafe { sys::log_prefix_set(ptr::null_mut()) };
    }
}

/// Makes changes by `cfg.*` commands visible in this process; to be called
/// before each command.
pub fn update_config() {
    // SAFETY: handlers come from `fork_handler`, which prepared the process.
    unsafe { sys::ksrrs_cfg_update() };
}
