//! What all that serves clients in a process shares.

use kamailio_core::datagrams;

use crate::limits;
use crate::service::Service;

/// The service, and the buffers for one client at a time.
pub(crate) struct Workshop<'a> {
    pub(crate) service: &'a mut dyn Service,
    /// Filled by one system call and emptied before the next: by one read, or
    /// with so many datagrams.
    pub(crate) input: Vec<u8>,
    /// The buffer for replies that leave at once.
    pub(crate) output: Vec<u8>,
}

impl<'a> Workshop<'a> {
    pub(crate) fn new(service: &'a mut dyn Service) -> Self {
        Workshop {
            service,
            // Memory that is never filled is never taken.
            input: vec![0; limits::READ_AT_ONCE * datagrams::AT_ONCE],
            output: Vec::new(),
        }
    }
}
