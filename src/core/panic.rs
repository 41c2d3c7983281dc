//! Stopping panics before they reach C. Unwinding through C's frames is undefined, and
//! ending the process would end the server.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use crate::log_limited;

/// Runs `body`, and returns `fallback` if it panics.
///
/// State that `body` was changing may be left half changed. It is either local to the
/// call or behind a lock that does not poison, and whatever uses such a lock keeps the
/// state valid between statements.
pub fn stop<R>(fallback: R, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

/// Sends the reports of panics to the server's log, which is all that the operator of a
/// daemon sees. Their number is limited, because a client that has found a panic may
/// cause it as often as it likes.
#[doc(hidden)]
pub fn report_to_log() {
    set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let constant = payload.downcast_ref::<&str>().copied();
        let reason = constant
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no reason given");
        match panic.location() {
            Some(place) => log_limited!(Bug, "panic at {place}: {reason}"),
            None => log_limited!(Bug, "panic: {reason}"),
        }
    }));
}
