//! What all that serves clients in a process shares.

use std::time::Instant;

use kamailio_core::datagrams;

use crate::limits;
use crate::service::Service;

/// The service, and the buffers for one client at a time.
pub(crate) struct HandlerContext<'a> {
    pub(crate) service: &'a mut dyn Service,
    /// Filled by one system call and emptied before the next: by one read, or
    /// with several datagrams.
    pub(crate) input: Vec<u8>,
    /// The buffer for replies that leave at once.
    pub(crate) output: Vec<u8>,
}

impl<'a> HandlerContext<'a> {
    pub(crate) fn new(service: &'a mut dyn Service) -> Self {
        HandlerContext {
            service,
            // Memory that is never filled is never taken.
            input: vec![0; limits::READ_AT_ONCE * datagrams::AT_ONCE],
            output: Vec::new(),
        }
    }
}

/// The time that one client's requests have before others are served. What is left
/// when it is over waits for the client's next turn.
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
