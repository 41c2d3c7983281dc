//! Named pipes that requests come in through. All clients write into one pipe,
//! so there is nobody to close, and nobody to tell but the log.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use kamailio_core::datagrams::Patience;
use kamailio_core::{log_limited, process};
use rustix::fs::OFlags;
use rustix::io::{Errno, read};

use crate::input::Input;
use crate::limits;
use crate::listener::Bound;
use crate::outbox::{Outbox, Sink};
use crate::pipe_ends::{Ends, opened_again};
use crate::registry::Peer;
use crate::reply_pipe::ReplyPipes;
use crate::service::{Incoming, Looked, Service, Step, serve_safely};
use crate::turn::Turn;
use crate::workshop::Workshop;

/// A named pipe of ours.
#[derive(Debug)]
pub(crate) struct Pipe {
    ends: Ends,
    /// The same pipe, where a read waits. None if it could not be opened once
    /// more, as by a process that may not read from a pipe of another user.
    patient: Option<OwnedFd>,
    bound: Arc<Bound>,
    /// A request that is not complete.
    input: Input,
    incomplete_since: Option<Instant>,
    /// When something has come last.
    heard: Instant,
    /// How far the service has looked into the incomplete request.
    looked: Looked,
    /// Whether that was too long: what is there of it is dropped, and so is what
    /// comes up to its end. Read as something new it could keep everybody waiting.
    skips: bool,
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ends.as_fd()
    }
}

impl Pipe {
    pub(crate) fn new(file: OwnedFd, bound: Arc<Bound>) -> Self {
        Pipe {
            patient: opened_again(&file, OFlags::RDONLY).ok(),
            ends: Ends::new(file),
            bound,
            input: Input::default(),
            incomplete_since: None,
            heard: Instant::now(),
            looked: Looked::default(),
            skips: false,
        }
    }

    /// Where it is.
    pub(crate) fn bound(&self) -> &Arc<Bound> {
        &self.bound
    }

    /// Whether it wants another turn without waiting for an event.
    pub(crate) fn wants_a_turn(&self) -> bool {
        !self.input.is_empty() && self.incomplete_since.is_none()
    }

    /// Whether time can run out for a request.
    pub(crate) fn is_waiting(&self) -> bool {
        self.incomplete_since.is_some()
    }

    /// Whether it can be read from. If not, that may change.
    pub(crate) fn is_open(&mut self) -> bool {
        self.ends.hold_open()
    }

    /// Answers what is left of the last turn, or reads once and answers what
    /// that completes.
    pub(crate) fn work(&mut self, shop: &mut Workshop<'_>, replies: &mut ReplyPipes) {
        let turn = Turn::start();
        if self.wants_a_turn() || self.read(Patience::None, shop).is_ok() {
            self.answer(turn, shop.service, replies);
        }
    }

    /// The same, but waits until something comes: for a process that has nothing
    /// else to do.
    ///
    /// # Errors
    /// Nobody has waited, or only until a signal came.
    pub(crate) fn wait_and_work(
        &mut self,
        shop: &mut Workshop<'_>,
        replies: &mut ReplyPipes,
    ) -> Result<(), Errno> {
        self.read(Patience::Endless, shop)?;
        process::update_config();
        self.answer(Turn::start(), shop.service, replies);
        Ok(())
    }

    fn read(&mut self, patience: Patience, shop: &mut Workshop<'_>) -> Result<(), Errno> {
        let file = match patience {
            Patience::None => self.ends.as_fd(),
            Patience::Endless => self.patient.as_ref().ok_or(Errno::BADF)?.as_fd(),
        };
        match read(file, &mut shop.input[..limits::READ_AT_ONCE]) {
            Ok(count) => {
                self.heard = Instant::now();
                if let Err(reason) = self.input.append(&shop.input[..count]) {
                    log_limited!(Warning, "a request on {} is dropped: {reason}", self.bound);
                    self.drop_request();
                }
                Ok(())
            }
            Err(error) => {
                if !matches!(error, Errno::AGAIN | Errno::INTR) {
                    log_limited!(Error, "cannot read from {}: {error}", self.bound);
                }
                Err(error)
            }
        }
    }

    fn answer(&mut self, turn: Turn, service: &mut dyn Service, replies: &mut ReplyPipes) {
        let mut input = std::mem::take(&mut self.input);
        let mut used = self.skip(&input, service);
        let mut incomplete = self.skips;
        while used < input.len() && !incomplete {
            match self.answer_first(&input[used..], service, replies) {
                Step::Done(0) | Step::More => {
                    let Some(len) = service.abandoned(&self.bound, &input[used..]) else {
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
            self.looked = Looked::default();
            if used < input.len() && turn.is_over() {
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
        input.forget(used);
        self.input = input;
    }

    /// Passes over what still belongs to a request that is too long. Returns how
    /// many bytes that is.
    fn skip(&mut self, input: &[u8], service: &mut dyn Service) -> usize {
        if !self.skips {
            return 0;
        }
        let Some(end) = service.skip(input, &mut self.looked) else {
            return std::mem::take(&mut self.looked.bytes);
        };
        self.skips = false;
        self.looked = Looked::default();
        end
    }

    /// Drops what is there of a request that is too long. Returns how many bytes
    /// that is.
    fn drop_long(&mut self, request: &[u8], service: &mut dyn Service) -> usize {
        log_limited!(
            Warning,
            "a request on {} of more than {} bytes is dropped",
            self.bound,
            limits::REQUEST
        );
        self.skips = true;
        let looked = std::mem::take(&mut self.looked.bytes).min(request.len());
        looked + self.skip(&request[looked..], service)
    }

    fn answer_first(
        &mut self,
        bytes: &[u8],
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
    ) -> Step {
        let mut looked = self.looked;
        let step = self.reply(
            bytes,
            service,
            replies,
            Step::Close,
            |service, from, outbox| {
                service.serve(from, &Peer::Local(None), bytes, &mut looked, outbox)
            },
        );
        self.looked = looked;
        step
    }

    /// Tells who has sent the start of a request that its end does not come, if it
    /// can be known who that is.
    fn refuse(
        &mut self,
        request: &[u8],
        reason: &str,
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
    ) {
        log_limited!(Warning, "a request on {} is dropped: {reason}", self.bound);
        self.reply(request, service, replies, (), |service, from, outbox| {
            service.serve_rest(from, &Peer::Local(None), request, outbox);
        });
    }

    /// Lets `serve` answer a request. If our own code fails there, the result is
    /// `failed`.
    fn reply<R>(
        &self,
        request: &[u8],
        service: &mut dyn Service,
        replies: &mut ReplyPipes,
        failed: R,
        serve: impl FnOnce(&mut dyn Service, &Bound, &mut Outbox<'_>) -> R,
    ) -> R {
        let mut sink = Reply {
            bytes: Vec::new(),
            pipe: None,
            replies,
        };
        let from = &*self.bound;
        let incoming = Incoming {
            from,
            input: request,
        };
        let result = serve_safely(service, incoming, &mut sink, failed, |service, outbox| {
            serve(service, from, outbox)
        });
        sink.send();
        result
    }

    /// Drops a request whose end does not come; the next one would be taken
    /// for it.
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
        self.looked = Looked::default();
        self.skips = false;
    }
}

/// The reply to one request.
struct Reply<'a> {
    bytes: Vec<u8>,
    pipe: Option<PathBuf>,
    replies: &'a mut ReplyPipes,
}

impl Reply<'_> {
    /// Returns where the reply went, if it has a pipe.
    fn send(&mut self) -> Option<PathBuf> {
        let bytes = std::mem::take(&mut self.bytes);
        let pipe = self.pipe.take().filter(|_| !bytes.is_empty())?;
        self.replies.send(pipe.clone(), bytes);
        Some(pipe)
    }
}

impl Sink for Reply<'_> {
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
