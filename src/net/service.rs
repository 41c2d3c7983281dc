//! The part that a module adds: its protocol.

use std::fmt;

use kamailio_core::log::Shown;
use kamailio_core::{log_limited, panic};
use rpc_wire::ScanState;

use crate::listen::Endpoint;
use crate::outbox::{Outbox, Sink};
use crate::peer::Peer;

/// How far a service came with what a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// This many bytes were a request, which is answered.
    Done(usize),
    /// The request is not complete.
    More,
    /// The client has had its last reply, or is not understood any more. It gets what
    /// is queued and is then closed.
    Close,
}

/// A request as far as it has come, and where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The endpoint at which it came in.
    pub listener: &'a Endpoint,
    /// The client.
    pub peer: &'a Peer,
    /// The bytes that have come; other requests may follow.
    pub bytes: &'a [u8],
}

/// Writes the client's name for the log.
impl fmt::Display for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.peer, self.listener)
    }
}

/// Turns requests into replies.
pub trait Service {
    /// Answers the first request in `incoming`, which is not empty, by writing
    /// into `outbox`. It is called again with what follows, and again with
    /// more if the request was not complete.
    ///
    /// `scan` is what the last call for this request left there, so that a service need
    /// not scan the whole request again for each piece that arrives. It starts anew
    /// with each request.
    fn serve(
        &mut self,
        incoming: Incoming<'_>,
        scan: &mut ScanState,
        outbox: &mut Outbox<'_>,
    ) -> Step;

    /// Skips through a request in a named pipe that is too long and whose scanned bytes
    /// are dropped. It returns how many of `bytes` still belong to the request, or
    /// `None` if its end is not there. A service that cannot tell drops what is there.
    fn skip(&mut self, bytes: &[u8], _scan: &mut ScanState) -> Option<usize> {
        Some(bytes.len())
    }

    /// Finds a request in a named pipe whose end will not come, as what follows shows.
    /// `incoming` starts with a request that is not complete, and the result is how
    /// many of its bytes are abandoned. The clients of a pipe cannot be told apart.
    fn abandoned(&mut self, _incoming: Incoming<'_>) -> Option<usize> {
        None
    }

    /// Answers the start of a request whose client sends no more. It does nothing
    /// unless the protocol has an answer to that.
    fn serve_rest(&mut self, _incoming: Incoming<'_>, _outbox: &mut Outbox<'_>) {}

    /// Answers the request with which `incoming` starts, which is given up for this
    /// reason before it was complete or had its turn. It does nothing unless the
    /// protocol can say so.
    fn serve_refusal(&mut self, _incoming: Incoming<'_>, _reason: &str, _outbox: &mut Outbox<'_>) {}

    /// Answers the request in a datagram, which is complete or never will be. Over UDP
    /// the sender may be forged, so what shows no sign of a request must not be
    /// answered: two services that answer everything would go on for ever.
    fn serve_datagram(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>);

    /// Answers the first request in `incoming` because our own code has failed on it;
    /// what it had written is taken back. It does nothing unless the protocol can say
    /// so.
    fn serve_failure(&mut self, _incoming: Incoming<'_>, _outbox: &mut Outbox<'_>) {}
}

/// Logs a datagram that is not answered: the reply of another server, which would
/// answer ours, or over UDP anything that shows no sign of a request, because its
/// sender may be forged.
pub fn report_unanswered(datagram: Incoming<'_>) {
    log_limited!(
        Warning,
        "{datagram} sent {}, which is no request; it is not answered",
        Shown(datagram.bytes)
    );
}

/// Lets `serve` answer a request. If it panics, the client gets nothing of a
/// half-written reply but is told of the failure, and the result is `failed`.
pub(crate) fn serve_safely<R>(
    service: &mut dyn Service,
    incoming: Incoming<'_>,
    sink: &mut dyn Sink,
    failed: R,
    serve: impl FnOnce(&mut dyn Service, &mut Outbox<'_>) -> R,
) -> R {
    let mut outbox = Outbox::new(sink);
    let answered = panic::stop(None, || Some(serve(&mut *service, &mut outbox)));
    answered.unwrap_or_else(|| {
        if outbox.take_back() {
            let told = panic::stop(false, || {
                service.serve_failure(incoming, &mut outbox);
                true
            });
            if !told {
                outbox.take_back();
            }
        }
        failed
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rpc_wire::listen::{Flavour, Listen};

    use super::*;

    /// A service that fails half-way through its answer.
    struct Broken {
        flushes: bool,
        fails_again: bool,
    }

    impl Service for Broken {
        fn serve(&mut self, _: Incoming<'_>, _: &mut ScanState, outbox: &mut Outbox<'_>) -> Step {
            outbox.buffer().extend_from_slice(b"half a re");
            if self.flushes {
                outbox.flush();
            }
            panic!("broken");
        }

        fn serve_datagram(&mut self, _: Incoming<'_>, _: &mut Outbox<'_>) {}

        fn serve_failure(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
            outbox.buffer().extend_from_slice(b"no answer to ");
            assert!(!self.fails_again, "broken again");
            outbox.buffer().extend_from_slice(incoming.bytes);
        }
    }

    /// Keeps what is sent.
    #[derive(Default)]
    struct Kept {
        queued: Vec<u8>,
        sent: Vec<u8>,
    }

    impl Sink for Kept {
        fn buffer(&mut self) -> &mut Vec<u8> {
            &mut self.queued
        }

        fn flush(&mut self) {
            self.sent.append(&mut self.queued);
        }

        fn send_through(&mut self, _: PathBuf) {}
    }

    fn outcome_of(mut broken: Broken) -> (Step, Kept) {
        let listen = Listen::parse("/tmp/x", Flavour::BINRPC).expect("an address");
        let listener = Endpoint::resolve(listen, 0, "test").expect("a path");
        let mut kept = Kept::default();
        kept.queued.extend_from_slice(b"the last one. ");
        let incoming = Incoming {
            listener: &listener,
            peer: &Peer::Local(None),
            bytes: b"a question",
        };
        let step = serve_safely(
            &mut broken,
            incoming,
            &mut kept,
            Step::Close,
            |service, outbox| service.serve(incoming, &mut ScanState::default(), outbox),
        );
        (step, kept)
    }

    #[test]
    fn half_a_reply_becomes_a_failure() {
        let (step, kept) = outcome_of(Broken {
            flushes: false,
            fails_again: false,
        });
        assert_eq!(step, Step::Close);
        assert_eq!(kept.queued, b"the last one. no answer to a question");
    }

    #[test]
    fn half_a_failure_is_not_sent() {
        let (_, kept) = outcome_of(Broken {
            flushes: false,
            fails_again: true,
        });
        assert_eq!(kept.queued, b"the last one. ");
    }

    #[test]
    fn what_has_left_stays_and_is_not_followed() {
        let (_, kept) = outcome_of(Broken {
            flushes: true,
            fails_again: false,
        });
        assert_eq!(kept.sent, b"the last one. half a re");
        assert!(kept.queued.is_empty());
    }
}
