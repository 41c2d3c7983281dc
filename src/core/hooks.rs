//! The hooks by which the core calls a module.

use std::ffi::c_int;

use crate::params_storage::{self, Declared};
use crate::process::Rank;
use crate::{Error, log, panic, sys};

/// Runs the hook that prepares the module in the main process, and lets the core find
/// the values of parameters.
///
/// # Safety
/// This is the core's call of `init`. `table` is the module's table of parameters,
/// which begins with those that are `declared`.
#[doc(hidden)]
pub unsafe fn init(
    hook: fn() -> Result<(), Error>,
    table: *mut sys::param_export_t,
    declared: &[Declared],
) -> c_int {
    panic::stop(-1, || {
        let done = outcome("cannot start", hook());
        if done == 0 {
            // SAFETY: the caller vouches for the table. The core initializes modules
            // after it has read the configuration, and before it forks the processes
            // that read the table again.
            unsafe { params_storage::fill(table, declared) };
        }
        done
    })
}

/// The `init` of a module that has none.
#[doc(hidden)]
pub fn nothing() -> Result<(), Error> {
    Ok(())
}

/// Runs the hook that every process calls once.
#[doc(hidden)]
pub fn child_init(hook: fn(Rank) -> Result<(), Error>, rank: c_int) -> c_int {
    panic::stop(-1, || {
        outcome("cannot start in this process", hook(Rank::from_core(rank)))
    })
}

/// Runs the hook that cleans up when the server ends.
#[doc(hidden)]
pub fn destroy(hook: fn()) {
    panic::stop((), hook);
}

fn outcome(what: &str, result: Result<(), Error>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => {
            log!(Error, "{what}: {error}");
            -1
        }
    }
}
