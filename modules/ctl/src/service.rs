//! Which protocol is spoken where.

use kamailio::net::{Bound, Looked, Outbox, Peer, Service, Step};
use kamailio::rpc::MaxReply;

use crate::binrpc::Binrpc;
use crate::linefifo::LineFifo;

/// What `ctl.listen` calls the protocols.
pub(crate) const BINRPC: &str = "binrpc";
pub(crate) const LINE_FIFO: &str = "fifo";

/// What a client is told when our own code fails: the words of the engine, which
/// says so where a command does.
pub(crate) const FAILURE: &str = "internal server error";

/// The service of the handler process.
#[derive(Debug)]
pub(crate) struct Protocols {
    binrpc: Binrpc,
    line_fifo: LineFifo,
}

impl Protocols {
    pub(crate) fn new(converts: bool, max_reply: MaxReply) -> Self {
        Protocols {
            binrpc: Binrpc::new(converts, max_reply),
            line_fifo: LineFifo::new(max_reply),
        }
    }

    fn spoken_at(&mut self, place: &Bound) -> &mut dyn Service {
        match place.protocol {
            LINE_FIFO => &mut self.line_fifo,
            _ => &mut self.binrpc,
        }
    }
}

impl Service for Protocols {
    fn serve(
        &mut self,
        from: &Bound,
        peer: &Peer,
        input: &[u8],
        looked: &mut Looked,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        self.spoken_at(from)
            .serve(from, peer, input, looked, outbox)
    }

    fn abandoned(&mut self, from: &Bound, input: &[u8]) -> Option<usize> {
        self.spoken_at(from).abandoned(from, input)
    }

    fn serve_rest(&mut self, from: &Bound, peer: &Peer, input: &[u8], outbox: &mut Outbox<'_>) {
        self.spoken_at(from).serve_rest(from, peer, input, outbox);
    }

    fn serve_refusal(&mut self, from: &Bound, input: &[u8], reason: &str, outbox: &mut Outbox<'_>) {
        self.spoken_at(from)
            .serve_refusal(from, input, reason, outbox);
    }

    fn serve_datagram(
        &mut self,
        from: &Bound,
        peer: &Peer,
        datagram: &[u8],
        outbox: &mut Outbox<'_>,
    ) {
        self.spoken_at(from)
            .serve_datagram(from, peer, datagram, outbox);
    }

    fn serve_failure(&mut self, from: &Bound, input: &[u8], outbox: &mut Outbox<'_>) {
        self.spoken_at(from).serve_failure(from, input, outbox);
    }
}

/// Appends a reply with `write`, or if the client cannot get it by datagram the
/// fault that says so with `write_fault`: a reply is never cut. `in_pieces` is how
/// many bytes clients of this protocol put together from several datagrams, 0 if
/// they do not.
pub(crate) fn write_bounded(
    outbox: &mut Outbox<'_>,
    in_pieces: usize,
    write: impl FnOnce(&mut Vec<u8>),
    write_fault: impl FnOnce(&mut Vec<u8>, &str),
) {
    let start = outbox.buffer().len();
    write(outbox.buffer());
    if let Err(too_large) = outbox.check_reply_in_pieces(start, in_pieces) {
        outbox.buffer().truncate(start);
        let reason = format!("{too_large}; ask through a stream socket (unix: or tcp:)");
        write_fault(outbox.buffer(), &reason);
    }
}
