//! Memory that clients have left behind.

use kamailio_core::process;

use crate::limits;

/// Notices when clients hold much less memory than before. The blocks are free then,
/// but smaller ones lie between them, and by itself the C library only returns the last
/// ones to the system.
#[derive(Debug, Default)]
pub(crate) struct Leftover {
    /// The most bytes that clients have held since memory was last returned.
    most: usize,
}

impl Leftover {
    /// Notes how many bytes clients hold now, and returns whether it is worth while to
    /// return what they have left behind.
    pub(crate) fn note(&mut self, held: usize) -> bool {
        self.most = self.most.max(held);
        self.most - held >= limits::WORTH_GIVING_BACK
    }

    /// Returns what was left behind, if there is enough of it.
    pub(crate) fn give_back(&mut self, held: usize) {
        if self.note(held) {
            process::give_back_free_memory();
            self.most = held;
        }
    }
}
