//! Replies for datagram clients that could take no more.
//!
//! The kernel does not tell when such a client can, so they are tried again now
//! and then: a bounded number each time, and each client at most once.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SendFlags, SocketAddrAny, sendto};

use crate::headroom;
use crate::lanes::Lanes;
use crate::limits;
use crate::registry::Peer;
use crate::unread::{Unread, allows};

/// How replies are sent: the socket itself would wait for a client that does not
/// read.
pub(crate) const WITHOUT_WAITING: SendFlags = SendFlags::NOSIGNAL.union(SendFlags::DONTWAIT);

/// The part of the room left that the replies to one client may take. However many
/// clients take theirs, something is left for the next.
const SHARE: usize = 8;

/// The part that a reply may take for whose client no other waits.
const SHARE_OF_FIRST: usize = 2;

/// The replies that wait at one socket.
#[derive(Debug)]
pub(crate) struct Held {
    replies: Lanes<SocketAddrAny, HeldReply>,
    costs: Costs,
    /// How many bytes a datagram may have.
    datagram: usize,
}

#[derive(Debug)]
struct HeldReply {
    bytes: Vec<u8>,
    /// How many of them have left.
    sent: usize,
    /// Whether the reply began with more, which had left before.
    is_rest: bool,
    /// Since when nothing of it has left.
    since: Instant,
}

/// What the replies take that wait, for each client and together.
#[derive(Debug, Default)]
struct Costs {
    of_all: usize,
    of_client: HashMap<SocketAddrAny, usize>,
}

/// A reply that its client does not get, or not all of.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) to: SocketAddrAny,
    /// How many bytes.
    pub(crate) len: usize,
    /// Whether the client has the first part, which is of no use to it.
    pub(crate) is_rest: bool,
    pub(crate) error: Errno,
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
    /// Whose reply it was, for the log.
    pub(crate) fn peer(&self) -> Peer {
        Peer::of_datagram(&self.to)
    }
}

/// Whether what failed so may succeed a little later.
pub(crate) fn may_go_later(error: Errno) -> bool {
    // The last one is a moment in which the system has no memory for a large one.
    matches!(error, Errno::AGAIN | Errno::INTR | Errno::NOBUFS)
}

/// What holding a reply takes: small ones are more than their bytes.
fn cost(reply: &[u8]) -> usize {
    const AROUND: usize = 256;
    reply.len() + AROUND
}

impl Held {
    /// For a socket whose datagrams have up to so many bytes.
    pub(crate) fn new(datagram: usize) -> Self {
        Held {
            replies: Lanes::default(),
            costs: Costs::default(),
            datagram,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// Whether replies wait for this client, which the next one must not
    /// overtake.
    pub(crate) fn has_for(&self, to: &SocketAddrAny) -> bool {
        self.replies.has(to)
    }

    /// Keeps a reply, or its rest, if there is room for more of this client.
    pub(crate) fn keep(&mut self, to: &SocketAddrAny, bytes: &[u8], is_rest: bool) -> bool {
        if !self.costs.have_room(to, cost(bytes)) || !self.has_memory_for(bytes) {
            return false;
        }
        self.costs.add(to, cost(bytes));
        let reply = HeldReply {
            bytes: bytes.to_vec(),
            sent: 0,
            is_rest,
            since: Instant::now(),
        };
        self.replies.push(to.clone(), reply);
        true
    }

    fn has_memory_for(&self, bytes: &[u8]) -> bool {
        /// What is kept of a client, in bytes; the tables double when they grow.
        const CLIENT: usize = 2 * 2 * size_of::<(SocketAddrAny, VecDeque<HeldReply>)>();
        headroom::allows_keeping(bytes.len() + self.costs.of_client.len() * CLIENT)
    }

    /// Tries again what could not be sent, as far as clients may have it.
    pub(crate) fn retry(&mut self, attempt: &mut Attempt<'_>) {
        let Held {
            costs, datagram, ..
        } = self;
        self.replies
            .take_turns(limits::RETRIED_AT_ONCE, |to, lane| {
                attempt.send_some(to, lane, *datagram, costs);
            });
    }

    /// The same for one client.
    pub(crate) fn retry_for(&mut self, to: &SocketAddrAny, attempt: &mut Attempt<'_>) {
        let Held {
            costs, datagram, ..
        } = self;
        self.replies.take_turn_of(to, |to, lane| {
            attempt.send_some(to, lane, *datagram, costs);
        });
    }
}

/// One time that held replies are tried again.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) socket: BorrowedFd<'a>,
    pub(crate) now: Instant,
    /// How long a client may take nothing.
    pub(crate) patience: Duration,
    pub(crate) unread: &'a mut Option<Box<Unread>>,
    /// What was given up.
    pub(crate) lost: Vec<Lost>,
}

impl Attempt<'_> {
    /// Sends what one client takes, and gives up what it has not taken for too long.
    fn send_some(
        &mut self,
        to: &SocketAddrAny,
        lane: &mut VecDeque<HeldReply>,
        datagram: usize,
        costs: &mut Costs,
    ) {
        // Those behind one that does not go would not go either.
        let mut blocked = None;
        while let Some(reply) = lane.front_mut() {
            let sent = match blocked {
                None => self.send(to, reply, datagram),
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
            costs.remove(to, cost(&reply.bytes));
            lane.pop_front();
        }
    }

    /// Sends all of a reply, or the pieces of it that the client takes.
    fn send(
        &mut self,
        to: &SocketAddrAny,
        reply: &mut HeldReply,
        datagram: usize,
    ) -> Result<(), Errno> {
        while let Some(piece) = reply.bytes[reply.sent..].chunks(datagram).next() {
            if !allows(self.unread, self.socket, to, piece.len()) {
                return Err(Errno::AGAIN);
            }
            sendto(self.socket, piece, WITHOUT_WAITING, to)?;
            reply.sent += piece.len();
            reply.since = self.now;
        }
        Ok(())
    }

    fn is_early(&self, reply: &HeldReply) -> bool {
        self.now.saturating_duration_since(reply.since) < self.patience
    }
}

impl HeldReply {
    fn lost(&self, to: &SocketAddrAny, error: Errno) -> Lost {
        Lost {
            to: to.clone(),
            len: self.bytes.len() - self.sent,
            is_rest: self.is_rest || self.sent > 0,
            error,
        }
    }
}

impl Costs {
    fn have_room(&self, to: &SocketAddrAny, cost: usize) -> bool {
        let left = limits::HELD_DATAGRAMS.saturating_sub(self.of_all);
        match self.of_client.get(to) {
            None => cost <= left / SHARE_OF_FIRST,
            Some(waiting) => waiting + cost <= left / SHARE,
        }
    }

    fn add(&mut self, to: &SocketAddrAny, cost: usize) {
        self.of_all += cost;
        *self.of_client.entry(to.clone()).or_default() += cost;
    }

    fn remove(&mut self, to: &SocketAddrAny, cost: usize) {
        self.of_all -= cost;
        let Some(waiting) = self.of_client.get_mut(to) else {
            return;
        };
        *waiting -= cost;
        if *waiting == 0 {
            self.of_client.remove(to);
        }
        // Of a crowd that has left nothing stays.
        if self.of_client.is_empty() {
            self.of_client = HashMap::new();
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

    fn attempt<'a>(
        socket: &'a UnixDatagram,
        now: Instant,
        unread: &'a mut Option<Box<Unread>>,
    ) -> Attempt<'a> {
        Attempt {
            socket: socket.as_fd(),
            now,
            patience: limits::HELD_DATAGRAM,
            unread,
            lost: Vec::new(),
        }
    }

    /// What the client finds in its socket, one datagram after the other.
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
        let mut held = Held::new(3);
        assert!(held.keep(&to, b"abcdefgh", false) && held.keep(&to, b"next", false));
        held.retry(&mut attempt(&server, Instant::now(), &mut None));
        assert_eq!(
            read_all(&reader),
            [&b"abc"[..], b"def", b"gh", b"nex", b"t"]
        );
        assert!(held.is_empty());
        assert_eq!(held.costs.of_all, 0);
        assert!(held.costs.of_client.is_empty());
    }

    /// The system keeps ten datagrams or so for one who does not read.
    #[test]
    fn where_a_piece_is_not_taken_the_rest_is_dropped() {
        let (server, (reader, to)) = (UnixDatagram::unbound().expect("a socket"), socket());
        let mut held = Held::new(1);
        assert!(held.keep(&to, &[b'x'; 90], false) && held.keep(&to, b"n", false));
        let start = Instant::now();
        let unread = &mut None;
        held.retry(&mut attempt(&server, start, unread));
        let first = read_all(&reader).len();
        assert!((1..45).contains(&first), "{first} pieces");
        held.retry(&mut attempt(&server, start, unread));
        let mut late = attempt(&server, start + limits::HELD_DATAGRAM, unread);
        held.retry(&mut late);
        let [whole, next] = &late.lost[..] else {
            panic!("{:?} are lost", late.lost);
        };
        assert!(whole.is_rest && !next.is_rest);
        assert!(whole.len < 90 - first && next.len == 1);
        assert!(held.is_empty() && held.costs.of_all == 0);
        let second = read_all(&reader);
        assert_eq!(first + second.len() + whole.len, 90);
        assert!(second.concat().iter().all(|byte| *byte == b'x'));
    }

    #[test]
    fn one_client_cannot_have_the_room_of_all() {
        let mut costs = Costs::default();
        let (greedy, other) = (client("/greedy"), client("/other"));
        while costs.have_room(&greedy, 1_000) {
            costs.add(&greedy, 1_000);
        }
        assert!(costs.of_all < limits::HELD_DATAGRAMS / SHARE);
        assert!(costs.have_room(&other, limits::HELD_DATAGRAMS / 3));
        costs.add(&other, limits::HELD_DATAGRAMS / 3);
        assert!(!costs.have_room(&other, 1_000));
        assert!(costs.have_room(&client("/third"), limits::HELD_DATAGRAMS / 4));
    }

    #[test]
    fn however_many_wait_there_is_room_for_one_more() {
        let mut costs = Costs::default();
        for number in 0..50 {
            let to = client(&format!("/{number}"));
            assert!(costs.have_room(&to, 1_000), "{number}");
            while costs.have_room(&to, 1_000) {
                costs.add(&to, 1_000);
            }
        }
    }
}
