//! Memory that clients have left behind.

use kamailio_core::process;

use crate::limits;

/// Notices when clients hold much less memory than they did. The blocks are free
/// then, but smaller ones lie between them, and the C library gives only the last
/// ones back to the system by itself.
#[derive(Debug, Default)]
pub(crate) struct Leftover {
    /// The most that clients have held since it was given back, in bytes.
    most: usize,
}

impl Leftover {
    /// Clients hold so many bytes now. Returns whether it is worth while to give
    /// back what they have left behind.
    pub(crate) fn note(&mut self, held: usize) -> bool {
        self.most = self.most.max(held);
        self.most - held >= limits::WORTH_GIVING_BACK
    }

    /// Gives back what was left behind, if there is enough of it.
    pub(crate) fn give_back(&mut self, held: usize) {
        if self.note(held) {
            process::give_back_free_memory();
            self.most = held;
        }
    }
}
