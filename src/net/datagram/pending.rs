//! Replies for datagram clients that cannot be sent yet.
//!
//! The kernel does not report when such a client can take more. So its replies are
//! tried again from time to time, a limited number each time, and each client at most
//! once.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SendFlags, SocketAddrAny, sendto};

use super::quota::ReceiveQuota;
use crate::fair_queues::FairQueues;
use crate::headroom;
use crate::limits;
use crate::peer::Peer;

/// The flags for sending a reply. The socket itself would wait for a client that does
/// not read.
pub(super) const WITHOUT_WAITING: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// The fraction of the remaining room that the replies to one client may take. However
/// many clients take theirs, some room is left for the next.
const SHARE: usize = 8;

/// The fraction that a reply may take if no other waits for its client.
const SHARE_OF_FIRST: usize = 2;

/// The replies that wait at one socket, and what its clients may still be sent.
#[derive(Debug)]
pub(super) struct PendingReplies {
    replies: FairQueues<SocketAddrAny, PendingReply>,
    room: Room,
    /// The largest size of a datagram in bytes.
    datagram: usize,
    /// The time for which a client may take nothing.
    patience: Duration,
    /// The limit on what clients of a Unix socket may leave unread.
    quota: Option<Box<ReceiveQuota>>,
}

#[derive(Debug)]
struct PendingReply {
    bytes: Vec<u8>,
    /// The number of bytes that were sent.
    sent: usize,
    /// Whether an earlier part of the reply had already been sent.
    is_rest: bool,
    /// The time since which none of it could be sent.
    since: Instant,
}

/// The memory that the waiting replies take, for each client and together.
#[derive(Debug, Default)]
struct Room {
    taken: usize,
    by_client: HashMap<SocketAddrAny, usize>,
}

/// A reply that its client does not get, or only a part of it.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) to: SocketAddrAny,
    /// The number of bytes that are lost.
    pub(super) len: usize,
    /// Whether the client has the first part, which is useless alone.
    pub(super) is_rest: bool,
    pub(super) error: Errno,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_rest {
            true => write!(f, "the last {} bytes of a reply are lost", self.len),
            false => write!(f, "a reply of {} bytes is lost", self.len),
        }
    }
}

impl Lost {
    /// The client that does not get the reply, for the log.
    pub(super) fn peer(&self) -> Peer {
        Peer::of_datagram(&self.to)
    }
}

/// Whether a send with this error may succeed a little later.
pub(super) fn may_go_later(error: Errno) -> bool {
    // The last of these occurs while the system has no memory for a large datagram.
    matches!(error, Errno::AGAIN | Errno::INTR | Errno::NOBUFS)
}

/// The memory for keeping a reply, which for a small one is more than its bytes.
fn cost(reply: &[u8]) -> usize {
    const AROUND: usize = 256;
    reply.len() + AROUND
}

impl PendingReplies {
    /// No replies yet, for a socket whose datagrams have up to `datagram` bytes.
    pub(super) fn new(
        datagram: usize,
        patience: Duration,
        quota: Option<Box<ReceiveQuota>>,
    ) -> Self {
        PendingReplies {
            replies: FairQueues::default(),
            room: Room::default(),
            datagram,
            patience,
            quota,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// Whether replies wait for this client, which later ones must not overtake.
    pub(super) fn has_for(&self, to: &SocketAddrAny) -> bool {
        self.replies.has(to)
    }

    /// Whether a client of this socket may be sent `len` more bytes. It always may if
    /// nothing counts what it has not read.
    pub(super) fn allows(
        &mut self,
        socket: BorrowedFd<'_>,
        to: &SocketAddrAny,
        len: usize,
    ) -> bool {
        let quota = self.quota.as_mut();
        quota.is_none_or(|quota| quota.allows(socket, to, len))
    }

    /// Keeps a reply, or its rest, if this client has room for more.
    pub(super) fn keep(&mut self, to: &SocketAddrAny, bytes: &[u8], is_rest: bool) -> bool {
        if !self.room.allows(to, cost(bytes)) || !self.has_memory_for(bytes) {
            return false;
        }
        self.room.take(to, cost(bytes));
        let reply = PendingReply {
            bytes: bytes.to_vec(),
            sent: 0,
            is_rest,
            since: Instant::now(),
        };
        self.replies.push(to.clone(), reply);
        true
    }

    fn has_memory_for(&self, bytes: &[u8]) -> bool {
        /// The memory that is kept for a client, in bytes. The tables double when they
        /// grow.
        const CLIENT: usize = 2 * 2 * size_of::<(SocketAddrAny, VecDeque<PendingReply>)>();
        headroom::allows_keeping(bytes.len() + self.replies.clients() * CLIENT)
    }

    /// Tries again what could not be sent, and gives up what has waited for too long.
    /// Each time only some of the clients have their turn.
    pub(super) fn retry(&mut self, socket: BorrowedFd<'_>, now: Instant) -> Vec<Lost> {
        let (replies, mut attempt) = self.attempt(socket, now);
        replies.serve_in_turn(limits::RETRIED_AT_ONCE, |to, queue| {
            attempt.send_some(to, queue);
        });
        attempt.lost
    }

    /// Tries the replies for one client again.
    pub(super) fn retry_for(
        &mut self,
        socket: BorrowedFd<'_>,
        to: &SocketAddrAny,
        now: Instant,
    ) -> Vec<Lost> {
        let (replies, mut attempt) = self.attempt(socket, now);
        replies.serve_now(to, |to, queue| attempt.send_some(to, queue));
        attempt.lost
    }

    fn attempt<'a>(
        &'a mut self,
        socket: BorrowedFd<'a>,
        now: Instant,
    ) -> (&'a mut FairQueues<SocketAddrAny, PendingReply>, Attempt<'a>) {
        let attempt = Attempt {
            socket,
            now,
            datagram: self.datagram,
            patience: self.patience,
            room: &mut self.room,
            quota: &mut self.quota,
            lost: Vec::new(),
        };
        (&mut self.replies, attempt)
    }
}

/// One attempt at sending pending replies.
struct Attempt<'a> {
    socket: BorrowedFd<'a>,
    now: Instant,
    datagram: usize,
    patience: Duration,
    room: &'a mut Room,
    quota: &'a mut Option<Box<ReceiveQuota>>,
    /// The replies that were given up.
    lost: Vec<Lost>,
}

impl Attempt<'_> {
    /// Sends what one client takes, and gives up what it has not taken for too long.
    fn send_some(&mut self, to: &SocketAddrAny, queue: &mut VecDeque<PendingReply>) {
        // The replies behind one that cannot be sent could not be sent either.
        let mut blocked = None;
        while let Some(reply) = queue.front_mut() {
            let sent = match blocked {
                None => self.send(to, reply),
                Some(error) => Err(error),
            };
            if let Err(error) = sent {
                if may_go_later(error) && self.is_early(reply) {
                    return;
                }
                if error != Errno::MSGSIZE {
                    blocked = Some(error);
                }
                self.lost.push(reply.lost(to, error));
            }
            self.room.give_back(to, cost(&reply.bytes));
            queue.pop_front();
        }
    }

    /// Sends all of a reply, or the pieces of it that the client takes.
    fn send(&mut self, to: &SocketAddrAny, reply: &mut PendingReply) -> Result<(), Errno> {
        while let Some(piece) = reply.bytes[reply.sent..].chunks(self.datagram).next() {
            let quota = self.quota.as_mut();
            if !quota.is_none_or(|quota| quota.allows(self.socket, to, piece.len())) {
                return Err(Errno::AGAIN);
            }
            sendto(self.socket, piece, WITHOUT_WAITING, to)?;
            reply.sent += piece.len();
            reply.since = self.now;
        }
        Ok(())
    }

    fn is_early(&self, reply: &PendingReply) -> bool {
        self.now.saturating_duration_since(reply.since) < self.patience
    }
}

impl PendingReply {
    fn lost(&self, to: &SocketAddrAny, error: Errno) -> Lost {
        Lost {
            to: to.clone(),
            len: self.bytes.len() - self.sent,
            is_rest: self.is_rest || self.sent > 0,
            error,
        }
    }
}

impl Room {
    fn allows(&self, to: &SocketAddrAny, cost: usize) -> bool {
        let left = limits::PENDING_DATAGRAMS.saturating_sub(self.taken);
        match self.by_client.get(to) {
            None => cost <= left / SHARE_OF_FIRST,
            Some(taken) => taken + cost <= left / SHARE,
        }
    }

    fn take(&mut self, to: &SocketAddrAny, cost: usize) {
        self.taken += cost;
        *self.by_client.entry(to.clone()).or_default() += cost;
    }

    fn give_back(&mut self, to: &SocketAddrAny, cost: usize) {
        self.taken -= cost;
        let Some(taken) = self.by_client.get_mut(to) else {
            return;
        };
        *taken -= cost;
        if *taken == 0 {
            self.by_client.remove(to);
        }
        // A table that was large for many clients is freed.
        if self.by_client.is_empty() {
            self.by_client = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixDatagram;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustix::net::SocketAddrUnix;

    use super::*;

    fn client(name: &str) -> SocketAddrAny {
        SocketAddrUnix::new(name).expect("a short name").into()
    }

    /// A socket with a name in the abstract namespace, which leaves no file.
    fn socket() -> (UnixDatagram, SocketAddrAny) {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("ksrrs-held-{}-{number}", std::process::id());
        let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).expect("a short name");
        let socket = rustix::net::socket(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::DGRAM,
            None,
        )
        .expect("a new socket");
        rustix::net::bind(&socket, &address).expect("a new name");
        (socket.into(), address.into())
    }

    fn pending(datagram: usize) -> PendingReplies {
        PendingReplies::new(datagram, limits::DATAGRAM_PATIENCE, None)
    }

    /// All datagrams in the client's socket.
    fn read_all(socket: &UnixDatagram) -> Vec<Vec<u8>> {
        socket.set_nonblocking(true).expect("a mode");
        std::iter::from_fn(|| {
            let mut datagram = vec![0; 100];
            let len = socket.recv(&mut datagram).ok()?;
            datagram.truncate(len);
            Some(datagram)
        })
        .collect()
    }

    #[test]
    fn the_pieces_of_a_reply_leave_in_order_and_before_the_next_reply() {
        let (server, (reader, to)) = (UnixDatagram::unbound().expect("a socket"), socket());
        let mut pending = pending(3);
        assert!(pending.keep(&to, b"abcdefgh", false) && pending.keep(&to, b"next", false));
        pending.retry(server.as_fd(), Instant::now());
        assert_eq!(
            read_all(&reader),
            [&b"abc"[..], b"def", b"gh", b"nex", b"t"]
        );
        assert!(pending.is_empty());
        assert_eq!(pending.room.taken, 0);
        assert!(pending.room.by_client.is_empty());
    }

    /// The system keeps about ten datagrams for a client that does not read.
    #[test]
    fn where_a_piece_is_not_taken_the_rest_is_dropped() {
        let (server, (reader, to)) = (UnixDatagram::unbound().expect("a socket"), socket());
        let mut pending = pending(1);
        assert!(pending.keep(&to, &[b'x'; 90], false) && pending.keep(&to, b"n", false));
        let start = Instant::now();
        pending.retry(server.as_fd(), start);
        let first = read_all(&reader).len();
        assert!((1..45).contains(&first), "{first} pieces");
        pending.retry(server.as_fd(), start);
        let lost = pending.retry(server.as_fd(), start + limits::DATAGRAM_PATIENCE);
        let [whole, next] = &lost[..] else {
            panic!("{lost:?} are lost");
        };
        assert!(whole.is_rest && !next.is_rest);
        assert!(whole.len < 90 - first && next.len == 1);
        assert!(pending.is_empty() && pending.room.taken == 0);
        let second = read_all(&reader);
        assert_eq!(first + second.len() + whole.len, 90);
        assert!(second.concat().iter().all(|byte| *byte == b'x'));
    }

    #[test]
    fn one_client_cannot_have_the_room_of_all() {
        let mut room = Room::default();
        let (greedy, other) = (client("/greedy"), client("/other"));
        while room.allows(&greedy, 1_000) {
            room.take(&greedy, 1_000);
        }
        assert!(room.taken < limits::PENDING_DATAGRAMS / SHARE);
        assert!(room.allows(&other, limits::PENDING_DATAGRAMS / 3));
        room.take(&other, limits::PENDING_DATAGRAMS / 3);
        assert!(!room.allows(&other, 1_000));
        assert!(room.allows(&client("/third"), limits::PENDING_DATAGRAMS / 4));
    }

    #[test]
    fn however_many_wait_there_is_room_for_one_more() {
        let mut room = Room::default();
        for number in 0..50 {
            let to = client(&format!("/{number}"));
            assert!(room.allows(&to, 1_000), "{number}");
            while room.allows(&to, 1_000) {
                room.take(&to, 1_000);
            }
        }
    }
}
