//! The common parts of all script functions: how they return, and how they find a
//! connection.

use kamailio::core::log::Limiter;
use kamailio::core::message::Message;
use kamailio::core::tcp::Connection;
use kamailio::core::{Error, log};

/// The limit of lines a second that a function logs about its own bad use, which a
/// client can cause by leaving at the wrong moment.
const LINES: u32 = 5;

/// A script function.
pub(crate) struct Function {
    name: &'static str,
    limiter: Limiter,
}

/// The reason why a function did nothing, and its result for the script.
#[derive(Debug)]
pub(crate) struct Refusal {
    code: i32,
    reason: Error,
}

impl Refusal {
    /// A refusal with another result than -1.
    pub(crate) fn new(code: i32, reason: impl Into<Error>) -> Self {
        Refusal {
            code,
            reason: reason.into(),
        }
    }
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(reason: E) -> Self {
        Refusal::new(-1, reason)
    }
}

impl Function {
    /// The function with this name in the script.
    pub(crate) const fn new(name: &'static str) -> Self {
        Function {
            name,
            limiter: Limiter::new(LINES),
        }
    }

    /// Returns a result to the script, and tells the operator of a refusal.
    pub(crate) fn answer(&self, run: impl FnOnce() -> Result<i32, Refusal>) -> i32 {
        run().unwrap_or_else(|refusal| {
            self.report(&refusal.reason);
            refusal.code
        })
    }

    fn report(&self, reason: &Error) {
        match self.limiter.admit() {
            Some(0) => log!(Error, "{}: {reason}", self.name),
            Some(left_out) => log!(
                Error,
                "{}: {reason} ({left_out} such lines were left out before)",
                self.name
            ),
            None => {}
        }
    }
}

/// The connection with this number. If there is none the script gets `code`.
pub(crate) fn numbered(id: i32, code: i32) -> Result<Connection, Refusal> {
    Connection::find(id).ok_or_else(|| Refusal::new(code, format!("there is no connection {id}")))
}

/// The connection over which the message came.
pub(crate) fn current(message: &Message<'_>) -> Result<Connection, Refusal> {
    if !message.is_over_tcp() {
        return Err("the message did not come over TCP".into());
    }
    numbered(message.connection_id(), -1)
}
