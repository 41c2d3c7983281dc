//! The stream connections of a process.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use kamailio_core::{log_limited, peers};
use rpc_wire::listen::Transport;
use rustix::event::epoll::EventFlags;
use rustix::io::Errno;
use rustix::net::{getpeername, sockopt};
use slotmap::SlotMap;

use super::capacity::{Candidate, Capacity, who_makes_room};
use super::connection::{Connection, Fate};
use crate::context::{HandlerContext, TimeSlice};
use crate::headroom;
use crate::limits;
use crate::listen::Endpoint;
use crate::peer::Peer;
use crate::poller::{ConnectionKey, Poller, Source};

/// All stream connections of a process.
#[derive(Debug)]
pub(crate) struct Connections {
    slots: SlotMap<ConnectionKey, Slot>,
    /// The number of connections that there may be.
    capacity: Capacity,
    /// The number of connections from the network.
    remote: usize,
    /// How often any of them was read from.
    uses: u64,
    /// The memory of all of them.
    held: Usage,
}

/// The memory of clients, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    /// The bytes that are queued for them.
    queued: usize,
    /// The memory of their requests that are not answered yet.
    unanswered: usize,
}

#[derive(Debug)]
struct Slot {
    connection: Connection,
    /// The events for which the poller looks.
    watched: EventFlags,
    /// Whether it is in the run queue.
    is_queued: bool,
    /// The number of its last use among all uses.
    used: u64,
}

impl Connections {
    pub(crate) fn new() -> Self {
        Connections {
            slots: SlotMap::new(),
            capacity: Capacity::of_this_process(),
            remote: 0,
            uses: 0,
            held: Usage::default(),
        }
    }

    /// The memory of all clients, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.held.queued + self.held.unanswered
    }

    /// Accepts a client, if there is room.
    pub(crate) fn admit(&mut self, listener: &Arc<Endpoint>, socket: OwnedFd, poller: &Poller) {
        let peer = peer_of(&socket, listener.listen.transport);
        if !self.has_room(listener) && !self.make_room(listener) {
            log_limited!(
                Error,
                "{peer} on {listener} is refused: {} connections are open, which is the limit",
                self.slots.len()
            );
            return;
        }
        if !headroom::allows_newcomer(self.slots.len() * size_of::<Slot>()) {
            log_limited!(
                Error,
                "{peer} on {listener} is refused: there is no memory for it"
            );
            return;
        }
        if listener.listen.transport == Transport::Tcp {
            // Small replies must not wait for the client's acknowledgement, and a
            // client whose host is gone must not keep its place.
            let _ = sockopt::set_tcp_nodelay(&socket, true);
            let _ = sockopt::set_socket_keepalive(&socket, true);
        }
        self.uses += 1;
        let added = self.slots.try_insert_with_key(|key| {
            let source = Source::Connection(key);
            poller.add(socket.as_fd(), source, EventFlags::IN)?;
            Ok(Slot {
                connection: Connection::new(socket, Arc::clone(listener), peer.clone()),
                watched: EventFlags::IN,
                is_queued: false,
                used: self.uses,
            })
        });
        match added {
            Ok(_) => self.remote += usize::from(listener.listen.transport.is_inet()),
            Err::<_, Errno>(error) => {
                log_limited!(Error, "{peer} on {listener} is refused: {error}");
            }
        }
    }

    fn has_room(&self, listener: &Endpoint) -> bool {
        let has_share = !listener.listen.transport.is_inet() || self.remote < self.capacity.remote;
        has_share && self.slots.len() < self.capacity.all
    }

    /// Closes an idle connection from the network, if one has to go for a newcomer.
    fn make_room(&mut self, newcomer: &Arc<Endpoint>) -> bool {
        let open = self.slots.iter().map(|(key, slot)| {
            let candidate = slot.may_go().then_some(Candidate {
                key,
                used: slot.used,
            });
            (slot.connection.listener(), candidate)
        });
        let Some(leaves) = who_makes_room(newcomer, open) else {
            return false;
        };
        if let Some(slot) = self.slots.get(leaves.key) {
            slot.connection.report_no_place();
        }
        self.close(leaves.key);
        true
    }

    /// Works on a connection that has an event, and returns whether it joins the run
    /// queue.
    pub(crate) fn work_on_event(
        &mut self,
        key: ConnectionKey,
        events: EventFlags,
        poller: &Poller,
        context: &mut HandlerContext<'_>,
    ) -> bool {
        // A connection in the run queue is not served before its turn.
        let is_free = self.slots.get(key).is_some_and(|slot| !slot.is_queued);
        self.work(key, events, is_free.then(TimeSlice::start), poller, context)
    }

    /// Gives a connection its turn, which has left the run queue. It returns whether
    /// the connection joins again.
    pub(crate) fn work_in_turn(
        &mut self,
        key: ConnectionKey,
        poller: &Poller,
        context: &mut HandlerContext<'_>,
    ) -> bool {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.is_queued = false;
        }
        self.work(
            key,
            EventFlags::empty(),
            Some(TimeSlice::start()),
            poller,
            context,
        )
    }

    fn work(
        &mut self,
        key: ConnectionKey,
        events: EventFlags,
        slice: Option<TimeSlice>,
        poller: &Poller,
        context: &mut HandlerContext<'_>,
    ) -> bool {
        let Some(slot) = self.slots.get_mut(key) else {
            return false;
        };
        self.uses += 1;
        slot.used = self.uses;
        let before = slot.usage();
        let fate = slot.connection.work(events, slice, context);
        let after = slot.usage();
        self.held.change(before, after);
        if fate == Fate::Keep && after.queued > before.queued {
            if self.held.queued > limits::QUEUE_OF_ALL {
                self.close_who_takes_least(key);
            } else if !headroom::allows_keeping(0) {
                self.close_for_want_of_memory(key);
            }
        }
        let Some(slot) = self.slots.get_mut(key) else {
            return false;
        };
        if fate == Fate::Close || slot.watch(key, poller).is_err() {
            self.close(key);
            return false;
        }
        let joins = !slot.is_queued && slot.connection.is_runnable();
        slot.is_queued |= joins;
        if self.held.unanswered > limits::UNANSWERED_OF_ALL {
            self.refuse_largest(poller, context);
        }
        joins
    }

    /// Closes a connection because too much is queued for all clients, after a reply to
    /// `writer`. That one is closed, unless it is at a Unix socket and one from the
    /// network holds enough to make up for it.
    fn close_who_takes_least(&mut self, writer: ConnectionKey) {
        let excess = self.held.queued - limits::QUEUE_OF_ALL;
        let is_local = self.slots.get(writer).is_some_and(|slot| !slot.is_remote());
        let most = self
            .slots
            .iter()
            .filter(|(_, slot)| is_local && slot.is_remote())
            .max_by_key(|(_, slot)| slot.connection.queued_bytes())
            .filter(|(_, slot)| slot.connection.queued_bytes() >= excess);
        let leaves = most.map_or(writer, |(key, _)| key);
        if let Some(slot) = self.slots.get(leaves) {
            slot.connection.report_too_much_waiting();
        }
        self.close(leaves);
    }

    /// Closes a connection because what its client does not take would leave too little
    /// memory for other requests.
    fn close_for_want_of_memory(&mut self, key: ConnectionKey) {
        if let Some(slot) = self.slots.get(key) {
            slot.connection.report_no_memory();
        }
        self.close(key);
    }

    /// Makes room among the requests that are not answered yet by refusing the client
    /// that holds most. Complete requests wait only for us, so an incomplete one is
    /// preferred if that makes enough room, and before that one from the network.
    fn refuse_largest(&mut self, poller: &Poller, context: &mut HandlerContext<'_>) {
        let excess = self.held.unanswered - limits::UNANSWERED_OF_ALL;
        let rank = |slot: &Slot| {
            let kept = slot.connection.request_memory();
            let is_enough = kept >= excess;
            let is_incomplete = slot.connection.is_incomplete();
            (
                is_enough && slot.is_remote(),
                is_enough && is_incomplete,
                kept,
            )
        };
        let largest = self.slots.iter().max_by_key(|(_, slot)| rank(slot));
        let Some(key) = largest.map(|(key, _)| key) else {
            return;
        };
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let reason = format!(
            "unanswered requests of all clients take more than {} bytes, and its own are the largest",
            limits::UNANSWERED_OF_ALL
        );
        let before = slot.usage();
        slot.connection.refuse_request(&reason, context.service);
        self.held.change(before, slot.usage());
        // The reason is sent, and what still comes is dropped.
        self.work(key, EventFlags::empty(), None, poller, context);
    }

    fn close(&mut self, key: ConnectionKey) {
        if let Some(slot) = self.slots.remove(key) {
            self.held.change(slot.usage(), Usage::default());
            self.remote -= usize::from(slot.is_remote());
        }
    }

    /// Whether this connection has a time limit now.
    pub(crate) fn has_deadline(&self, key: ConnectionKey) -> bool {
        let slot = self.slots.get(key);
        slot.is_some_and(|slot| slot.connection.has_deadline())
    }

    /// Closes the connections whose time is over, and returns whether any other has a
    /// time limit.
    pub(crate) fn check_times(&mut self, now: Instant) -> bool {
        let mut late = Vec::new();
        let mut waiting = false;
        for (key, slot) in self.slots.iter_mut() {
            if slot.connection.check_time(now) == Fate::Close {
                late.push(key);
            } else {
                waiting |= slot.connection.has_deadline();
            }
        }
        for key in late {
            self.close(key);
        }
        waiting
    }
}

impl Usage {
    /// Notes that a client's memory has changed.
    fn change(&mut self, before: Usage, after: Usage) {
        self.queued = self.queued - before.queued + after.queued;
        self.unanswered = self.unanswered - before.unanswered + after.unanswered;
    }
}

impl Slot {
    fn usage(&self) -> Usage {
        Usage {
            queued: self.connection.queued_bytes(),
            unanswered: self.connection.request_memory(),
        }
    }

    /// Whether it came from the network.
    fn is_remote(&self) -> bool {
        self.connection.listener().listen.transport.is_inet()
    }

    /// Whether it may be closed if places run out. At a Unix socket an administrator
    /// may sit before an idle prompt.
    fn may_go(&self) -> bool {
        self.is_remote() && (self.connection.is_idle() || self.connection.is_incomplete())
    }

    /// Tells the poller which events of the connection matter now, if that has changed.
    fn watch(&mut self, key: ConnectionKey, poller: &Poller) -> rustix::io::Result<()> {
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
    // A client that is gone again has no address any more.
    let address = getpeername(socket).ok().flatten();
    address
        .and_then(|address| address.try_into().ok())
        .map_or(Peer::Unknown, Peer::Inet)
}
