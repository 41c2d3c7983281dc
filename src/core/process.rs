//! Processes. The core forks them, and a module may ask for more.

use std::convert::Infallible;
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::{Error, log, panic, sys};

/// The process in which a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// The main process before any fork.
    Init,
    /// The main process, which forks the others.
    Main,
    /// The main process after all forks.
    PostChildInit,
    /// The timer process.
    Timer,
    /// A process that serves commands; many modules have one.
    Rpc,
    /// The process that owns the TCP connections.
    TcpMain,
    /// A process that handles SIP, with its number.
    Worker(i32),
    /// Any other process, with the core's number for it.
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

/// Announces to the core, in `init`, that `handlers` processes will be forked and that
/// each process will hold `descriptors` more descriptors.
///
/// # Errors
/// The core takes no more processes.
pub fn announce(handlers: u32, descriptors: u32) -> Result<(), Error> {
    // SAFETY: these are counters of the core. They are meant to be raised while modules
    // are initialized, which is when this runs.
    unsafe {
        if sys::register_procs(handlers as i32) < 0 {
            return Err("the core takes no more processes".into());
        }
        // The processes follow changes of the runtime configuration.
        sys::cfg_register_child(handlers as i32);
    }
    announce_descriptors(descriptors as i32);
    Ok(())
}

/// Changes how many descriptors the core expects a process to hold. It is an
/// estimate; the core cannot refuse.
pub fn announce_descriptors(change: i32) {
    // SAFETY: this only changes a counter of the core.
    unsafe { sys::register_fds(change) };
}

/// Forks a handler from the main process. `body` runs in the new process and returns
/// only if it cannot go on; the server ends when a handler does.
///
/// The core calls this module's `child_init` in the new process before `body`
/// runs, so no lock may be held across this call.
///
/// # Errors
/// The fork failed. Only the calling process exists.
pub fn fork_handler(
    name: &CStr,
    body: impl FnOnce() -> Result<Infallible, Error>,
) -> Result<(), Error> {
    let parent = std::process::id();
    // SAFETY: the main process has one thread, and the core copies the name. The last
    // argument opens the socket through which the process can send SIP over TCP.
    let pid = unsafe { sys::fork_process(sys::PROC_RPC, name.as_ptr().cast_mut(), 1) };
    match pid {
        0 => run_handler(body),
        pid if pid > 0 => Ok(()),
        // This is the new process, but another module has failed to prepare it. It must
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

/// Whether this process only serves a module's clients.
static IS_HANDLER: AtomicBool = AtomicBool::new(false);

fn run_handler(body: impl FnOnce() -> Result<Infallible, Error>) -> ! {
    // SAFETY: a flag of this process is set, and the first call after the fork gives
    // the process its view of the runtime configuration.
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
    // SAFETY: this ends the process. A handler must not run what the server registered
    // to run at its exit.
    unsafe { libc::_exit(1) }
}

/// Makes the C library return large blocks to the system as soon as they are free.
/// Otherwise it keeps up to twice the largest block that was ever freed, and a client
/// chooses how large that is.
fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    {
        /// The limit in bytes. Everyday replies are smaller and stay fast.
        const LARGE: libc::c_int = 1024 * 1024;
        // SAFETY: these are settings of this process's allocator, and the process has
        // one thread.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
            libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * LARGE);
        }
    }
}

/// Returns all free memory to the system, including what lies between blocks in use.
/// That takes some milliseconds if there is much of it.
pub fn give_back_free_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: only free blocks of this process's allocator are touched, and the process
    // has one thread.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Must be called after a command has run. In a handler, log lines then no longer show
/// `log_prefix` as the last message had it, nor its Call-ID: a route that the command
/// ran has set both, and later lines concern other clients. A process that handles
/// messages continues with its current message.
pub fn forget_message() {
    if IS_HANDLER.load(Relaxed) {
        // SAFETY: the core takes null as "no message", and only writes to variables of
        // this process.
        unsafe { sys::log_prefix_set(ptr::null_mut()) };
    }
}

/// Makes changes by `cfg.*` commands visible in this process. It must be called before
/// each command.
pub fn update_config() {
    // SAFETY: the process comes from `fork_handler`, which has prepared it.
    unsafe { sys::ksrrs_cfg_update() };
}
