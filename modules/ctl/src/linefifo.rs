//! The line protocol on named pipes and sockets.

use std::path::{Path, PathBuf};

use kamailio::core::log::Shown;
use kamailio::log_limited;
use kamailio::net::{Bound, Looked, Outbox, Peer, Service, Step, pipe_in, report_unanswered};
use kamailio::rpc::{Answer, Engine, MaxReply, Policy, Responder};
use rpc_wire::linefifo::{self, Decoded, Defect, Malformed, Request};
use rpc_wire::listen::Transport;
use rpc_wire::value::{Params, Span};

use crate::service::{FAILURE, write_bounded};

/// The one directory for reply pipes: anybody may make files there, and the
/// server writes nowhere else for a client.
const REPLY_DIRECTORY: &str = "/tmp";

/// The protocol, and the buffers it needs.
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

    fn run(&mut self, request: &Request, from: &Bound, outbox: &mut Outbox<'_>) {
        let reply_to = self.reply_pipe(request.reply_file, from);
        let mut reply = Reply { outbox, reply_to };
        self.engine
            .run(request.method, &mut self.params, &mut reply);
    }

    fn refuse(&self, malformed: &Malformed, from: &Bound, peer: &Peer, outbox: &mut Outbox<'_>) {
        match self.reply_pipe(malformed.reply_file, from) {
            ReplyTo::Pipe(pipe) => {
                let path = pipe.display();
                log_limited!(Warning, "the reader of {path} on {from}: {malformed}");
                outbox.send_through(pipe);
            }
            _ => log_limited!(Warning, "{peer} on {from}: {malformed}"),
        }
        let reason = format!("bad request: {malformed}");
        linefifo::encode_fault(400, reason.as_bytes(), outbox.buffer());
    }

    /// Where the reply goes. Who came over a socket is answered there, whatever
    /// file it names.
    fn reply_pipe(&self, name: Option<Span>, from: &Bound) -> ReplyTo {
        if from.listen.transport != Transport::Fifo {
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
                    "a request on {from} names the reply pipe {}; it must be a plain name \
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
        from: &Bound,
        peer: &Peer,
        input: &[u8],
        looked: &mut Looked,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        self.params.clear();
        match linefifo::decode_on(input, &mut looked.bytes, &mut self.params) {
            Ok(Decoded::More) => Step::More,
            Ok(Decoded::Blank(count)) => Step::Done(count),
            Ok(Decoded::Request(request)) => {
                self.run(&request, from, outbox);
                Step::Done(request.used)
            }
            Err(malformed) => {
                self.refuse(&malformed, from, peer, outbox);
                // What follows is not to be taken for requests: it may be the
                // rest of a bad one, or the body of what a browser was made to
                // send here. But a pipe is everybody's and cannot be closed.
                let is_a_request = matches!(malformed.defect, Defect::BadEscape { .. });
                if from.listen.transport == Transport::Fifo || (is_a_request && malformed.is_whole)
                {
                    Step::Done(malformed.skip)
                } else {
                    Step::Close
                }
            }
        }
    }

    fn serve_datagram(
        &mut self,
        from: &Bound,
        peer: &Peer,
        datagram: &[u8],
        outbox: &mut Outbox<'_>,
    ) {
        if from.listen.transport == Transport::Udp && !linefifo::is_request(datagram) {
            return report_unanswered(from, peer, datagram);
        }
        self.params.clear();
        match linefifo::decode_datagram(datagram, &mut self.params) {
            Ok(request) => self.run(&request, from, outbox),
            // It may be the reply of another server, which would answer ours.
            Err(malformed) if datagram.first() != Some(&b':') => {
                log_limited!(Warning, "{peer} on {from}: {malformed}; it is not answered");
            }
            Err(malformed) => self.refuse(&malformed, from, peer, outbox),
        }
    }

    /// Half a request in a pipe, whose client may wait for the reply. Over a socket
    /// it has gone.
    fn serve_rest(&mut self, from: &Bound, peer: &Peer, input: &[u8], outbox: &mut Outbox<'_>) {
        self.params.clear();
        if from.listen.transport != Transport::Fifo {
            return;
        }
        if let Err(malformed) = linefifo::decode_datagram(input, &mut self.params) {
            self.refuse(&malformed, from, peer, outbox);
        }
    }

    fn serve_refusal(
        &mut self,
        _from: &Bound,
        _input: &[u8],
        reason: &str,
        outbox: &mut Outbox<'_>,
    ) {
        linefifo::encode_fault(500, reason.as_bytes(), outbox.buffer());
    }

    /// If the reply pipe was known by then, the outbox knows it, too.
    fn serve_failure(&mut self, _from: &Bound, _input: &[u8], outbox: &mut Outbox<'_>) {
        linefifo::encode_fault(500, FAILURE.as_bytes(), outbox.buffer());
    }
}

enum ReplyTo {
    /// The way the request came.
    Sender,
    /// A named pipe of the client.
    Pipe(PathBuf),
    /// The client named none: the command runs and its reply is lost.
    Nobody,
}

/// The reply to one request.
struct Reply<'a, 'b> {
    outbox: &'a mut Outbox<'b>,
    reply_to: ReplyTo,
}

impl Responder for Reply<'_, '_> {
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
