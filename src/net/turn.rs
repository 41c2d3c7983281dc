//! How long one client is served before others are.

use std::time::Instant;

use crate::limits;

/// The time that one client's requests have. What is left when it is over waits
/// for the client's next turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    ends: Instant,
}

impl Turn {
    pub(crate) fn start() -> Self {
        Turn {
            ends: Instant::now() + limits::TURN,
        }
    }

    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.ends
    }
}
