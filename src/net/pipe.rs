//! Named pipes that requests come in through. All clients write into one pipe,
//! so there is nobody to close, and nobody to tell but the log.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Buf, BytesMut};
use kamailio_core::{log_limited, panic};
use rustix::io::{Errno, read};

use crate::connection::Workshop;
use crate::limits;
use crate::listener::Bound;
use crate::outbox::{Outbox, Sink};
use crate::registry::Peer;
use crate::reply_pipe::ReplyPipes;
use crate::service::{Looked, Step};

/// A named pipe of ours.
#[derive(Debug)]
pub(crate) struct Pipe {
    file: OwnedFd,
    bound: Arc<Bound>,
    /// A request that is not complete.
    input: BytesMut,
    incomplete_since: Option<Instant>,
    /// How far the service has looked into that.
    looked: Looked,
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Pipe {
    pub(crate) fn new(file: OwnedFd, bound: Arc<Bound>) -> Self {
        Pipe {
            file,
            bound,
            input: BytesMut::new(),
            incomplete_since: None,
            looked: Looked::default(),
        }
    }

    /// Whether time can run out for a request.
    pub(crate) fn is_waiting(&self) -> bool {
        self.incomplete_since.is_some()
    }

    /// Reads once and answers what that completes.
    pub(crate) fn work(&mut self, shop: &mut Workshop<'_>, replies: &mut ReplyPipes) {
        let mut input = std::mem::take(&mut shop.input);
        match read(&self.file, &mut input[..]) {
            Ok(count) => {
                self.input.extend_from_slice(&input[..count]);
                shop.input = input;
                self.answer(shop, replies);
                return;
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => log_limited!(Error, "cannot read from {}: {error}", self.bound),
        }
        shop.input = input;
    }

    fn answer(&mut self, shop: &mut Workshop<'_>, replies: &mut ReplyPipes) {
        let input = std::mem::take(&mut self.input);
        let mut used = 0;
        let mut incomplete = false;
        while used < input.len() {
            match self.answer_first(&input[used..], shop, replies) {
                Step::Done(0) | Step::More => {
                    incomplete = true;
                    break;
                }
                Step::Done(count) => used += count,
                Step::Close => used = input.len(),
            }
            self.looked = Looked::default();
        }
        if incomplete && input.len() - used > limits::REQUEST {
            log_limited!(
                Warning,
                "a request on {} of more than {} bytes is dropped",
                self.bound,
                limits::REQUEST
            );
            incomplete = false;
            used = input.len();
            self.looked = Looked::default();
        }
        self.incomplete_since = match (incomplete, self.incomplete_since) {
            (false, _) => None,
            (true, Some(since)) if used == 0 => Some(since),
            (true, _) => Some(Instant::now()),
        };
        // With nothing left the memory goes too.
        if used < input.len() {
            self.input = input;
            self.input.advance(used);
        }
    }

    fn answer_first(
        &mut self,
        bytes: &[u8],
        shop: &mut Workshop<'_>,
        replies: &mut ReplyPipes,
    ) -> Step {
        let mut sink = Reply {
            bytes: Vec::new(),
            pipe: None,
            replies,
        };
        let (bound, looked) = (&self.bound, &mut self.looked);
        let step = panic::stop(Step::Close, || {
            let outbox = &mut Outbox::new(&mut sink);
            shop.service
                .serve_on(bound, &Peer::Local(None), bytes, looked, outbox)
        });
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
            self.input = BytesMut::new();
            self.incomplete_since = None;
            self.looked = Looked::default();
        }
    }
}

/// The reply to one request.
struct Reply<'a> {
    bytes: Vec<u8>,
    pipe: Option<PathBuf>,
    replies: &'a mut ReplyPipes,
}

impl Reply<'_> {
    fn send(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if let Some(pipe) = self.pipe.take().filter(|_| !bytes.is_empty()) {
            self.replies.send(pipe, bytes);
        }
    }
}

impl Sink for Reply<'_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    fn flush(&mut self) {
        self.send();
        self.replies.flush();
    }

    fn send_through(&mut self, pipe: PathBuf) {
        self.pipe = Some(pipe);
    }
}
