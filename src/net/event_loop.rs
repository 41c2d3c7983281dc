//! The life of a handler process: wait, and work on what is ready.

use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kamailio_core::{Error, log, log_limited, process};
use rpc_wire::listen::Transport;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with, getpeername, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::connection::{Connection, Fate, Workshop};
use crate::datagram::DatagramSocket;
use crate::limits;
use crate::listener::{Bound, Listener, Listeners};
use crate::pipe::Pipe;
use crate::registry::{self, Peer};
use crate::reply_pipe::ReplyPipes;
use crate::service::Service;
use crate::slab::Slab;

/// How often time limits are looked at while any connection has one running.
const TICK: Duration = Duration::from_secs(1);

/// Events taken from the system at once.
const EVENTS: usize = 256;

/// Serves clients for ever. To be called in a process that
/// [`process::fork_handler`] made: the poller must not be shared by a fork.
///
/// # Errors
/// The system offers no poller, which leaves nothing to do.
pub(crate) fn serve(listeners: Listeners, service: &mut dyn Service) -> Result<Infallible, Error> {
    let mut handler = Handler::new(listeners)
        .map_err(|error| Error::new(format!("cannot wait for events: {error}")))?;
    let mut shop = Workshop {
        service,
        input: vec![0; limits::READ_AT_ONCE],
        output: Vec::new(),
    };
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        handler
            .wait(&mut events)
            .map_err(|error| Error::new(format!("cannot wait for events: {error}")))?;
        for event in events.drain(..) {
            process::update_config();
            handler.work(&event, &mut shop);
        }
        for key in std::mem::take(&mut handler.turns) {
            process::update_config();
            handler.work_on(key, EventFlags::empty(), &mut shop);
        }
        handler.check_times();
    }
}

/// What an event is about.
enum Source {
    Listener(usize),
    Connection(usize),
}

/// Where requests come in.
enum Entrance {
    Stream(Listener),
    Datagram(DatagramSocket),
    Pipe(Pipe),
}

impl Entrance {
    fn new(listener: Listener) -> Self {
        match listener.bound.listen.transport {
            Transport::UnixStream | Transport::Tcp => Entrance::Stream(listener),
            Transport::UnixDatagram | Transport::Udp => {
                Entrance::Datagram(DatagramSocket::new(listener.file, listener.bound))
            }
            Transport::Fifo => Entrance::Pipe(Pipe::new(listener.file, listener.bound)),
        }
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Entrance::Stream(listener) => listener.file.as_fd(),
            Entrance::Datagram(socket) => socket.as_fd(),
            Entrance::Pipe(pipe) => pipe.as_fd(),
        }
    }
}

impl Source {
    const LISTENER: u64 = 1 << 63;

    fn data(&self) -> EventData {
        EventData::new_u64(match self {
            Source::Listener(index) => *index as u64 | Self::LISTENER,
            Source::Connection(key) => *key as u64,
        })
    }

    fn of(event: &Event) -> Self {
        let event_data = event.data;
        let data = event_data.u64();
        if data & Self::LISTENER != 0 {
            Source::Listener((data & !Self::LISTENER) as usize)
        } else {
            Source::Connection(data as usize)
        }
    }
}

struct Handler {
    poller: OwnedFd,
    entrances: Vec<Entrance>,
    reply_pipes: ReplyPipes,
    connections: Slab<Connection>,
    /// What each connection is watched for, by its key.
    watched: Vec<EventFlags>,
    limit: usize,
    /// Connections that have requests left after their turn.
    turns: Vec<usize>,
    /// Bytes that wait for all connections.
    queued: usize,
    /// Whether a time limit may be running.
    timed: bool,
    last_check: Instant,
    /// Listeners that rest, and until when.
    resting: Vec<(usize, Instant)>,
}

impl Handler {
    fn new(listeners: Listeners) -> rustix::io::Result<Self> {
        registry::start();
        let handler = Handler {
            poller: epoll::create(CreateFlags::CLOEXEC)?,
            entrances: listeners.list.into_iter().map(Entrance::new).collect(),
            reply_pipes: ReplyPipes::default(),
            connections: Slab::new(),
            watched: Vec::new(),
            limit: connection_limit(),
            turns: Vec::new(),
            queued: 0,
            timed: false,
            last_check: Instant::now(),
            resting: Vec::new(),
        };
        for index in 0..handler.entrances.len() {
            handler.watch_entrance(index)?;
        }
        Ok(handler)
    }

    fn watch_entrance(&self, index: usize) -> rustix::io::Result<()> {
        let data = Source::Listener(index).data();
        let entrance = &self.entrances[index];
        epoll::add(&self.poller, entrance.descriptor(), data, EventFlags::IN)
    }

    fn wait(&mut self, events: &mut Vec<Event>) -> rustix::io::Result<()> {
        let timeout = self.patience().map(|time| Timespec {
            tv_sec: time.as_secs() as i64,
            tv_nsec: time.subsec_nanos().into(),
        });
        match epoll::wait(&self.poller, spare_capacity(events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// How long to wait if nothing happens.
    fn patience(&self) -> Option<Duration> {
        let retries = self.reply_pipes.holds()
            || self
                .entrances
                .iter()
                .any(|entrance| matches!(entrance, Entrance::Datagram(socket) if socket.holds()));
        if !self.turns.is_empty() {
            Some(Duration::ZERO)
        } else if retries {
            Some(limits::RETRY)
        } else if !self.resting.is_empty() {
            Some(limits::REST)
        } else {
            self.timed.then_some(TICK)
        }
    }

    fn work(&mut self, event: &Event, shop: &mut Workshop<'_>) {
        let flags = event.flags;
        match Source::of(event) {
            Source::Listener(index) => self.work_at(index, shop),
            Source::Connection(key) => self.work_on(key, flags, shop),
        }
    }

    fn work_at(&mut self, index: usize, shop: &mut Workshop<'_>) {
        match &mut self.entrances[index] {
            Entrance::Stream(_) => self.accept_all(index),
            Entrance::Datagram(socket) => socket.work(shop),
            Entrance::Pipe(pipe) => {
                pipe.work(shop, &mut self.reply_pipes);
                self.timed |= pipe.is_waiting();
            }
        }
    }

    fn work_on(&mut self, key: usize, events: EventFlags, shop: &mut Workshop<'_>) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        let before = connection.waiting();
        let mut fate = connection.work(events, shop);
        let after = connection.waiting();
        self.queued = self.queued - before + after;
        if fate == Fate::Keep && after > before && self.queued > limits::QUEUE_OF_ALL {
            connection.report_too_much_waiting();
            fate = Fate::Close;
        }
        self.timed |= connection.is_waiting();
        if fate == Fate::Keep && connection.wants_a_turn() && !self.turns.contains(&key) {
            self.turns.push(key);
        }
        if fate == Fate::Close || self.watch(key).is_err() {
            self.close(key);
        }
    }

    /// Tells the poller what matters of a connection now, if that has changed.
    fn watch(&mut self, key: usize) -> rustix::io::Result<()> {
        let Some(connection) = self.connections.get_mut(key) else {
            return Ok(());
        };
        let interest = connection.interest();
        if self.watched[key] != interest {
            let data = Source::Connection(key).data();
            epoll::modify(&self.poller, &connection.socket, data, interest)?;
            self.watched[key] = interest;
        }
        Ok(())
    }

    fn close(&mut self, key: usize) {
        if let Some(connection) = self.connections.remove(key) {
            self.queued -= connection.waiting();
        }
    }

    fn accept_all(&mut self, index: usize) {
        /// Others wait too.
        const AT_ONCE: usize = 64;
        for _ in 0..AT_ONCE {
            let Entrance::Stream(listener) = &self.entrances[index] else {
                return;
            };
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match accept_with(&listener.file, flags) {
                Ok(socket) => {
                    let bound = Arc::clone(&listener.bound);
                    self.admit(bound, socket);
                }
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

    fn admit(&mut self, from: Arc<Bound>, socket: OwnedFd) {
        let peer = peer_of(&socket, from.listen.transport);
        if self.connections.len() >= self.limit {
            log_limited!(
                Error,
                "{peer} on {from} is refused: {} connections are open, which is the limit",
                self.limit
            );
            return;
        }
        if from.listen.transport == Transport::Tcp {
            // Small replies shall not wait for the client's acknowledgement, and
            // a client whose host is gone shall not keep its place.
            let _ = sockopt::set_tcp_nodelay(&socket, true);
            let _ = sockopt::set_socket_keepalive(&socket, true);
        }
        let data = Source::Connection(self.connections.next_key()).data();
        if let Err(error) = epoll::add(&self.poller, &socket, data, EventFlags::IN) {
            log_limited!(Error, "{peer} on {from} is refused: {error}");
            return;
        }
        let key = self.connections.insert(Connection::new(socket, from, peer));
        if key == self.watched.len() {
            self.watched.push(EventFlags::IN);
        }
        self.watched[key] = EventFlags::IN;
    }

    /// Leaves new connections waiting for a moment; trying on would be a loop
    /// without end.
    fn rest(&mut self, index: usize) {
        let _ = epoll::delete(&self.poller, self.entrances[index].descriptor());
        self.resting.push((index, Instant::now() + limits::REST));
    }

    fn wake_rested(&mut self, now: Instant) {
        for (index, until) in std::mem::take(&mut self.resting) {
            if now < until {
                self.resting.push((index, until));
            } else if let Err(error) = self.watch_entrance(index) {
                log_limited!(Error, "cannot listen again: {error}");
                self.resting.push((index, now + limits::REST));
            }
        }
    }

    fn check_times(&mut self) {
        if self.patience().is_none() {
            return;
        }
        let now = Instant::now();
        self.reply_pipes.work_in_time(now);
        for entrance in &mut self.entrances {
            if let Entrance::Datagram(socket) = entrance {
                socket.retry(now);
            }
        }
        self.wake_rested(now);
        if now.duration_since(self.last_check) >= TICK {
            self.last_check = now;
            self.close_late(now);
        }
    }

    fn close_late(&mut self, now: Instant) {
        let mut late = Vec::new();
        self.timed = false;
        for (key, connection) in self.connections.iter_mut() {
            if connection.check_time(now) == Fate::Close {
                late.push(key);
            } else {
                self.timed |= connection.is_waiting();
            }
        }
        for key in late {
            self.close(key);
        }
        for entrance in &mut self.entrances {
            if let Entrance::Pipe(pipe) = entrance {
                pipe.check_time(now);
                self.timed |= pipe.is_waiting();
            }
        }
    }
}

/// How many connections there may be: what is reasonable, or what the system
/// allows this process to have open.
fn connection_limit() -> usize {
    let wanted = limits::CONNECTIONS as u64 + limits::SPARE_DESCRIPTORS;
    let now = getrlimit(Resource::Nofile);
    let allowed = now.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if now.current.is_some_and(|current| current < allowed) {
        let raised = Rlimit {
            current: Some(allowed),
            maximum: now.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            log!(Warning, "cannot have {allowed} descriptors open: {error}");
        }
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    let open = open_descriptors();
    let room = current.saturating_sub(open + limits::SPARE_DESCRIPTORS);
    limits::CONNECTIONS.min(usize::try_from(room).unwrap_or(usize::MAX))
}

/// How many descriptors this process has open already.
fn open_descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

fn peer_of(socket: &OwnedFd, transport: Transport) -> Peer {
    let socket = socket.as_fd();
    if transport.is_inet() {
        let address = getpeername(socket)
            .ok()
            .flatten()
            .and_then(|address| address.try_into().ok());
        if let Some(address) = address {
            return Peer::Inet(address);
        }
    }
    let pid = sockopt::socket_peercred(socket).ok();
    Peer::Local(pid.and_then(|peer| u32::try_from(peer.pid.as_raw_nonzero().get()).ok()))
}
