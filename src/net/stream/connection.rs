//! A stream connection: what the client has sent so far, and what is queued for it.

mod closing;

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use kamailio_core::log_limited;
use rpc_wire::ScanState;
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use super::queue::{Queue, Replies};
use super::registry::{Entry, OpenConnection};
use crate::context::{HandlerContext, TimeSlice};
use crate::input::{Input, NoMemory};
use crate::limits;
use crate::listen::Endpoint;
use crate::outbox::Outbox;
use crate::peer::Peer;
use crate::service::{Incoming, Service, Step, serve_safely};

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    Close,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Requests are read and answered.
    Open,
    /// The client has sent everything. What is queued is still sent.
    Finished,
    /// The client is not understood any more. What is queued is still sent.
    Refused,
    /// The client has its last reply. What it still sends is read and dropped for a
    /// moment, because the system would take the reply back from a connection that is
    /// closed with unread bytes.
    Draining(Instant),
}

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: OwnedFd,
    listener: Arc<Endpoint>,
    peer: Peer,
    /// A request that is not complete, or requests that wait until the client has taken
    /// its replies.
    input: Input,
    /// The time since which a request is incomplete.
    incomplete_since: Option<Instant>,
    /// How far the service has scanned that request.
    scan: ScanState,
    queue: Queue,
    /// The time since which the client takes nothing.
    stalled_since: Option<Instant>,
    phase: Phase,
    _entry: Entry,
}

impl Connection {
    pub(crate) fn new(socket: OwnedFd, listener: Arc<Endpoint>, peer: Peer) -> Self {
        let entry = Entry::new(OpenConnection {
            listener: Arc::clone(&listener),
            peer: peer.clone(),
        });
        Connection {
            socket,
            listener,
            peer,
            input: Input::default(),
            incomplete_since: None,
            scan: ScanState::default(),
            queue: Queue::default(),
            stalled_since: None,
            phase: Phase::Open,
            _entry: entry,
        }
    }

    /// The bytes that are queued for the client.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queue.len()
    }

    /// The endpoint at which it came in.
    pub(crate) fn listener(&self) -> &Arc<Endpoint> {
        &self.listener
    }

    /// Whether the client asks for nothing and takes everything that it gets.
    pub(crate) fn is_idle(&self) -> bool {
        self.phase == Phase::Open && self.input.is_empty() && self.queued_bytes() == 0
    }

    /// The memory, in bytes, of the requests that are not answered yet.
    pub(crate) fn request_memory(&self) -> usize {
        self.input.memory()
    }

    /// Whether a request waits for more bytes from the client.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.incomplete_since.is_some()
    }

    /// The events that matter now.
    pub(crate) fn interest(&self) -> EventFlags {
        let mut flags = EventFlags::empty();
        let reads = matches!(self.phase, Phase::Open | Phase::Draining(_));
        if reads && !self.is_paused() && !self.has_complete_requests() {
            flags |= EventFlags::IN;
        }
        if self.queued_bytes() > 0 {
            flags |= EventFlags::OUT;
        }
        flags
    }

    /// Whether it has a time limit now.
    pub(crate) fn has_deadline(&self) -> bool {
        self.incomplete_since.is_some()
            || self.stalled_since.is_some()
            || matches!(self.phase, Phase::Draining(_))
    }

    /// Whether it has work for its next turn without waiting for an event.
    pub(crate) fn is_runnable(&self) -> bool {
        self.has_complete_requests() && !self.is_paused()
    }

    /// Whether requests wait for the connection's next turn, or for the client to take
    /// its replies.
    fn has_complete_requests(&self) -> bool {
        self.phase == Phase::Open && !self.input.is_empty() && self.incomplete_since.is_none()
    }

    /// Whether the client must take some replies before it may ask again.
    fn is_paused(&self) -> bool {
        self.queued_bytes() > limits::QUEUE_BEFORE_PAUSE
    }

    /// Reads, answers and writes, each as far as it goes without waiting. If it is not
    /// the connection's turn, it only writes.
    pub(crate) fn work(
        &mut self,
        events: EventFlags,
        slice: Option<TimeSlice>,
        context: &mut HandlerContext<'_>,
    ) -> Fate {
        self.queue.borrow(&mut context.output);
        let mut fate = self.write();
        if let Some(slice) = slice.filter(|_| fate == Fate::Keep) {
            fate = self.read_and_answer(events, slice, context);
        }
        self.queue.give_back(&mut context.output);
        if fate == Fate::Keep && self.queued_bytes() == 0 {
            return self.all_sent();
        }
        fate
    }

    fn read_and_answer(
        &mut self,
        events: EventFlags,
        slice: TimeSlice,
        context: &mut HandlerContext<'_>,
    ) -> Fate {
        let readable = EventFlags::IN | EventFlags::HUP | EventFlags::ERR;
        if events.intersects(readable)
            && !self.is_paused()
            && !self.has_complete_requests()
            && self.read(slice, context) == Fate::Close
        {
            return Fate::Close;
        }
        // Replies are written together, and each write may make room for the requests
        // that wait behind them.
        loop {
            if self.write() == Fate::Close {
                return Fate::Close;
            }
            if !self.is_runnable() || slice.is_over() {
                return Fate::Keep;
            }
            self.answer_kept(slice, context.service);
        }
    }

    fn all_sent(&mut self) -> Fate {
        match self.phase {
            Phase::Open | Phase::Draining(_) => Fate::Keep,
            Phase::Finished => Fate::Close,
            Phase::Refused => {
                self.phase = Phase::Draining(Instant::now());
                match shutdown(&self.socket, Shutdown::Write) {
                    Ok(()) => Fate::Keep,
                    Err(_) => Fate::Close,
                }
            }
        }
    }

    fn read(&mut self, slice: TimeSlice, context: &mut HandlerContext<'_>) -> Fate {
        if matches!(self.phase, Phase::Finished | Phase::Refused) {
            return Fate::Keep;
        }
        let mut input = std::mem::take(&mut context.input);
        let fate = match recv(
            &self.socket,
            &mut input[..limits::READ_AT_ONCE],
            RecvFlags::empty(),
        ) {
            Ok((0, _)) => self.end_of_input(context.service),
            Ok(_) if self.phase != Phase::Open => Fate::Keep,
            Ok((count, _)) => {
                self.feed(&input[..count], slice, context.service);
                Fate::Keep
            }
            Err(Errno::AGAIN | Errno::INTR) => Fate::Keep,
            Err(_) => Fate::Close,
        };
        context.input = input;
        fate
    }

    /// Handles the end of what the client sends. The client may still read.
    fn end_of_input(&mut self, service: &mut dyn Service) -> Fate {
        if self.phase != Phase::Open {
            return Fate::Close;
        }
        if self.incomplete_since.is_some() {
            log_limited!(
                Warning,
                "{} on {} went away in the middle of a request",
                self.peer,
                self.listener
            );
            self.incomplete_since = None;
            self.answer_rest(service);
        }
        self.phase = Phase::Finished;
        Fate::Keep
    }

    /// Answers the requests that `bytes` completes, and keeps the rest.
    fn feed(&mut self, bytes: &[u8], slice: TimeSlice, service: &mut dyn Service) {
        let kept = if self.input.is_empty() {
            let used = self.answer(bytes, slice, service);
            self.input.append(&bytes[used..])
        } else {
            let kept = self.input.append(bytes);
            if kept.is_ok() {
                self.answer_kept(slice, service);
            }
            kept
        };
        if let Err(NoMemory) = kept {
            self.refuse_request(&NoMemory.to_string(), service);
        }
    }

    fn answer_kept(&mut self, slice: TimeSlice, service: &mut dyn Service) {
        let mut input = std::mem::take(&mut self.input);
        let used = self.answer(&input, slice, service);
        input.forget(used);
        self.input = input;
    }

    /// Answers complete requests as long as the client may ask, and returns how many
    /// bytes they had.
    fn answer(&mut self, bytes: &[u8], slice: TimeSlice, service: &mut dyn Service) -> usize {
        let mut used = 0;
        let mut is_complete = true;
        while used < bytes.len() && self.phase == Phase::Open && !self.is_paused() {
            match self.answer_first(&bytes[used..], service) {
                Step::Done(count @ 1..) => {
                    used += count;
                    self.scan = ScanState::default();
                    if used < bytes.len() && slice.is_over() {
                        break;
                    }
                }
                Step::Done(0) | Step::More => {
                    is_complete = false;
                    break;
                }
                Step::Close => self.phase = Phase::Refused,
            }
        }
        if self.phase == Phase::Refused {
            used = bytes.len();
        }
        self.note_incomplete(!is_complete, used > 0);
        if !is_complete && bytes.len() - used > limits::REQUEST {
            let reason = format!("a request has more than {} bytes", limits::REQUEST);
            self.refuse(&bytes[used..], &reason, service);
            used = bytes.len();
        }
        used
    }

    /// Gives up the requests that are not answered yet, and tells the client why.
    pub(crate) fn refuse_request(&mut self, reason: &str, service: &mut dyn Service) {
        let input = std::mem::take(&mut self.input);
        self.refuse(&input, reason, service);
    }

    fn refuse(&mut self, input: &[u8], reason: &str, service: &mut dyn Service) {
        log_limited!(
            Warning,
            "{} on {} is closed: {reason}",
            self.peer,
            self.listener
        );
        self.phase = Phase::Refused;
        self.incomplete_since = None;
        self.reply(input, service, (), |service, incoming, outbox| {
            service.serve_refusal(incoming, reason, outbox);
        });
    }

    fn answer_first(&mut self, bytes: &[u8], service: &mut dyn Service) -> Step {
        let mut scan = self.scan;
        let step = self.reply(bytes, service, Step::Close, |service, incoming, outbox| {
            service.serve(incoming, &mut scan, outbox)
        });
        self.scan = scan;
        step
    }

    fn answer_rest(&mut self, service: &mut dyn Service) {
        let input = std::mem::take(&mut self.input);
        self.reply(&input, service, (), |service, incoming, outbox| {
            service.serve_rest(incoming, outbox);
        });
    }

    /// Lets `serve` write to the client. If our own code fails there, the result is
    /// `failed`.
    fn reply<R>(
        &mut self,
        bytes: &[u8],
        service: &mut dyn Service,
        failed: R,
        serve: impl FnOnce(&mut dyn Service, Incoming<'_>, &mut Outbox<'_>) -> R,
    ) -> R {
        let incoming = Incoming {
            listener: &self.listener,
            peer: &self.peer,
            bytes,
        };
        let mut sink = Replies {
            queue: &mut self.queue,
            socket: self.socket.as_fd(),
            peer: &self.peer,
            listener: &self.listener,
        };
        serve_safely(service, incoming, &mut sink, failed, |service, outbox| {
            serve(service, incoming, outbox)
        })
    }

    /// Notes whether a request is incomplete. Its time limit starts with its first
    /// byte.
    fn note_incomplete(&mut self, incomplete: bool, is_new: bool) {
        if !incomplete {
            self.incomplete_since = None;
        } else if is_new || self.incomplete_since.is_none() {
            self.incomplete_since = Some(Instant::now());
        }
    }

    fn write(&mut self) -> Fate {
        if self.queued_bytes() == 0 {
            return Fate::Keep;
        }
        let Ok(written) = self.queue.write(self.socket.as_fd()) else {
            return Fate::Close;
        };
        if self.queued_bytes() == 0 {
            self.stalled_since = None;
        } else if written > 0 || self.stalled_since.is_none() {
            self.stalled_since = Some(Instant::now());
        }
        Fate::Keep
    }
}
