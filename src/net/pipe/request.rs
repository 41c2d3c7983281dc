//! Named pipes through which requests come in. All clients write into one pipe, so
//! there is no connection to close, and only the log can be told.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use kamailio_core::datagrams::Patience;
use kamailio_core::{log_limited, process};
use rpc_wire::ScanState;
use rustix::fs::OFlags;
use rustix::io::{Errno, read};

use super::ends::{Ends, opened_again};
use super::reply::ReplyPipes;
use crate::context::{HandlerContext, TimeSlice};
use crate::input::Input;
use crate::limits;
use crate::listen::Endpoint;
use crate::outbox::{Outbox, Sink};
use crate::peer::Peer;
use crate::service::{Incoming, Service, Step, serve_safely};

/// A named pipe of ours.
#[derive(Debug)]
pub(crate) struct RequestPipe {
    ends: Ends,
    /// The same pipe, in which a read waits. It is `None` if the pipe could not be
    /// opened once more, for example by a process that may not read from a pipe of
    /// another user.
    patient: Option<OwnedFd>,
    endpoint: Arc<Endpoint>,
    /// A request that is not complete.
    input: Input,
    incomplete_since: Option<Instant>,
    /// The time at which something came last.
    heard: Instant,
    /// How far the service has scanned the incomplete request.
    scan: ScanState,
    /// Whether that request was too long. Its bytes are dropped, and so is what comes
    /// up to its end. Read as something new it could keep everybody waiting.
    skips: bool,
}

impl AsFd for RequestPipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ends.as_fd()
    }
}

impl RequestPipe {
    pub(crate) fn new(file: OwnedFd, endpoint: Arc<Endpoint>) -> Self {
        RequestPipe {
            patient: opened_again(&file, OFlags::RDONLY).ok(),
            ends: Ends::new(file),
            endpoint,
            input: Input::default(),
            incomplete_since: None,
            heard: Instant::now(),
            scan: ScanState::default(),
            skips: false,
        }
    }

    /// The endpoint at which it listens.
    pub(crate) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Whether it has work for its next turn without waiting for an event.
    pub(crate) fn is_runnable(&self) -> bool {
        !self.input.is_empty() && self.incomplete_since.is_none()
    }

    /// Whether a request has a time limit.
    pub(crate) fn has_deadline(&self) -> bool {
        self.incomplete_since.is_some()
    }

    /// Whether it can be read from. If not, that may change.
    pub(crate) fn is_open(&mut self) -> bool {
        self.ends.hold_open()
    }

    /// Answers what is left from the last turn, or reads once and answers the requests
    /// that are then complete.
    pub(crate) fn work(&mut self, context: &mut HandlerContext<'_>, replies: &mut ReplyPipes) {
        let slice = TimeSlice::start();
        if self.is_runnable() {
            self.answer_kept(slice, context.service, replies);
        } else if let Ok(count) = self.read(Patience::None, context) {
            self.feed(count, slice, context, replies);
        }
    }

    /// As [`work`](Self::work), but waits until something comes. It is for a process
    /// that has nothing else to do.
    ///
    /// # Errors
    /// It did not wait, or only until a signal came.
    pub(crate) fn wait_and_work(
        &mut self,
        context: &mut HandlerContext<'_>,
        replies: &mut ReplyPipes,
    ) -> Result<(), Errno> {
        let count = self.read(Patience::Endless, context)?;
        process::update_config();
        self.feed(count, TimeSlice::start(), context, replies);
        Ok(())
    }

    /// Reads once into the buffer of the context, and returns how many bytes came.
    fn read(
        &mut self,
        patience: Patience,
        context: &mut HandlerContext<'_>,
    ) -> Result<usize, Errno> {
        let file = match patience {
            Patience::None => self.ends.as_fd(),
            Patience::Endless => self.patient.as_ref().ok_or(Errno::BADF)?.as_fd(),
        };
        match read(file, &mut context.input[..limits::READ_AT_ONCE]) {
            Ok(count) => {
                self.heard = Instant::now();
                Ok(count)
            }
            Err(error) => {
                if !matches!(error, Errno::AGAIN | Errno::INTR) {
                    log_limited!(Error, "cannot read from {}: {error}", self.endpoint);
                }
                Err(error)
            }
        }
    }

    /// Answers the requests that the first `count` bytes of the context's buffer
    /// complete, and keeps the rest.
    fn feed(
        &mut self,
        count: usize,
        slice: TimeSlice,
        context: &mut HandlerContext<'_>,
        replies: &mut ReplyPipes,
    ) {
        let buffer = std::mem::take(&mut context.input);
        let bytes = &buffer[..count];
        let kept = if self.input.is_empty() {
            let used = self.answer(bytes, slice, context.service, replies);
            self.input.append(&bytes[used..])
        } else {
            let kept = self.input.append(bytes);
            if kept.is_ok() {
                self.answer_kept(slice, context.service, replies);
            }
            kept
        };
        context.input = buffer;
        if let Err(reason) = kept {
            log_limited!(
                Warning,
                "a request on {} is dropped: {reason}",
                self.endpoint
            );
            self.drop_request();
        }
    }

    fn answer_kept(
        &mut self,
        slice: TimeSlice,
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
    ) {
        let mut input = std::mem::take(&mut self.input);
        let used = self.answer(&input, slice, service, replies);
        input.forget(used);
        self.input = input;
    }

    /// Answers complete requests as long as the time slice lasts, and returns how many
    /// bytes they had.
    fn answer(
        &mut self,
        input: &[u8],
        slice: TimeSlice,
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
    ) -> usize {
        let mut used = self.skip(input, service);
        let mut incomplete = self.skips;
        while used < input.len() && !incomplete {
            match self.answer_first(&input[used..], service, replies) {
                Step::Done(0) | Step::More => {
                    let Some(len) = service.abandoned(self.incoming(&input[used..])) else {
                        incomplete = true;
                        break;
                    };
                    let abandoned = &input[used..used + len];
                    self.refuse(
                        abandoned,
                        "another follows before it ends",
                        service,
                        replies,
                    );
                    used += len;
                }
                Step::Done(count) => used += count,
                Step::Close => used = input.len(),
            }
            self.scan = ScanState::default();
            if used < input.len() && slice.is_over() {
                break;
            }
        }
        if incomplete && input.len() - used > limits::REQUEST {
            used += self.drop_long(&input[used..], service);
            incomplete = self.skips;
        }
        self.incomplete_since = match (incomplete, self.incomplete_since) {
            (false, _) => None,
            (true, Some(since)) if used == 0 || self.skips => Some(since),
            (true, _) => Some(Instant::now()),
        };
        used
    }

    /// Skips what still belongs to a request that is too long, and returns its length.
    fn skip(&mut self, input: &[u8], service: &mut dyn Service) -> usize {
        if !self.skips {
            return 0;
        }
        let Some(end) = service.skip(input, &mut self.scan) else {
            return std::mem::take(&mut self.scan.at);
        };
        self.skips = false;
        self.scan = ScanState::default();
        end
    }

    /// Drops what has come of a request that is too long, and returns its length.
    fn drop_long(&mut self, request: &[u8], service: &mut dyn Service) -> usize {
        log_limited!(
            Warning,
            "a request on {} of more than {} bytes is dropped",
            self.endpoint,
            limits::REQUEST
        );
        self.skips = true;
        let scanned = std::mem::take(&mut self.scan.at).min(request.len());
        scanned + self.skip(&request[scanned..], service)
    }

    fn answer_first(
        &mut self,
        bytes: &[u8],
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
    ) -> Step {
        let mut scan = self.scan;
        let serve = |service: &mut dyn Service, incoming: Incoming<'_>, outbox: &mut Outbox<'_>| {
            service.serve(incoming, &mut scan, outbox)
        };
        let step = self.reply(bytes, service, replies, Step::Close, serve);
        self.scan = scan;
        step
    }

    /// Tells the client that has sent the start of a request that its end does not
    /// come, if it can be known who that is.
    fn refuse(
        &mut self,
        request: &[u8],
        reason: &str,
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
    ) {
        log_limited!(
            Warning,
            "a request on {} is dropped: {reason}",
            self.endpoint
        );
        self.reply(
            request,
            service,
            replies,
            (),
            |service, incoming, outbox| {
                service.serve_rest(incoming, outbox);
            },
        );
    }

    /// Lets `serve` answer a request. If our own code fails there, the result is
    /// `failed`.
    fn reply<R>(
        &self,
        request: &[u8],
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
        failed: R,
        serve: impl FnOnce(&mut dyn Service, Incoming<'_>, &mut Outbox<'_>) -> R,
    ) -> R {
        let mut sink = PipedReply {
            bytes: Vec::new(),
            pipe: None,
            replies,
        };
        let incoming = self.incoming(request);
        let result = serve_safely(service, incoming, &mut sink, failed, |service, outbox| {
            serve(service, incoming, outbox)
        });
        sink.send();
        result
    }

    /// A request, whose client is one of all that write into the pipe.
    fn incoming<'a>(&'a self, bytes: &'a [u8]) -> Incoming<'a> {
        const SOMEBODY: &Peer = &Peer::Local(None);
        Incoming {
            listener: &self.endpoint,
            peer: SOMEBODY,
            bytes,
        }
    }

    /// Drops a request whose end does not come, because the next one would be taken for
    /// it.
    pub(crate) fn check_time(
        &mut self,
        now: Instant,
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
    ) {
        let Some(since) = self.incomplete_since else {
            return;
        };
        let passed = |since| now.saturating_duration_since(since);
        let reason = if passed(since) >= limits::HALF_REQUEST {
            let seconds = limits::HALF_REQUEST.as_secs();
            format!("it is incomplete for {seconds} seconds")
        } else if passed(self.heard) >= limits::WRITER_GONE && !self.ends.have_other_writers() {
            "it is incomplete, and nobody has the pipe open to write the rest".to_owned()
        } else {
            return;
        };
        let request = std::mem::take(&mut self.input);
        self.refuse(&request, &reason, service, replies);
        self.drop_request();
    }

    fn drop_request(&mut self) {
        self.input = Input::default();
        self.incomplete_since = None;
        self.scan = ScanState::default();
        self.skips = false;
    }
}

/// The reply to one request.
struct PipedReply<'a> {
    bytes: Vec<u8>,
    pipe: Option<PathBuf>,
    replies: &'a mut ReplyPipes,
}

impl PipedReply<'_> {
    /// Sends the reply, and returns the pipe through which it went, if it has one.
    fn send(&mut self) -> Option<PathBuf> {
        let bytes = std::mem::take(&mut self.bytes);
        let pipe = self.pipe.take().filter(|_| !bytes.is_empty())?;
        self.replies.send(pipe.clone(), bytes);
        Some(pipe)
    }
}

impl Sink for PipedReply<'_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    fn flush(&mut self) {
        if let Some(pipe) = self.send() {
            self.replies.flush(&pipe);
        }
    }

    fn send_through(&mut self, pipe: PathBuf) {
        self.pipe = Some(pipe);
    }

    fn pipe(&self) -> Option<&Path> {
        self.pipe.as_deref()
    }
}
