//! The loop of a handler process, which waits, and works on what is ready.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kamailio_core::{Error, log_limited, process, wake};
use rpc_wire::listen::Transport;
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};

use crate::context::HandlerContext;
use crate::datagram::DatagramSocket;
use crate::leftover::Leftover;
use crate::limits;
use crate::listen::{Endpoint, Listener, Listeners, Remaker};
use crate::pipe::{ReplyPipes, RequestPipe};
use crate::poller::{ConnectionKey, Events, Poller, Source};
use crate::service::Service;
use crate::stream::{Connections, start_registry};

/// The interval at which time limits are checked while any connection has one.
const TICK: Duration = Duration::from_secs(1);

/// Serves clients for ever. It must run in a process that [`process::fork_handler`]
/// made, because a fork must not share the poller. `are_shared` tells that other
/// processes serve the same endpoints.
///
/// # Errors
/// The system provides no poller, without which nothing can be done.
pub(crate) fn serve(
    listeners: Listeners,
    are_shared: bool,
    service: &mut dyn Service,
) -> Result<Infallible, Error> {
    let cannot_wait = |error| Error::new(format!("cannot wait for events: {error}"));
    let mut handler = Handler::new(listeners, are_shared).map_err(cannot_wait)?;
    let mut context = HandlerContext::new(service);
    let mut events = Events::new();
    loop {
        if wake::is_due() {
            handler.remake_files();
        }
        let patience = handler.patience();
        if patience.is_some() || !handler.wait_at_only_ingress(&mut context) {
            handler
                .poller
                .wait(patience, &mut events)
                .map_err(cannot_wait)?;
            for (source, flags) in events.iter() {
                process::update_config();
                handler.work_on_event(source, flags, &mut context);
            }
        }
        // Only one source has its turn, so that a client that comes now with a small
        // request does not wait for all of them.
        if let Some(source) = handler.run_queue.pop_front() {
            process::update_config();
            handler.work_in_turn(source, &mut context);
        }
        handler.check_times(&mut context);
    }
}

/// A socket or a pipe on which requests come in.
struct Ingress {
    kind: Kind,
    /// Whether it is in the run queue.
    is_queued: bool,
}

enum Kind {
    /// It accepts connections.
    Stream(Listener),
    Datagram(DatagramSocket),
    Pipe(RequestPipe),
}

impl Ingress {
    fn new(listener: Listener, is_shared: bool) -> Self {
        let kind = match listener.endpoint.listen.transport {
            Transport::UnixStream | Transport::Tcp => Kind::Stream(listener),
            Transport::UnixDatagram | Transport::Udp => Kind::Datagram(DatagramSocket::new(
                listener.file,
                listener.endpoint,
                is_shared,
            )),
            Transport::Fifo => Kind::Pipe(RequestPipe::new(listener.file, listener.endpoint)),
        };
        Ingress {
            kind,
            is_queued: false,
        }
    }

    fn endpoint(&self) -> &Arc<Endpoint> {
        match &self.kind {
            Kind::Stream(listener) => &listener.endpoint,
            Kind::Datagram(socket) => socket.endpoint(),
            Kind::Pipe(pipe) => pipe.endpoint(),
        }
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        match &self.kind {
            Kind::Stream(listener) => listener.file.as_fd(),
            Kind::Datagram(socket) => socket.as_fd(),
            Kind::Pipe(pipe) => pipe.as_fd(),
        }
    }
}

struct Handler {
    poller: Poller,
    ingresses: Vec<Ingress>,
    /// Whether other processes serve the same endpoints.
    are_shared: bool,
    remaker: Option<Remaker>,
    reply_pipes: ReplyPipes,
    connections: Connections,
    /// The sources that have requests left after their turn, each of them once.
    run_queue: VecDeque<Source>,
    /// The time at which replies are tried again for which no event will come.
    next_retry: Option<Instant>,
    /// Whether a time limit may be running.
    timed: bool,
    last_check: Instant,
    leftover: Leftover,
    /// The listeners that rest, and the times until which they do.
    resting: Vec<(usize, Instant)>,
}

impl Handler {
    fn new(listeners: Listeners, are_shared: bool) -> rustix::io::Result<Self> {
        start_registry();
        let ingresses = listeners.list.into_iter();
        let ingresses = ingresses.map(|listener| Ingress::new(listener, are_shared));
        let handler = Handler {
            poller: Poller::new()?,
            ingresses: ingresses.collect(),
            are_shared,
            remaker: listeners.remaker,
            reply_pipes: ReplyPipes::default(),
            connections: Connections::new(),
            run_queue: VecDeque::new(),
            next_retry: None,
            timed: false,
            last_check: Instant::now(),
            leftover: Leftover::default(),
            resting: Vec::new(),
        };
        for index in 0..handler.ingresses.len() {
            handler.watch_ingress(index)?;
        }
        if let Some(remaker) = &handler.remaker {
            remaker.start();
        }
        Ok(handler)
    }

    fn watch_ingress(&self, index: usize) -> rustix::io::Result<()> {
        let descriptor = self.ingresses[index].descriptor();
        let source = Source::Ingress(index);
        self.poller.add(descriptor, source, EventFlags::IN)
    }

    /// Recreates the sockets and pipes that somebody has deleted.
    fn remake_files(&mut self) {
        if let Some(remaker) = &self.remaker {
            remaker.drain();
        }
        for index in 0..self.ingresses.len() {
            let endpoint = Arc::clone(self.ingresses[index].endpoint());
            let made = self
                .remaker
                .as_ref()
                .and_then(|remaker| remaker.remake(index, &endpoint));
            if let Some(file) = made {
                self.replace_ingress(index, Listener { file, endpoint });
            }
        }
    }

    fn replace_ingress(&mut self, index: usize, listener: Listener) {
        // A client that has come in time is served.
        self.accept_all(index);
        let _ = self.poller.remove(self.ingresses[index].descriptor());
        let is_queued = self.ingresses[index].is_queued;
        let made = Ingress::new(listener, self.are_shared);
        self.ingresses[index] = Ingress { is_queued, ..made };
        match self.watch_ingress(index) {
            Ok(()) => {}
            Err(error) => log_limited!(Error, "cannot listen again: {error}"),
        }
    }

    /// The time to wait if nothing happens.
    fn patience(&self) -> Option<Duration> {
        if !self.run_queue.is_empty() {
            Some(Duration::ZERO)
        } else if self.next_retry.is_some() {
            Some(limits::RETRY)
        } else if !self.resting.is_empty() {
            Some(limits::REST)
        } else {
            self.timed.then_some(TICK)
        }
    }

    /// Waits by reading, if there is only one datagram socket or one pipe. That saves
    /// one system call for each request, and the poller is not needed. It returns
    /// whether it has waited; the poller waits otherwise.
    fn wait_at_only_ingress(&mut self, context: &mut HandlerContext<'_>) -> bool {
        let [ingress] = self.ingresses.as_mut_slice() else {
            return false;
        };
        let waited = match &mut ingress.kind {
            Kind::Stream(_) => return false,
            Kind::Datagram(socket) => socket.wait_and_work(context),
            Kind::Pipe(pipe) => pipe.wait_and_work(context, &mut self.reply_pipes),
        };
        if waited.is_err() {
            return false;
        }
        if self.joins_run_queue(0) {
            self.run_queue.push_back(Source::Ingress(0));
        }
        true
    }

    fn work_on_event(
        &mut self,
        source: Source,
        flags: EventFlags,
        context: &mut HandlerContext<'_>,
    ) {
        let joins = match source {
            // An ingress in the run queue is not served before its turn.
            Source::Ingress(index) => {
                !self.ingresses[index].is_queued && self.work_at(index, context)
            }
            Source::Connection(key) => {
                let joins = self
                    .connections
                    .work_on_event(key, flags, &self.poller, context);
                self.note_time_of(key);
                joins
            }
        };
        if joins {
            self.run_queue.push_back(source);
        }
    }

    fn work_in_turn(&mut self, source: Source, context: &mut HandlerContext<'_>) {
        let joins = match source {
            Source::Ingress(index) => {
                self.ingresses[index].is_queued = false;
                self.work_at(index, context)
            }
            Source::Connection(key) => {
                let joins = self.connections.work_in_turn(key, &self.poller, context);
                self.note_time_of(key);
                joins
            }
        };
        if joins {
            self.run_queue.push_back(source);
        }
    }

    /// Notes, after a connection has worked, whether something must be done later.
    fn note_time_of(&mut self, key: ConnectionKey) {
        self.timed |= self.connections.has_deadline(key);
        self.timed |= self.leftover.note(self.connections.memory());
    }

    /// Lets an ingress work, and returns whether it joins the run queue.
    fn work_at(&mut self, index: usize, context: &mut HandlerContext<'_>) -> bool {
        match &mut self.ingresses[index].kind {
            Kind::Stream(_) => self.accept_all(index),
            Kind::Datagram(socket) => socket.work(context),
            Kind::Pipe(pipe) => {
                pipe.work(context, &mut self.reply_pipes);
                if !pipe.is_open() {
                    self.rest(index);
                }
            }
        }
        self.joins_run_queue(index)
    }

    /// Whether an ingress joins the run queue after it has worked.
    fn joins_run_queue(&mut self, index: usize) -> bool {
        let ingress = &mut self.ingresses[index];
        let (joins, is_timed) = match &ingress.kind {
            Kind::Stream(_) => (false, false),
            Kind::Datagram(socket) => (socket.is_runnable(), false),
            Kind::Pipe(pipe) => (pipe.is_runnable(), pipe.has_deadline()),
        };
        ingress.is_queued = joins;
        self.timed |= is_timed;
        joins
    }

    fn accept_all(&mut self, index: usize) {
        /// The number is limited because others wait, too.
        const AT_ONCE: usize = 64;
        let Kind::Stream(listener) = &self.ingresses[index].kind else {
            return;
        };
        for _ in 0..AT_ONCE {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match accept_with(&listener.file, flags) {
                Ok(socket) => self
                    .connections
                    .admit(&listener.endpoint, socket, &self.poller),
                Err(Errno::AGAIN) => return,
                // A client that is gone again is not a fault of the listener.
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(error) => {
                    log_limited!(
                        Error,
                        "cannot accept a connection on {}: {error}",
                        listener.endpoint
                    );
                    return self.rest(index);
                }
            }
        }
    }

    /// Leaves new connections waiting for a moment, because trying on would be an
    /// endless loop.
    fn rest(&mut self, index: usize) {
        let _ = self.poller.remove(self.ingresses[index].descriptor());
        // A listener that could not be removed from the poller comes here more often.
        if self.resting.iter().all(|(resting, _)| *resting != index) {
            self.resting.push((index, Instant::now() + limits::REST));
        }
    }

    fn wake_rested(&mut self, now: Instant) {
        for (index, until) in std::mem::take(&mut self.resting) {
            if now < until {
                self.resting.push((index, until));
                continue;
            }
            match self.watch_ingress(index) {
                // The listener could not be removed, and did not rest.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => {
                    log_limited!(Error, "cannot listen again: {error}");
                    self.resting.push((index, now + limits::REST));
                }
            }
        }
    }

    fn check_times(&mut self, context: &mut HandlerContext<'_>) {
        let has_pending = self.has_pending_replies();
        if !has_pending && self.next_retry.is_none() && !self.timed && self.resting.is_empty() {
            return;
        }
        let now = Instant::now();
        self.retry(has_pending, now);
        self.wake_rested(now);
        if now.duration_since(self.last_check) >= TICK {
            self.last_check = now;
            self.close_late(now, context);
        }
    }

    /// Whether any replies have to be tried again.
    fn has_pending_replies(&self) -> bool {
        self.reply_pipes.holds()
            || self
                .ingresses
                .iter()
                .any(|ingress| matches!(&ingress.kind, Kind::Datagram(socket) if socket.has_pending_replies()))
    }

    /// Tries again what waits, from time to time.
    fn retry(&mut self, has_pending: bool, now: Instant) {
        if has_pending && self.next_retry.is_some_and(|next| now >= next) {
            self.reply_pipes.retry(now);
            for ingress in &mut self.ingresses {
                if let Kind::Datagram(socket) = &mut ingress.kind {
                    socket.retry(now);
                }
            }
            self.next_retry = None;
        }
        let next = || now + limits::RETRY;
        self.next_retry = has_pending.then(|| *self.next_retry.get_or_insert_with(next));
    }

    fn close_late(&mut self, now: Instant, context: &mut HandlerContext<'_>) {
        self.timed = self.connections.check_times(now);
        self.leftover.give_back(self.connections.memory());
        for ingress in &mut self.ingresses {
            if let Kind::Pipe(pipe) = &mut ingress.kind {
                pipe.check_time(now, context.service, &mut self.reply_pipes);
                self.timed |= pipe.has_deadline();
            }
        }
    }
}
