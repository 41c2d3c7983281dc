//! The life of a handler process: wait, and work on what is ready.

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

use crate::connections::Connections;
use crate::datagram::DatagramSocket;
use crate::leftover::Leftover;
use crate::limits;
use crate::listener::{Bound, Listener, Listeners};
use crate::pipe::Pipe;
use crate::poller::{Events, Poller, Source};
use crate::registry;
use crate::remake::Remaker;
use crate::reply_pipe::ReplyPipes;
use crate::service::Service;
use crate::slab::Key;
use crate::workshop::Workshop;

/// How often time limits are looked at while any connection has one running.
const TICK: Duration = Duration::from_secs(1);

/// Serves clients for ever. To be called in a process that
/// [`process::fork_handler`] made: the poller must not be shared by a fork.
/// `are_shared` tells that other processes serve the same places.
///
/// # Errors
/// The system offers no poller, which leaves nothing to do.
pub(crate) fn serve(
    listeners: Listeners,
    are_shared: bool,
    service: &mut dyn Service,
) -> Result<Infallible, Error> {
    let cannot_wait = |error| Error::new(format!("cannot wait for events: {error}"));
    let mut handler = Handler::new(listeners, are_shared).map_err(cannot_wait)?;
    let mut shop = Workshop::new(service);
    let mut events = Events::new();
    loop {
        if wake::is_due() {
            handler.remake_files();
        }
        let patience = handler.patience();
        if patience.is_some() || !handler.wait_at_only_entrance(&mut shop) {
            handler
                .poller
                .wait(patience, &mut events)
                .map_err(cannot_wait)?;
            for (source, flags) in events.iter() {
                process::update_config();
                handler.work_on_event(source, flags, &mut shop);
            }
        }
        // Only one, for whoever comes now with a small request does not stand in
        // line.
        if let Some(source) = handler.line.pop_front() {
            process::update_config();
            handler.work_in_turn(source, &mut shop);
        }
        handler.check_times(&mut shop);
    }
}

/// Where requests come in.
struct Entrance {
    kind: Kind,
    /// Whether it stands in line for its next turn.
    in_line: bool,
}

enum Kind {
    Stream(Listener),
    Datagram(DatagramSocket),
    Pipe(Pipe),
}

impl Entrance {
    fn new(listener: Listener, is_shared: bool) -> Self {
        let kind = match listener.bound.listen.transport {
            Transport::UnixStream | Transport::Tcp => Kind::Stream(listener),
            Transport::UnixDatagram | Transport::Udp => Kind::Datagram(DatagramSocket::new(
                listener.file,
                listener.bound,
                is_shared,
            )),
            Transport::Fifo => Kind::Pipe(Pipe::new(listener.file, listener.bound)),
        };
        Entrance {
            kind,
            in_line: false,
        }
    }

    fn bound(&self) -> &Arc<Bound> {
        match &self.kind {
            Kind::Stream(listener) => &listener.bound,
            Kind::Datagram(socket) => socket.bound(),
            Kind::Pipe(pipe) => pipe.bound(),
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
    entrances: Vec<Entrance>,
    /// Whether other processes serve the same places.
    are_shared: bool,
    remaker: Option<Remaker>,
    reply_pipes: ReplyPipes,
    connections: Connections,
    /// Who has requests left after its turn, each of them once.
    line: VecDeque<Source>,
    /// When replies are tried again that no event will tell about.
    next_retry: Option<Instant>,
    /// Whether a time limit may be running.
    timed: bool,
    last_check: Instant,
    leftover: Leftover,
    /// Listeners that rest, and until when.
    resting: Vec<(usize, Instant)>,
}

impl Handler {
    fn new(listeners: Listeners, are_shared: bool) -> rustix::io::Result<Self> {
        registry::start();
        let entrances = listeners.list.into_iter();
        let entrances = entrances.map(|listener| Entrance::new(listener, are_shared));
        let handler = Handler {
            poller: Poller::new()?,
            entrances: entrances.collect(),
            are_shared,
            remaker: listeners.remaker,
            reply_pipes: ReplyPipes::default(),
            connections: Connections::new(),
            line: VecDeque::new(),
            next_retry: None,
            timed: false,
            last_check: Instant::now(),
            leftover: Leftover::default(),
            resting: Vec::new(),
        };
        for index in 0..handler.entrances.len() {
            handler.watch_entrance(index)?;
        }
        if let Some(remaker) = &handler.remaker {
            remaker.start();
        }
        Ok(handler)
    }

    fn watch_entrance(&self, index: usize) -> rustix::io::Result<()> {
        let descriptor = self.entrances[index].descriptor();
        let source = Source::Entrance(index);
        self.poller.add(descriptor, source, EventFlags::IN)
    }

    /// Makes the sockets and pipes again that somebody has deleted.
    fn remake_files(&mut self) {
        if let Some(remaker) = &self.remaker {
            remaker.drain();
        }
        for index in 0..self.entrances.len() {
            let bound = Arc::clone(self.entrances[index].bound());
            let made = self
                .remaker
                .as_ref()
                .and_then(|remaker| remaker.remake(index, &bound));
            if let Some(file) = made {
                self.replace_entrance(index, Listener { file, bound });
            }
        }
    }

    fn replace_entrance(&mut self, index: usize, listener: Listener) {
        // Who has come in time is served.
        self.accept_all(index);
        let _ = self.poller.remove(self.entrances[index].descriptor());
        let in_line = self.entrances[index].in_line;
        let made = Entrance::new(listener, self.are_shared);
        self.entrances[index] = Entrance { in_line, ..made };
        match self.watch_entrance(index) {
            Ok(()) => {}
            Err(error) => log_limited!(Error, "cannot listen again: {error}"),
        }
    }

    /// How long to wait if nothing happens.
    fn patience(&self) -> Option<Duration> {
        if !self.line.is_empty() {
            Some(Duration::ZERO)
        } else if self.next_retry.is_some() {
            Some(limits::RETRY)
        } else if !self.resting.is_empty() {
            Some(limits::REST)
        } else {
            self.timed.then_some(TICK)
        }
    }

    /// Where all there is to wait for is one socket for datagrams or one pipe,
    /// reading from it waits just as well, and is a system call less for each
    /// request. Returns whether it has waited; the poller does in any case.
    fn wait_at_only_entrance(&mut self, shop: &mut Workshop<'_>) -> bool {
        let [entrance] = self.entrances.as_mut_slice() else {
            return false;
        };
        let waited = match &mut entrance.kind {
            Kind::Stream(_) => return false,
            Kind::Datagram(socket) => socket.wait_and_work(shop),
            Kind::Pipe(pipe) => pipe.wait_and_work(shop, &mut self.reply_pipes),
        };
        if waited.is_err() {
            return false;
        }
        if self.joins_line(0) {
            self.line.push_back(Source::Entrance(0));
        }
        true
    }

    fn work_on_event(&mut self, source: Source, flags: EventFlags, shop: &mut Workshop<'_>) {
        let joins = match source {
            // Who stands in line is not served before its turn.
            Source::Entrance(index) => !self.entrances[index].in_line && self.work_at(index, shop),
            Source::Connection(key) => {
                let joins = self
                    .connections
                    .work_on_event(key, flags, &self.poller, shop);
                self.note_time_of(key);
                joins
            }
        };
        if joins {
            self.line.push_back(source);
        }
    }

    fn work_in_turn(&mut self, source: Source, shop: &mut Workshop<'_>) {
        let joins = match source {
            Source::Entrance(index) => {
                self.entrances[index].in_line = false;
                self.work_at(index, shop)
            }
            Source::Connection(key) => {
                let joins = self.connections.work_in_turn(key, &self.poller, shop);
                self.note_time_of(key);
                joins
            }
        };
        if joins {
            self.line.push_back(source);
        }
    }

    /// After a connection has worked: whether there is something to be done in a
    /// moment.
    fn note_time_of(&mut self, key: Key) {
        self.timed |= self.connections.is_waiting(key);
        self.timed |= self.leftover.note(self.connections.memory());
    }

    /// Returns whether the entrance stands in line from now on.
    fn work_at(&mut self, index: usize, shop: &mut Workshop<'_>) -> bool {
        match &mut self.entrances[index].kind {
            Kind::Stream(_) => self.accept_all(index),
            Kind::Datagram(socket) => socket.work(shop),
            Kind::Pipe(pipe) => {
                pipe.work(shop, &mut self.reply_pipes);
                if !pipe.is_open() {
                    self.rest(index);
                }
            }
        }
        self.joins_line(index)
    }

    /// After an entrance has worked: whether it stands in line from now on.
    fn joins_line(&mut self, index: usize) -> bool {
        let entrance = &mut self.entrances[index];
        let (joins, is_timed) = match &entrance.kind {
            Kind::Stream(_) => (false, false),
            Kind::Datagram(socket) => (socket.wants_a_turn(), false),
            Kind::Pipe(pipe) => (pipe.wants_a_turn(), pipe.is_waiting()),
        };
        entrance.in_line = joins;
        self.timed |= is_timed;
        joins
    }

    fn accept_all(&mut self, index: usize) {
        /// Others wait too.
        const AT_ONCE: usize = 64;
        let Kind::Stream(listener) = &self.entrances[index].kind else {
            return;
        };
        for _ in 0..AT_ONCE {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match accept_with(&listener.file, flags) {
                Ok(socket) => self
                    .connections
                    .admit(&listener.bound, socket, &self.poller),
                Err(Errno::AGAIN) => return,
                // A client that is gone again is no fault of the listener.
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(error) => {
                    log_limited!(
                        Error,
                        "cannot accept a connection on {}: {error}",
                        listener.bound
                    );
                    return self.rest(index);
                }
            }
        }
    }

    /// Leaves new connections waiting for a moment; trying on would be a loop
    /// without end.
    fn rest(&mut self, index: usize) {
        let _ = self.poller.remove(self.entrances[index].descriptor());
        // One that could not be left out is here more often.
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
            match self.watch_entrance(index) {
                // It could not be left out, and did not rest.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => {
                    log_limited!(Error, "cannot listen again: {error}");
                    self.resting.push((index, now + limits::REST));
                }
            }
        }
    }

    fn check_times(&mut self, shop: &mut Workshop<'_>) {
        let held = self.holds_replies();
        if !held && self.next_retry.is_none() && !self.timed && self.resting.is_empty() {
            return;
        }
        let now = Instant::now();
        self.retry(held, now);
        self.wake_rested(now);
        if now.duration_since(self.last_check) >= TICK {
            self.last_check = now;
            self.close_late(now, shop);
        }
    }

    /// Whether any replies are to be tried again.
    fn holds_replies(&self) -> bool {
        self.reply_pipes.holds()
            || self
                .entrances
                .iter()
                .any(|entrance| matches!(&entrance.kind, Kind::Datagram(socket) if socket.holds()))
    }

    /// Tries again what waits, every now and then.
    fn retry(&mut self, held: bool, now: Instant) {
        if held && self.next_retry.is_some_and(|next| now >= next) {
            self.reply_pipes.retry(now);
            for entrance in &mut self.entrances {
                if let Kind::Datagram(socket) = &mut entrance.kind {
                    socket.retry(now);
                }
            }
            self.next_retry = None;
        }
        let next = || now + limits::RETRY;
        self.next_retry = held.then(|| *self.next_retry.get_or_insert_with(next));
    }

    fn close_late(&mut self, now: Instant, shop: &mut Workshop<'_>) {
        self.timed = self.connections.check_times(now);
        self.leftover.give_back(self.connections.memory());
        for entrance in &mut self.entrances {
            if let Kind::Pipe(pipe) = &mut entrance.kind {
                pipe.check_time(now, shop.service, &mut self.reply_pipes);
                self.timed |= pipe.is_waiting();
            }
        }
    }
}
