//! Clients of a Unix datagram socket that do not read.
//!
//! The system counts a datagram against the socket that sent it until it is read. A
//! client whose socket is connected to ours may leave as many unread as there is room
//! for. So a client that keeps asking and reads nothing would take the room of all
//! others. The system does not tell what a single client has not read, only what all of
//! them together have not. While that is little, no client is checked. When it is more,
//! a client may have a share of what is left. Once it has had that, its replies wait
//! until the sum shows that it reads, or are lost.
//!
//! Counting what a client was sent would be simpler and does not do: a client that reads
//! would use up its share like one that does not, and if shares grew again with time,
//! those that read nothing would take everything after a while.
//!
//! The sum shows it if it is not above its lowest value before the client's last reply:
//! then that reply has been read, and so have all before it. While others fill their
//! shares this can be missed. So a client that gets nothing is tried with one reply,
//! after twice as long each time.

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use kamailio_core::datagrams;
use rustix::net::SocketAddrAny;

/// The fraction of the room from which on clients have shares.
const TIGHT: usize = 4;

/// The fraction of what is left that a client may have. However many clients take
/// theirs, something is left for the next.
const SHARE: usize = 8;

/// A reply of more bytes must leave as much room as it takes. A smaller one may use up
/// what is left.
const LARGE: usize = 64 * 1024;

/// The fraction of the room that may be sent before the system is asked again.
const UNASKED: usize = 64;

/// The least time for which the lowest sum counts.
const WINDOW: Duration = Duration::from_millis(100);

/// The time that a client without replies waits for its first trial, and the longest
/// time for the next one.
const FIRST_TRIAL: Duration = Duration::from_millis(100);
const LAST_TRIAL: Duration = Duration::from_secs(3600);

/// The number of clients that are remembered. If there are more, all of them get a new
/// share.
const CLIENTS: usize = 4096;

/// What the clients of one socket have not read, as far as it is known.
#[derive(Debug)]
pub(super) struct ReceiveQuota {
    /// The room for unread datagrams, in bytes as the system counts them.
    room: usize,
    /// The bytes that were sent since the system was asked.
    since_asked: usize,
    is_tight: bool,
    lowest: Lowest,
    clients: HashMap<SocketAddrAny, ClientShare>,
}

/// The lowest sum in this window and the one before.
#[derive(Debug)]
struct Lowest {
    since: Instant,
    before: usize,
    now: usize,
}

#[derive(Debug)]
struct ClientShare {
    /// The bytes that the client may not have read.
    sent: usize,
    /// The lowest sum when it got its last reply.
    lowest: usize,
    /// The time at which it gets one more reply although its share is used up.
    trial: Option<Instant>,
    wait: Duration,
}

/// Approximately what the system counts for a datagram.
fn cost(len: usize) -> usize {
    const AROUND: usize = 768;
    len + AROUND
}

impl ReceiveQuota {
    pub(super) fn new(room: usize) -> Self {
        ReceiveQuota {
            room,
            since_asked: 0,
            is_tight: false,
            lowest: Lowest::new(0, Instant::now()),
            clients: HashMap::new(),
        }
    }

    /// Whether a client of this socket may have a reply of `len` bytes.
    pub(super) fn allows(
        &mut self,
        socket: BorrowedFd<'_>,
        to: &SocketAddrAny,
        len: usize,
    ) -> bool {
        self.allows_if(to, len, || datagrams::unread(socket))
    }

    /// Whether a client gets a reply of `len` bytes. `ask` returns how many bytes all
    /// clients have not read.
    fn allows_if(&mut self, to: &SocketAddrAny, len: usize, ask: impl FnOnce() -> usize) -> bool {
        self.since_asked += cost(len);
        // If little is unread the next look can wait, because no more can be unread
        // than was sent.
        if !self.is_tight && self.since_asked < self.room / UNASKED {
            return true;
        }
        self.since_asked = 0;
        self.allows_with(to, len, ask(), Instant::now())
    }

    fn allows_with(&mut self, to: &SocketAddrAny, len: usize, sum: usize, now: Instant) -> bool {
        let was_tight = self.is_tight;
        self.is_tight = sum > self.room / TIGHT;
        if !self.is_tight {
            self.clients = HashMap::new();
            return true;
        }
        if !was_tight {
            self.lowest = Lowest::new(sum, now);
        }
        let lowest = self.lowest.with(sum, now);
        if self.clients.len() >= CLIENTS && !self.clients.contains_key(to) {
            self.clients = HashMap::new();
        }
        let client = self.clients.entry(to.clone()).or_insert(ClientShare::NEW);
        if sum <= client.lowest {
            *client = ClientShare::NEW;
        }
        let left = self.room.saturating_sub(sum);
        if len > LARGE && cost(len) > left / 2 {
            return false;
        }
        client.takes(cost(len), left / SHARE, lowest, now)
    }
}

impl Lowest {
    fn new(sum: usize, now: Instant) -> Self {
        Lowest {
            since: now,
            before: sum,
            now: sum,
        }
    }

    /// The lowest sum, including this one.
    fn with(&mut self, sum: usize, now: Instant) -> usize {
        if now.saturating_duration_since(self.since) >= WINDOW {
            self.since = now;
            self.before = self.now;
            self.now = sum;
        }
        self.now = self.now.min(sum);
        self.now.min(self.before)
    }
}

impl ClientShare {
    const NEW: ClientShare = ClientShare {
        sent: 0,
        lowest: 0,
        trial: None,
        wait: FIRST_TRIAL,
    };

    /// Whether the client may have this much, which is then counted. The first reply
    /// may be larger than the share.
    fn takes(&mut self, cost: usize, share: usize, lowest: usize, now: Instant) -> bool {
        if self.sent > 0 && self.sent + cost > share {
            match self.trial {
                Some(at) if now >= at => {
                    self.trial = Some(now + self.wait);
                    self.wait = (self.wait * 2).min(LAST_TRIAL);
                }
                Some(_) => return false,
                None => {
                    self.trial = Some(now + self.wait);
                    return false;
                }
            }
        }
        self.sent += cost;
        self.lowest = lowest;
        true
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::SocketAddrUnix;

    use super::*;

    const ROOM: usize = 4 * 1024 * 1024;
    const TIGHT_SUM: usize = ROOM / TIGHT + 1;

    fn client(name: &str) -> SocketAddrAny {
        SocketAddrUnix::new(name).expect("a short name").into()
    }

    /// Lets a client read nothing until it gets nothing, and returns what is unread
    /// then.
    fn sum_after_deaf(
        quota: &mut ReceiveQuota,
        to: &SocketAddrAny,
        now: Instant,
        sum: usize,
    ) -> usize {
        let mut sum = sum;
        while quota.allows_with(to, 1_000, sum, now) {
            sum += cost(1_000);
        }
        sum
    }

    #[test]
    fn nobody_is_looked_at_while_little_is_unread() {
        let mut quota = ReceiveQuota::new(ROOM);
        let to = client("/deaf");
        for _ in 0..10_000 {
            assert!(quota.allows_if(&to, 1_000, || ROOM / TIGHT));
        }
        assert!(quota.clients.is_empty());
    }

    #[test]
    fn those_that_read_nothing_leave_something_for_the_next() {
        let mut quota = ReceiveQuota::new(ROOM);
        let now = Instant::now();
        let mut sum = TIGHT_SUM;
        for number in 0..30 {
            let before = sum;
            sum = sum_after_deaf(&mut quota, &client(&format!("/{number}")), now, sum);
            assert!(sum - before <= (ROOM - before) / SHARE + cost(1_000));
        }
        assert!(ROOM - sum > 60_000);
    }

    #[test]
    fn large_replies_that_nobody_reads_leave_room_for_others() {
        const LEN: usize = 1024 * 1024;
        let mut quota = ReceiveQuota::new(ROOM);
        let start = Instant::now();
        let mut sum = TIGHT_SUM;
        // Each of them is tried again until its last trial.
        for number in 0..100 {
            let to = client(&format!("/{}", number % 10));
            if quota.allows_with(&to, LEN, sum, start + FIRST_TRIAL * number) {
                sum += cost(LEN);
            }
        }
        assert!(ROOM - sum > LEN, "{} are left", ROOM - sum);
        assert!(quota.allows_with(&client("/small"), 60_000, sum, start));
    }

    #[test]
    fn one_that_reads_has_no_end() {
        let mut quota = ReceiveQuota::new(ROOM);
        let to = client("/reads");
        let now = Instant::now();
        for _ in 0..1_000 {
            assert!(quota.allows_with(&to, 60_000, TIGHT_SUM, now));
        }
    }

    #[test]
    fn one_that_could_not_be_seen_to_read_is_tried_and_seen() {
        let mut quota = ReceiveQuota::new(ROOM);
        let to = client("/reads");
        let start = Instant::now();
        // Meanwhile other clients do not read what they get.
        let mut sum = TIGHT_SUM;
        while quota.allows_with(&to, 1_000, sum, start) {
            sum += 1;
        }
        let after = |windows| start + WINDOW * windows;
        assert!(!quota.allows_with(&to, 1_000, sum, start + WINDOW / 2));
        assert!(quota.allows_with(&to, 1_000, sum, after(1)));
        // The sum was lower in the window before.
        assert!(!quota.allows_with(&to, 1_000, sum, after(1) + WINDOW / 2));
        assert!(quota.allows_with(&to, 1_000, sum, after(2)));
        for _ in 0..1_000 {
            assert!(quota.allows_with(&to, 1_000, sum, after(2)));
        }
    }

    #[test]
    fn trials_of_one_that_reads_nothing_become_rare() {
        let mut quota = ReceiveQuota::new(ROOM);
        let to = client("/deaf");
        let start = Instant::now();
        let mut sum = sum_after_deaf(&mut quota, &to, start, TIGHT_SUM);
        let mut trials = 0;
        for number in 1..=1_000 {
            if quota.allows_with(&to, 1_000, sum, start + FIRST_TRIAL * number) {
                sum += cost(1_000);
                trials += 1;
            }
        }
        assert_eq!(trials, 10);
    }

    #[test]
    fn when_all_is_read_everything_is_forgotten() {
        let mut quota = ReceiveQuota::new(ROOM);
        let to = client("/deaf");
        let start = Instant::now();
        sum_after_deaf(&mut quota, &to, start, TIGHT_SUM);
        assert!(quota.allows_with(&to, 1_000, 0, start));
        assert!(quota.clients.is_empty() && !quota.is_tight);
    }
}
