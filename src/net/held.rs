//! Replies for datagram clients that could take no more.
//!
//! The kernel does not tell when such a client can, so they are tried again now
//! and then: a bounded number each time, and each client at most once.

use std::collections::VecDeque;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use kamailio_core::log_limited;
use rustix::io::Errno;
use rustix::net::{SendFlags, SocketAddrAny, sendto};

use crate::lanes::Lanes;
use crate::limits;
use crate::listener::Bound;
use crate::unread::{Unread, allows};

/// How replies are sent: the socket itself would wait for a client that does not
/// read.
pub(crate) const WITHOUT_WAITING: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// The replies that wait at one socket.
#[derive(Debug, Default)]
pub(crate) struct Held {
    replies: Lanes<SocketAddrAny, HeldReply>,
    /// What they take, see [`cost`].
    bytes: usize,
}

#[derive(Debug)]
struct HeldReply {
    bytes: Vec<u8>,
    since: Instant,
}

/// What holding a reply takes: small ones are more than their bytes.
fn cost(reply: &[u8]) -> usize {
    const AROUND: usize = 256;
    reply.len() + AROUND
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// Whether replies wait for this client, which the next one must not
    /// overtake.
    pub(crate) fn has_for(&self, to: &SocketAddrAny) -> bool {
        self.replies.has(to)
    }

    /// Keeps a reply, if there is room.
    pub(crate) fn keep(&mut self, to: &SocketAddrAny, bytes: &[u8]) -> bool {
        if self.bytes + cost(bytes) > limits::HELD_DATAGRAMS {
            return false;
        }
        self.bytes += cost(bytes);
        let reply = HeldReply {
            bytes: bytes.to_vec(),
            since: Instant::now(),
        };
        self.replies.push(to.clone(), reply);
        true
    }

    /// Tries again what could not be sent, as far as clients may have it.
    pub(crate) fn retry(
        &mut self,
        socket: BorrowedFd<'_>,
        at: &Bound,
        now: Instant,
        unread: &mut Option<Box<Unread>>,
    ) {
        let bytes = &mut self.bytes;
        self.replies
            .take_turns(limits::RETRIED_AT_ONCE, |to, lane| {
                *bytes -= send_some(socket, at, to, lane, now, unread);
            });
    }

    /// The same for one client.
    pub(crate) fn retry_for(
        &mut self,
        to: &SocketAddrAny,
        socket: BorrowedFd<'_>,
        at: &Bound,
        unread: &mut Option<Box<Unread>>,
    ) {
        let bytes = &mut self.bytes;
        self.replies.take_turn_of(to, |to, lane| {
            *bytes -= send_some(socket, at, to, lane, Instant::now(), unread);
        });
    }
}

/// Sends what one client takes, and gives up what it has not taken for too long.
/// Returns the cost of what is off our hands.
fn send_some(
    socket: BorrowedFd<'_>,
    at: &Bound,
    to: &SocketAddrAny,
    lane: &mut VecDeque<HeldReply>,
    now: Instant,
    unread: &mut Option<Box<Unread>>,
) -> usize {
    let mut freed = 0;
    // Those behind one that does not go would not go either.
    let mut blocked = None;
    while let Some(reply) = lane.front() {
        let sent = match blocked {
            None if !allows(unread, socket, to, reply.bytes.len()) => Err(Errno::AGAIN),
            None => sendto(socket, &reply.bytes, WITHOUT_WAITING, to).map(drop),
            Some(error) => Err(error),
        };
        if let Err(error) = sent {
            let may_wait = matches!(error, Errno::AGAIN | Errno::INTR);
            if may_wait && now.saturating_duration_since(reply.since) < at.held {
                break;
            }
            if error != Errno::MSGSIZE {
                blocked = Some(error);
            }
            log_limited!(
                Warning,
                "on {at}: a reply of {} bytes is lost, for its client did not take it: {error}",
                reply.bytes.len()
            );
        }
        freed += cost(&reply.bytes);
        lane.pop_front();
    }
    freed
}
