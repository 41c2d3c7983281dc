//! Named pipes that requests come in through. All clients write into one pipe,
//! so there is nobody to close, and nobody to tell but the log.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use kamailio_core::datagrams::Patience;
use kamailio_core::{log_limited, process};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::{Errno, read};

use crate::input::Input;
use crate::limits;
use crate::listener::Bound;
use crate::outbox::Sink;
use crate::registry::Peer;
use crate::reply_pipe::ReplyPipes;
use crate::service::{Incoming, Looked, Service, Step, serve_safely};
use crate::turn::Turn;
use crate::workshop::Workshop;

/// A named pipe of ours.
#[derive(Debug)]
pub(crate) struct Pipe {
    file: OwnedFd,
    /// The same pipe, where a read waits. None if it could not be opened once
    /// more, as by a process that may not read from a pipe of another user.
    patient: Option<OwnedFd>,
    bound: Arc<Bound>,
    /// A request that is not complete.
    input: Input,
    incomplete_since: Option<Instant>,
    /// How far the service has looked into that.
    looked: Looked,
    /// Whether that was too long: what is there of it is dropped, and so is what
    /// comes up to its end. Read as something new it could keep everybody waiting.
    skips: bool,
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Pipe {
    pub(crate) fn new(file: OwnedFd, bound: Arc<Bound>) -> Self {
        Pipe {
            patient: opened_again(&file).ok(),
            file,
            bound,
            input: Input::default(),
            incomplete_since: None,
            looked: Looked::default(),
            skips: false,
        }
    }

    /// Whether it wants another turn without waiting for an event.
    pub(crate) fn wants_a_turn(&self) -> bool {
        !self.input.is_empty() && self.incomplete_since.is_none()
    }

    /// Whether time can run out for a request.
    pub(crate) fn is_waiting(&self) -> bool {
        self.incomplete_since.is_some()
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
            Patience::None => &self.file,
            Patience::Endless => self.patient.as_ref().ok_or(Errno::BADF)?,
        };
        match read(file, &mut shop.input[..limits::READ_AT_ONCE]) {
            Ok(count) => {
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
                    incomplete = true;
                    break;
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
        let mut sink = Reply {
            bytes: Vec::new(),
            pipe: None,
            replies,
        };
        let (bound, looked) = (&self.bound, &mut self.looked);
        let incoming = Incoming {
            from: bound,
            input: bytes,
        };
        let step = serve_safely(
            service,
            incoming,
            &mut sink,
            Step::Close,
            |service, outbox| service.serve(bound, &Peer::Local(None), bytes, looked, outbox),
        );
        sink.send();
        step
    }

    /// Drops a request whose end does not come; the next one would be taken
    /// for it.
    pub(crate) fn check_time(&mut self, now: Instant) {
        let late = |since| now.saturating_duration_since(since) >= limits::HALF_REQUEST;
        if self.incomplete_since.is_some_and(late) {
            log_limited!(
                Warning,
                "a request on {} is incomplete for {} seconds and is dropped",
                self.bound,
                limits::HALF_REQUEST.as_secs()
            );
            self.drop_request();
        }
    }

    fn drop_request(&mut self) {
        self.input = Input::default();
        self.incomplete_since = None;
        self.looked = Looked::default();
        self.skips = false;
    }
}

/// A way of its own into the same pipe, whose reads wait.
fn opened_again(pipe: &OwnedFd) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
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
