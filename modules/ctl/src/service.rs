//! Choosing the protocol of each socket.

use kamailio::net::{Endpoint, Incoming, Outbox, ScanState, Service, Step};
use kamailio::rpc::MaxReply;

use crate::binrpc::Binrpc;
use crate::linefifo::LineFifo;

/// The names of the protocols in `ctl.listen`.
pub(crate) const BINRPC: &str = "binrpc";
pub(crate) const LINE_FIFO: &str = "fifo";

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

    fn spoken_at(&mut self, listener: &Endpoint) -> &mut dyn Service {
        match listener.protocol {
            LINE_FIFO => &mut self.line_fifo,
            _ => &mut self.binrpc,
        }
    }
}

impl Service for Protocols {
    fn serve(
        &mut self,
        incoming: Incoming<'_>,
        scan: &mut ScanState,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        let service = self.spoken_at(incoming.listener);
        service.serve(incoming, scan, outbox)
    }

    fn abandoned(&mut self, incoming: Incoming<'_>) -> Option<usize> {
        self.spoken_at(incoming.listener).abandoned(incoming)
    }

    fn serve_rest(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        let service = self.spoken_at(incoming.listener);
        service.serve_rest(incoming, outbox);
    }

    fn serve_refusal(&mut self, incoming: Incoming<'_>, reason: &str, outbox: &mut Outbox<'_>) {
        let service = self.spoken_at(incoming.listener);
        service.serve_refusal(incoming, reason, outbox);
    }

    fn serve_datagram(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        let service = self.spoken_at(incoming.listener);
        service.serve_datagram(incoming, outbox);
    }

    fn serve_failure(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        let service = self.spoken_at(incoming.listener);
        service.serve_failure(incoming, outbox);
    }
}
