//! The life of a handler process: wait, and work on what is ready.

use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd};
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
use crate::limits;
use crate::listener::{Listener, Listeners};
use crate::registry::{self, Peer};
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
pub fn serve(listeners: Listeners, service: &mut dyn Service) -> Result<Infallible, Error> {
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
        handler.check_times();
    }
}

/// What an event is about.
enum Source {
    Listener(usize),
    Connection(usize),
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
    listeners: Vec<Listener>,
    connections: Slab<Connection>,
    /// What each connection is watched for, by its key.
    watched: Vec<EventFlags>,
    limit: usize,
    /// Bytes that wait for all connections.
    queued: usize,
    /// Whether a time limit may be running.
    timed: bool,
    last_check: Instant,
    /// Until when new connections are left waiting.
    rests_until: Option<Instant>,
}

impl Handler {
    fn new(listeners: Listeners) -> rustix::io::Result<Self> {
        registry::start();
        let handler = Handler {
            poller: epoll::create(CreateFlags::CLOEXEC)?,
            listeners: listeners.list,
            connections: Slab::new(),
            watched: Vec::new(),
            limit: connection_limit(),
            queued: 0,
            timed: false,
            last_check: Instant::now(),
            rests_until: None,
        };
        handler.watch_listeners()?;
        Ok(handler)
    }

    fn watch_listeners(&self) -> rustix::io::Result<()> {
        for (index, listener) in self.listeners.iter().enumerate() {
            let data = Source::Listener(index).data();
            epoll::add(&self.poller, &listener.socket, data, EventFlags::IN)?;
        }
        Ok(())
    }

    fn wait(&mut self, events: &mut Vec<Event>) -> rustix::io::Result<()> {
        let timeout = match (self.rests_until, self.timed) {
            (Some(_), _) => Some(limits::REST),
            (None, true) => Some(TICK),
            (None, false) => None,
        };
        let timeout = timeout.map(|time| Timespec {
            tv_sec: time.as_secs() as i64,
            tv_nsec: time.subsec_nanos().into(),
        });
        match epoll::wait(&self.poller, spare_capacity(events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn work(&mut self, event: &Event, shop: &mut Workshop<'_>) {
        let flags = event.flags;
        match Source::of(event) {
            Source::Listener(index) => self.accept_all(index),
            Source::Connection(key) => self.work_on(key, flags, shop),
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
        if self.rests_until.is_some() {
            return;
        }
        for _ in 0..AT_ONCE {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            match accept_with(&self.listeners[index].socket, flags) {
                Ok(socket) => self.admit(index, socket),
                Err(Errno::AGAIN) => return,
                // A client that is gone again is no fault of the listener.
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(error) => return self.rest(index, error),
            }
        }
    }

    fn admit(&mut self, index: usize, socket: OwnedFd) {
        let from = Arc::clone(&self.listeners[index].bound);
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
            // Small replies shall not wait for the client's acknowledgement.
            let _ = sockopt::set_tcp_nodelay(&socket, true);
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
    fn rest(&mut self, index: usize, error: Errno) {
        log_limited!(
            Error,
            "cannot accept a connection on {}: {error}",
            self.listeners[index].bound
        );
        self.rests_until = Some(Instant::now() + limits::REST);
        for listener in &self.listeners {
            let _ = epoll::delete(&self.poller, &listener.socket);
        }
    }

    fn check_times(&mut self) {
        let now = Instant::now();
        if self.rests_until.is_some_and(|until| now >= until) {
            self.rests_until = None;
            if let Err(error) = self.watch_listeners() {
                log!(Critical, "cannot listen any more: {error}");
            }
        }
        if self.timed && now.duration_since(self.last_check) >= TICK {
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
