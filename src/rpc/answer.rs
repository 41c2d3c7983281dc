//! Finished replies, and the responders that take them.

use kamailio_core::message::{Message, SharedMessage};
use rpc_wire::value::Reply;

/// A finished reply on its way to the client.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The values of the reply, or its fault.
    pub reply: &'a Reply,
    /// Whether the answer is an array of the values at the top. It is if the command is
    /// declared to return one, or if there are several values and all of them count.
    pub returns_array: bool,
    /// Whether the reply, with everything queued before it, must have left the process
    /// when [`Responder::respond`] returns. The command may be about to end the server.
    pub now: bool,
}

/// Takes the reply of a call, once.
pub trait Responder {
    /// Writes the reply in the client's protocol. The responder deals with a client
    /// that is gone.
    fn respond(&mut self, answer: Answer<'_>);

    /// Provides what the command needs to reply after it has returned, from whatever
    /// process has the answer then. After that the responder is asked to
    /// [respond](Self::respond) only if the later reply could not be set up.
    fn later(&mut self) -> Option<Later> {
        None
    }
}

/// What a later reply needs.
#[derive(Debug)]
pub struct Later {
    /// The request that will be answered.
    pub message: SharedMessage,
    /// Whatever else must be known about it. It is copied into shared memory, so it
    /// must mean the same in every process.
    pub note: Vec<u8>,
    /// The function that takes the reply, with the note, instead of the responder.
    pub respond: RespondLater,
}

/// Writes a later reply. A module's function has the same address in all processes,
/// because the module was loaded before they were forked.
pub type RespondLater = fn(&mut Message<'_>, &[u8], Answer<'_>);
