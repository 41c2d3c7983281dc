//! Finished replies, and who takes them.

use kamailio_core::message::{Message, SharedMessage};
use rpc_wire::value::Reply;

/// A finished reply on its way to the client.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The values, or a fault.
    pub reply: &'a Reply,
    /// Whether the answer is an array of the values at the top: the command is
    /// declared to answer with one, or there are several where all count.
    pub returns_array: bool,
    /// Whether the reply must have left the process, with all that is queued
    /// before it, when [`Responder::respond`] returns: the command may be
    /// about to end the server.
    pub now: bool,
}

/// Takes the reply of a call, once.
pub trait Responder {
    /// Writes the reply in the protocol of the client. A client that is gone
    /// is the responder's own affair.
    fn respond(&mut self, answer: Answer<'_>);

    /// The command wants to reply when it has long returned, from whatever
    /// process has the answer then. A responder that gives what that takes is
    /// asked to [respond](Self::respond) only if that cannot be kept.
    fn later(&mut self) -> Option<Later> {
        None
    }
}

/// What a later reply takes.
#[derive(Debug)]
pub struct Later {
    /// The request that is answered.
    pub message: SharedMessage,
    /// What else there is to be known about it. It is copied into shared
    /// memory, so it must mean the same in every process.
    pub note: Vec<u8>,
    /// Takes the reply then, with the note, in the place of the responder.
    pub respond: RespondLater,
}

/// Writes a later reply. A function of the module is at the same address in all
/// processes, for it was loaded before they were forked.
pub type RespondLater = fn(&mut Message<'_>, &[u8], Answer<'_>);
