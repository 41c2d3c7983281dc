//! Memory that is left for the next request.
//!
//! Where the address space of a process is limited, an allocation that fails ends it.
//! What a client can make large is asked for in a way that may fail, but everything
//! else is not: names, log lines, the reply to a small request. So that there is
//! always memory for those, nothing is kept for a client beyond its turn unless
//! enough is left after it.

use kamailio_core::process;

/// What one turn takes at most without asking, in bytes. A reply of 128 KiB, which is
/// the largest that is written without asking, becomes 768 KiB where all of it is
/// escaped, in a buffer that doubles; arguments and log lines are smaller.
const TURN: usize = 4 * 1024 * 1024;

/// What is left besides when no more is kept, in bytes, so that new clients still find
/// a place and can be told so.
const NEWCOMERS: usize = 2 * 1024 * 1024;

/// Whether so many bytes may be kept for a client.
pub(crate) fn allows_keeping(bytes: usize) -> bool {
    process::can_have_memory(bytes.saturating_add(TURN + NEWCOMERS))
}

/// Whether a new client may come, for whom so many bytes are taken.
pub(crate) fn allows_newcomer(bytes: usize) -> bool {
    process::can_have_memory(bytes.saturating_add(TURN))
}
