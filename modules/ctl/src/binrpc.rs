//! Serving BINRPC on sockets.

use kamailio::log_limited;
use kamailio::net::{Incoming, Outbox, ScanState, Service, Step, report_unanswered};
use kamailio::rpc::{Answer, Engine, MaxReply, Policy, Responder};
use rpc_wire::answers::is_answer;
use rpc_wire::binrpc::{self, Header, Kind, Malformed};
use rpc_wire::listen::Transport;
use rpc_wire::value::Params;

use crate::bounded::{FAILURE, write_bounded};

/// The longest body of a request, in bytes. The C module takes 65,531.
const MAX_BODY: usize = 1024 * 1024 - binrpc::MAX_HEADER_LEN;

/// The longest packet that may be sent in several datagrams. `kamcmd` reassembles them
/// in a buffer of this size.
const IN_PIECES: usize = 128 * 1024;

/// The protocol, and the buffers that it needs.
#[derive(Debug)]
pub(crate) struct Binrpc {
    engine: Engine,
    params: Params,
}

impl Binrpc {
    pub(crate) fn new(converts: bool, max_reply: MaxReply) -> Self {
        let policy = if converts {
            &Policy::BINRPC_CONVERTING
        } else {
            &Policy::BINRPC
        };
        Binrpc {
            engine: Engine::new(policy, max_reply),
            params: Params::new(),
        }
    }

    fn run(&mut self, body: &[u8], responder: &mut BinrpcReply<'_, '_>) -> Result<(), Malformed> {
        self.params.clear();
        let method = binrpc::decode_request(body, &mut self.params)?;
        self.engine.run(method, &mut self.params, responder);
        Ok(())
    }
}

impl Service for Binrpc {
    fn serve(
        &mut self,
        incoming: Incoming<'_>,
        _scan: &mut ScanState,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        let mut reply = BinrpcReply { cookie: 0, outbox };
        let refusal = match Header::parse(incoming.bytes) {
            Ok(None) => return Step::More,
            Ok(Some(header)) => {
                reply.cookie = header.cookie;
                match complete(&header, incoming.bytes) {
                    Ok(None) => return Step::More,
                    Ok(Some(body)) => match self.run(body, &mut reply) {
                        Ok(()) => return Step::Done(header.packet_len()),
                        Err(malformed) => explain(&malformed),
                    },
                    Err(refusal) => refusal,
                }
            }
            Err(malformed) => explain(&malformed),
        };
        log_limited!(Warning, "{incoming}: {refusal}");
        reply.fault(400, refusal.as_bytes());
        Step::Close
    }

    fn serve_datagram(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        let is_answered = match incoming.listener.listen.transport {
            Transport::Udp => binrpc::is_request(incoming.bytes),
            // A client that sends replies is a server itself. It would answer an answer
            // again, for ever.
            _ => !is_answer(incoming.bytes),
        };
        if !is_answered {
            return report_unanswered(incoming);
        }
        if self.serve(incoming, &mut ScanState::default(), outbox) == Step::More {
            let refusal = "bad request: the datagram ends before the request does";
            log_limited!(Warning, "{incoming}: {refusal}");
            BinrpcReply { cookie: 0, outbox }.fault(400, refusal.as_bytes());
        }
    }

    fn serve_refusal(&mut self, incoming: Incoming<'_>, reason: &str, outbox: &mut Outbox<'_>) {
        BinrpcReply::to(incoming.bytes, outbox).fault(500, reason.as_bytes());
    }

    fn serve_failure(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        BinrpcReply::to(incoming.bytes, outbox).fault(500, FAILURE.as_bytes());
    }
}

/// The body of a request, once all of it has arrived.
fn complete<'a>(header: &Header, input: &'a [u8]) -> Result<Option<&'a [u8]>, String> {
    if header.kind != Kind::Request {
        return Err(explain(&Malformed::UnexpectedKind(header.kind)));
    }
    if header.body_len > MAX_BODY {
        return Err(format!(
            "bad request: it has {} bytes, at most {MAX_BODY} are taken",
            header.body_len
        ));
    }
    Ok(input.get(header.header_len..header.packet_len()))
}

/// The C module's words for the defect, if it has some, and its position otherwise.
fn explain(malformed: &Malformed) -> String {
    match malformed {
        Malformed::Body { at: 0, .. } => format!("bad request method: {}", malformed.c_text()),
        Malformed::Body { .. } => format!("bad request: {malformed}"),
        _ => format!("bad request: {}", malformed.c_text()),
    }
}

/// The reply to one request.
struct BinrpcReply<'a, 'b> {
    cookie: u32,
    outbox: &'a mut Outbox<'b>,
}

impl<'a, 'b> BinrpcReply<'a, 'b> {
    /// The reply to a request of which possibly only the header can be read.
    fn to(request: &[u8], outbox: &'a mut Outbox<'b>) -> Self {
        let header = Header::parse(request).ok().flatten();
        BinrpcReply {
            cookie: header.map_or(0, |header| header.cookie),
            outbox,
        }
    }

    fn fault(&mut self, code: i32, reason: &[u8]) {
        // A reason is short, so it fits.
        let _ = binrpc::encode_fault(code, reason, self.cookie, self.outbox.buffer());
    }
}

impl Responder for BinrpcReply<'_, '_> {
    fn respond(&mut self, answer: Answer<'_>) {
        let cookie = self.cookie;
        let write_fault = |out: &mut Vec<u8>, reason: &str| {
            // A reason is short, so it fits.
            let _ = binrpc::encode_fault(500, reason.as_bytes(), cookie, out);
        };
        let write = |out: &mut Vec<u8>| {
            if let Err(too_large) = binrpc::encode_answer(answer.reply, cookie, out) {
                write_fault(out, &too_large.to_string());
            }
        };
        write_bounded(self.outbox, IN_PIECES, write, write_fault);
        if answer.now {
            self.outbox.flush();
        }
    }
}
