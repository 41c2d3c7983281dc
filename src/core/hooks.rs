//! The moments at which the core calls a module.

use std::ffi::c_int;

use crate::process::Rank;
use crate::{Error, log, panic};

/// Runs the hook that prepares the module in the main process.
#[doc(hidden)]
pub fn init(hook: fn() -> Result<(), Error>) -> c_int {
    panic::stop(-1, || outcome("cannot start", hook()))
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
