//! The stream connections of a process.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use kamailio_core::{log_limited, peers};
use rpc_wire::listen::Transport;
use rustix::event::epoll::EventFlags;
use rustix::net::{getpeername, sockopt};

use crate::connection::{Connection, Fate};
use crate::headroom;
use crate::limits;
use crate::listener::Bound;
use crate::places::{Candidate, Places, who_makes_room};
use crate::poller::{Poller, Source};
use crate::registry::Peer;
use crate::slab::{Key, Slab};
use crate::turn::Turn;
use crate::workshop::Workshop;

/// All of them.
#[derive(Debug)]
pub(crate) struct Connections {
    places: Slab<Place>,
    /// How many there may be.
    limit: Places,
    /// How many of them came from the network.
    remote: usize,
    /// How often any of them was read from.
    uses: u64,
    /// Bytes that wait for all clients.
    queued: usize,
    /// Memory for requests of all clients that are not answered yet, in bytes.
    unanswered: usize,
}

#[derive(Debug)]
struct Place {
    connection: Connection,
    /// What the poller looks for.
    watched: EventFlags,
    /// Whether it stands in line for its next turn.
    in_line: bool,
    /// Which of all uses was its last one.
    used: u64,
}

impl Connections {
    pub(crate) fn new() -> Self {
        Connections {
            places: Slab::new(),
            limit: Places::of_this_process(),
            remote: 0,
            uses: 0,
            queued: 0,
            unanswered: 0,
        }
    }

    /// How much memory clients hold, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.queued + self.unanswered
    }

    /// Takes a client in, if there is room.
    pub(crate) fn admit(&mut self, from: &Arc<Bound>, socket: OwnedFd, poller: &Poller) {
        let peer = peer_of(&socket, from.listen.transport);
        if !self.has_room(from) && !self.make_room(from) {
            log_limited!(
                Error,
                "{peer} on {from} is refused: {} connections are open, which is the limit",
                self.places.len()
            );
            return;
        }
        if !headroom::allows_newcomer(self.places.len() * size_of::<Place>()) {
            log_limited!(
                Error,
                "{peer} on {from} is refused: there is no memory for it"
            );
            return;
        }
        if from.listen.transport == Transport::Tcp {
            // Small replies shall not wait for the client's acknowledgement, and
            // a client whose host is gone shall not keep its place.
            let _ = sockopt::set_tcp_nodelay(&socket, true);
            let _ = sockopt::set_socket_keepalive(&socket, true);
        }
        let source = Source::Connection(self.places.next_key());
        if let Err(error) = poller.add(socket.as_fd(), source, EventFlags::IN) {
            log_limited!(Error, "{peer} on {from} is refused: {error}");
            return;
        }
        self.uses += 1;
        self.places.insert(Place {
            connection: Connection::new(socket, Arc::clone(from), peer),
            watched: EventFlags::IN,
            in_line: false,
            used: self.uses,
        });
        self.remote += usize::from(from.listen.transport.is_inet());
    }

    fn has_room(&self, from: &Bound) -> bool {
        let has_share = !from.listen.transport.is_inet() || self.remote < self.limit.remote;
        has_share && self.places.len() < self.limit.all
    }

    /// Closes a connection of the network that does nothing, if there is one that
    /// has to go for a newcomer.
    fn make_room(&mut self, newcomer: &Arc<Bound>) -> bool {
        let open = self.places.iter().map(|(key, place)| {
            let candidate = place.may_go().then_some(Candidate {
                key,
                used: place.used,
            });
            (place.connection.from(), candidate)
        });
        let Some(leaves) = who_makes_room(newcomer, open) else {
            return false;
        };
        if let Some(place) = self.places.get_mut(leaves.key) {
            place.connection.report_no_place();
        }
        self.close(leaves.key);
        true
    }

    /// The poller has something to tell of a connection. Returns whether that
    /// stands in line from now on.
    pub(crate) fn work_on_event(
        &mut self,
        key: Key,
        events: EventFlags,
        poller: &Poller,
        shop: &mut Workshop<'_>,
    ) -> bool {
        // Who stands in line is not served before its turn.
        let is_free = self.places.get_mut(key).is_some_and(|place| !place.in_line);
        self.work(key, events, is_free.then(Turn::start), poller, shop)
    }

    /// It is a connection's turn. Returns whether it stands in line again.
    pub(crate) fn work_in_turn(
        &mut self,
        key: Key,
        poller: &Poller,
        shop: &mut Workshop<'_>,
    ) -> bool {
        if let Some(place) = self.places.get_mut(key) {
            place.in_line = false;
        }
        self.work(key, EventFlags::empty(), Some(Turn::start()), poller, shop)
    }

    fn work(
        &mut self,
        key: Key,
        events: EventFlags,
        turn: Option<Turn>,
        poller: &Poller,
        shop: &mut Workshop<'_>,
    ) -> bool {
        let Some(place) = self.places.get_mut(key) else {
            return false;
        };
        self.uses += 1;
        place.used = self.uses;
        let connection = &mut place.connection;
        let before = (connection.waiting(), connection.kept());
        let fate = connection.work(events, turn, shop);
        let after = (connection.waiting(), connection.kept());
        self.queued = self.queued - before.0 + after.0;
        self.unanswered = self.unanswered - before.1 + after.1;
        if fate == Fate::Keep && after.0 > before.0 {
            if self.queued > limits::QUEUE_OF_ALL {
                self.close_who_takes_least(key);
            } else if !headroom::allows_keeping(0) {
                self.close_for_want_of_memory(key);
            }
        }
        let Some(place) = self.places.get_mut(key) else {
            return false;
        };
        if fate == Fate::Close || place.watch(key, poller).is_err() {
            self.close(key);
            return false;
        }
        let joins = !place.in_line && place.connection.wants_a_turn();
        place.in_line |= joins;
        if self.unanswered > limits::UNANSWERED_OF_ALL {
            self.refuse_largest(poller, shop);
        }
        joins
    }

    /// Replies for all clients are too much with the one that was just written:
    /// its client is closed. One at a Unix socket stays if there is another of the
    /// network whose replies are as large a part of it.
    fn close_who_takes_least(&mut self, writer: Key) {
        let excess = self.queued - limits::QUEUE_OF_ALL;
        let is_local = self
            .places
            .get_mut(writer)
            .is_some_and(|place| !place.is_remote());
        let most = self
            .places
            .iter()
            .filter(|(_, place)| is_local && place.is_remote())
            .max_by_key(|(_, place)| place.connection.waiting())
            .filter(|(_, place)| place.connection.waiting() >= excess);
        let leaves = most.map_or(writer, |(key, _)| key);
        if let Some(place) = self.places.get_mut(leaves) {
            place.connection.report_too_much_waiting();
        }
        self.close(leaves);
    }

    /// What the client does not take would leave too little for other requests.
    fn close_for_want_of_memory(&mut self, key: Key) {
        if let Some(place) = self.places.get_mut(key) {
            place.connection.report_no_memory();
        }
        self.close(key);
    }

    /// Makes room among the requests that are not answered yet: the client that
    /// holds most is refused. Complete requests wait only for us, so an incomplete
    /// one is preferred if that makes enough room, and before that one of the
    /// network.
    fn refuse_largest(&mut self, poller: &Poller, shop: &mut Workshop<'_>) {
        let excess = self.unanswered - limits::UNANSWERED_OF_ALL;
        let rank = |place: &Place| {
            let kept = place.connection.kept();
            let is_enough = kept >= excess;
            let is_incomplete = place.connection.is_incomplete();
            (
                is_enough && place.is_remote(),
                is_enough && is_incomplete,
                kept,
            )
        };
        let largest = self.places.iter().max_by_key(|(_, place)| rank(place));
        let Some(key) = largest.map(|(key, _)| key) else {
            return;
        };
        let Some(place) = self.places.get_mut(key) else {
            return;
        };
        let reason = format!(
            "unanswered requests of all clients take more than {} bytes, and its own are the largest",
            limits::UNANSWERED_OF_ALL
        );
        let connection = &mut place.connection;
        let before = (connection.waiting(), connection.kept());
        connection.refuse_request(&reason, shop.service);
        self.queued = self.queued - before.0 + connection.waiting();
        self.unanswered -= before.1;
        // The reason is sent, and what still comes is dropped.
        self.work(key, EventFlags::empty(), None, poller, shop);
    }

    fn close(&mut self, key: Key) {
        if let Some(place) = self.places.remove(key) {
            self.queued -= place.connection.waiting();
            self.unanswered -= place.connection.kept();
            self.remote -= usize::from(place.is_remote());
        }
    }

    /// Whether time can run out for this one.
    pub(crate) fn is_waiting(&mut self, key: Key) -> bool {
        let place = self.places.get_mut(key);
        place.is_some_and(|place| place.connection.is_waiting())
    }

    /// Closes those for which time has run out. Returns whether it can for any
    /// that is left.
    pub(crate) fn check_times(&mut self, now: Instant) -> bool {
        let mut late = Vec::new();
        let mut waiting = false;
        for (key, place) in self.places.iter_mut() {
            if place.connection.check_time(now) == Fate::Close {
                late.push(key);
            } else {
                waiting |= place.connection.is_waiting();
            }
        }
        for key in late {
            self.close(key);
        }
        waiting
    }
}

impl Place {
    /// Whether it came from the network.
    fn is_remote(&self) -> bool {
        self.connection.from().listen.transport.is_inet()
    }

    /// Whether it may be closed when places run out: at a Unix socket an
    /// administrator may sit before an idle prompt.
    fn may_go(&self) -> bool {
        self.is_remote() && (self.connection.is_idle() || self.connection.is_incomplete())
    }

    /// Tells the poller what matters of the connection now, if that has changed.
    fn watch(&mut self, key: Key, poller: &Poller) -> rustix::io::Result<()> {
        let interest = self.connection.interest();
        if self.watched != interest {
            let socket = self.connection.socket.as_fd();
            poller.change(socket, Source::Connection(key), interest)?;
            self.watched = interest;
        }
        Ok(())
    }
}

fn peer_of(socket: &OwnedFd, transport: Transport) -> Peer {
    if !transport.is_inet() {
        return Peer::Local(peers::process_of(socket.as_fd()));
    }
    // One that is gone again has no address any more.
    let address = getpeername(socket).ok().flatten();
    address
        .and_then(|address| address.try_into().ok())
        .map_or(Peer::Unknown, Peer::Inet)
}
