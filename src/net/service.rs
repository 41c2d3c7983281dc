//! What a module adds: its protocol.

use crate::listener::Bound;
use crate::outbox::Outbox;
use crate::registry::Peer;

/// How far a service came with what a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes were a request, which is answered.
    Done(usize),
    /// The request is not complete.
    More,
    /// The client has had its last reply, or is not understood any more: it
    /// gets what is queued and is then closed.
    Close,
}

/// How far a service has looked into a request that is not complete. It is the
/// service's own; a new request starts with nothing looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// So many bytes at the start need no second look.
    pub bytes: usize,
    /// What is to be known about them.
    pub state: u64,
}

/// Turns requests into replies.
pub trait Service {
    /// Answers the first request in `input`, which is not empty, by writing
    /// into `outbox`. It is called again with what follows, and again with
    /// more if the request was not complete.
    fn serve(&mut self, from: &Bound, peer: &Peer, input: &[u8], outbox: &mut Outbox<'_>) -> Step;

    /// The same for a service that does not look at the whole of a request
    /// again each time that a piece of it arrives: `looked` is what the last
    /// call for this request left there.
    fn serve_on(
        &mut self,
        from: &Bound,
        peer: &Peer,
        input: &[u8],
        _looked: &mut Looked,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        self.serve(from, peer, input, outbox)
    }

    /// The client sends no more, and `input` is the start of a request. A
    /// service whose protocol has an answer to that writes it.
    fn serve_rest(&mut self, _from: &Bound, _peer: &Peer, _input: &[u8], _outbox: &mut Outbox<'_>) {
    }

    /// Answers the request in a datagram, which is complete or never will be.
    fn serve_datagram(
        &mut self,
        from: &Bound,
        peer: &Peer,
        datagram: &[u8],
        outbox: &mut Outbox<'_>,
    );
}
