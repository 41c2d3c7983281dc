//! Serving the line protocol on named pipes and sockets.

use std::path::{Path, PathBuf};

use kamailio::core::log::Shown;
use kamailio::log_limited;
use kamailio::net::{
    Endpoint, Incoming, Outbox, ScanState, Service, Step, pipe_in, report_unanswered,
};
use kamailio::rpc::{Answer, Engine, MaxReply, Policy, Responder};
use rpc_wire::linefifo::{self, Decoded, Defect, Malformed, Request};
use rpc_wire::listen::Transport;
use rpc_wire::value::{Params, Span};

use crate::bounded::{FAILURE, write_bounded};

/// The only directory for reply pipes. Everybody may make files there, and the server
/// writes nowhere else for a client.
const REPLY_DIRECTORY: &str = "/tmp";

/// The protocol, and the buffers that it needs.
#[derive(Debug)]
pub(crate) struct LineFifo {
    engine: Engine,
    params: Params,
}

impl LineFifo {
    pub(crate) fn new(max_reply: MaxReply) -> Self {
        LineFifo {
            engine: Engine::new(&Policy::LINE_FIFO, max_reply),
            params: Params::new(),
        }
    }

    fn run(&mut self, request: &Request, listener: &Endpoint, outbox: &mut Outbox<'_>) {
        let reply_to = self.reply_pipe(request.reply_file, listener);
        let mut reply = LineReply { outbox, reply_to };
        self.engine
            .run(request.method, &mut self.params, &mut reply);
    }

    fn refuse(&self, malformed: &Malformed, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        match self.reply_pipe(malformed.reply_file, incoming.listener) {
            ReplyTo::Pipe(pipe) => {
                let (path, listener) = (pipe.display(), incoming.listener);
                log_limited!(Warning, "the reader of {path} on {listener}: {malformed}");
                outbox.send_through(pipe);
            }
            _ => log_limited!(Warning, "{incoming}: {malformed}"),
        }
        let reason = format!("bad request: {malformed}");
        linefifo::encode_fault(400, reason.as_bytes(), outbox.buffer());
    }

    /// The destination of a reply. A client at a socket is answered there, whatever
    /// file it names.
    fn reply_pipe(&self, name: Option<Span>, listener: &Endpoint) -> ReplyTo {
        if listener.listen.transport != Transport::Fifo {
            return ReplyTo::Sender;
        }
        let Some(name) = name.map(|name| self.params.text(name)) else {
            return ReplyTo::Nobody;
        };
        match pipe_in(Path::new(REPLY_DIRECTORY), name) {
            Some(pipe) => ReplyTo::Pipe(pipe),
            None => {
                log_limited!(
                    Warning,
                    "a request on {listener} names the reply pipe {}; it must be a plain name \
                     in {REPLY_DIRECTORY}, without dots and slashes",
                    Shown(name)
                );
                ReplyTo::Nobody
            }
        }
    }
}

impl Service for LineFifo {
    fn serve(
        &mut self,
        incoming: Incoming<'_>,
        scan: &mut ScanState,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        self.params.clear();
        match linefifo::decode_on(incoming.bytes, &mut scan.at, &mut self.params) {
            Ok(Decoded::More) => Step::More,
            Ok(Decoded::Blank(count)) => Step::Done(count),
            Ok(Decoded::Request(request)) => {
                self.run(&request, incoming.listener, outbox);
                Step::Done(request.used)
            }
            Err(malformed) => {
                self.refuse(&malformed, incoming, outbox);
                // What follows must not be taken for requests. It may be the rest of a
                // bad one, or the body of what a browser was made to send here. But all
                // clients share a pipe, so it cannot be closed.
                let is_pipe = incoming.listener.listen.transport == Transport::Fifo;
                let is_a_request = matches!(malformed.defect, Defect::BadEscape { .. });
                if is_pipe || (is_a_request && malformed.is_whole) {
                    Step::Done(malformed.skip)
                } else {
                    Step::Close
                }
            }
        }
    }

    fn serve_datagram(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        let datagram = incoming.bytes;
        let transport = incoming.listener.listen.transport;
        if transport == Transport::Udp && !linefifo::is_request(datagram) {
            return report_unanswered(incoming);
        }
        self.params.clear();
        match linefifo::decode_datagram(datagram, &mut self.params) {
            Ok(request) => self.run(&request, incoming.listener, outbox),
            // It may be the reply of another server, which would answer ours.
            Err(malformed) if datagram.first() != Some(&b':') => {
                log_limited!(Warning, "{incoming}: {malformed}; it is not answered");
            }
            Err(malformed) => self.refuse(&malformed, incoming, outbox),
        }
    }

    /// Answers half a request in a pipe, whose client may wait for the reply. The
    /// client of a socket is gone.
    fn serve_rest(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        self.params.clear();
        if incoming.listener.listen.transport != Transport::Fifo {
            return;
        }
        if let Err(malformed) = linefifo::decode_datagram(incoming.bytes, &mut self.params) {
            self.refuse(&malformed, incoming, outbox);
        }
    }

    fn serve_refusal(&mut self, _: Incoming<'_>, reason: &str, outbox: &mut Outbox<'_>) {
        linefifo::encode_fault(500, reason.as_bytes(), outbox.buffer());
    }

    /// Answers if our own code has failed. The outbox knows the reply pipe, if it was
    /// known by then.
    fn serve_failure(&mut self, _: Incoming<'_>, outbox: &mut Outbox<'_>) {
        linefifo::encode_fault(500, FAILURE.as_bytes(), outbox.buffer());
    }
}

enum ReplyTo {
    /// The reply goes back the way the request came.
    Sender,
    /// The reply goes to a named pipe of the client.
    Pipe(PathBuf),
    /// The client named no pipe, so the command runs and its reply is lost.
    Nobody,
}

/// The reply to one request.
struct LineReply<'a, 'b> {
    outbox: &'a mut Outbox<'b>,
    reply_to: ReplyTo,
}

impl Responder for LineReply<'_, '_> {
    fn respond(&mut self, answer: Answer<'_>) {
        match &self.reply_to {
            ReplyTo::Nobody => return,
            ReplyTo::Pipe(pipe) => self.outbox.send_through(pipe.clone()),
            ReplyTo::Sender => {}
        }
        write_bounded(
            self.outbox,
            0,
            |out| linefifo::encode_answer(answer.reply, out),
            |out, reason| linefifo::encode_fault(500, reason.as_bytes(), out),
        );
        if answer.now {
            self.outbox.flush();
        }
    }
}
