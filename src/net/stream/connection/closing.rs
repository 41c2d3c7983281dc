//! The reasons why a connection is closed that its client does not close.

use std::time::Instant;

use kamailio_core::log_limited;

use super::{Connection, Fate, Phase};
use crate::limits;

impl Connection {
    /// Whether the client has used up its time.
    pub(crate) fn check_time(&self, now: Instant) -> Fate {
        let passed = |since: Option<Instant>, limit| {
            since.is_some_and(|since| now.saturating_duration_since(since) >= limit)
        };
        if passed(self.incomplete_since, limits::HALF_REQUEST) {
            log_limited!(
                Warning,
                "{} on {} left a request incomplete for {} seconds and is closed",
                self.peer,
                self.listener,
                limits::HALF_REQUEST.as_secs()
            );
            return Fate::Close;
        }
        if passed(self.stalled_since, limits::STALLED) {
            log_limited!(
                Warning,
                "{} on {} took none of {} waiting bytes for {} seconds and is closed",
                self.peer,
                self.listener,
                self.queued_bytes(),
                limits::STALLED.as_secs()
            );
            return Fate::Close;
        }
        match self.phase {
            Phase::Draining(since) if passed(Some(since), limits::DRAINING) => Fate::Close,
            _ => Fate::Keep,
        }
    }

    /// Logs why an idle connection must go.
    pub(crate) fn report_no_place(&self) {
        log_limited!(
            Warning,
            "{} on {}, who asks for nothing, is closed: another client needs the place",
            self.peer,
            self.listener
        );
    }

    /// Logs why the rest of its replies cannot wait for the client.
    pub(crate) fn report_no_memory(&self) {
        log_limited!(
            Error,
            "{} on {}, for whom {} bytes wait, is closed: there is no memory to keep them",
            self.peer,
            self.listener,
            self.queued_bytes()
        );
    }

    /// Logs why a connection must go although it did nothing wrong.
    pub(crate) fn report_too_much_waiting(&self) {
        log_limited!(
            Error,
            "replies for all clients together are beyond {} bytes; {} on {}, for whom {} wait, is closed",
            limits::QUEUE_OF_ALL,
            self.peer,
            self.listener,
            self.queued_bytes()
        );
    }
}
