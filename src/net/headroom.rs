//! Memory that is left for the next request.
//!
//! If the address space of a process is limited, an allocation that fails ends the
//! process. What a client can make large is allocated in a way that may fail, but
//! everything else is not: names, log lines, the reply to a small request. So that
//! there is always memory for those, nothing is kept for a client beyond its turn
//! unless enough is left besides.

use rpc_wire::value::has_memory_for;

/// The bytes that one turn takes at most without asking. A reply of 128 KiB, which is
/// the largest that is written without asking, becomes 768 KiB if all of it is escaped,
/// in a buffer that doubles. Arguments and log lines are smaller.
const TURN: usize = 4 * 1024 * 1024;

/// The bytes that must be left in addition, so that new clients can be served when no
/// more is kept for others.
const NEWCOMERS: usize = 2 * 1024 * 1024;

/// Whether this many bytes may be kept for a client.
pub(crate) fn allows_keeping(bytes: usize) -> bool {
    has_memory_for(bytes.saturating_add(TURN + NEWCOMERS))
}

/// Whether a new client may come that needs this many bytes.
pub(crate) fn allows_newcomer(bytes: usize) -> bool {
    has_memory_for(bytes.saturating_add(TURN))
}
