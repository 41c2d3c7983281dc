//! No panic crosses into C: unwinding through its frames is undefined, and
//! ending the process would end the server.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use crate::log_limited;

/// Runs `body`; a panic in it gives `fallback` instead.
///
/// State that `body` was changing may be left half done. It is either local to
/// the call or behind a lock that does not poison, and each user of the latter
/// keeps it valid between statements.
pub fn stop<R>(fallback: R, body: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

/// Sends the report of a panic to the server's log, which is all an operator
/// of a daemon sees. A client that has found one may cause it as often as it likes.
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
