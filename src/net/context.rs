//! What everything that serves clients in a process shares.

use std::time::Instant;

use kamailio_core::datagrams;

use crate::limits;
use crate::service::Service;

/// The service, and the buffers for one client at a time.
pub(crate) struct HandlerContext<'a> {
    pub(crate) service: &'a mut dyn Service,
    /// The input buffer. One system call fills it, with one read or with several
    /// datagrams, and it is emptied before the next call.
    pub(crate) input: Vec<u8>,
    /// The buffer for replies that leave at once.
    pub(crate) output: Vec<u8>,
}

impl<'a> HandlerContext<'a> {
    pub(crate) fn new(service: &'a mut dyn Service) -> Self {
        HandlerContext {
            service,
            // Memory that is never written to takes no space.
            input: vec![0; limits::READ_AT_ONCE * datagrams::AT_ONCE],
            output: Vec::new(),
        }
    }
}

/// The time for one client's requests before others are served. Requests that are left
/// when it is over wait for the client's next turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeSlice {
    ends: Instant,
}

impl TimeSlice {
    pub(crate) fn start() -> Self {
        TimeSlice {
            ends: Instant::now() + limits::TIME_SLICE,
        }
    }

    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.ends
    }
}
