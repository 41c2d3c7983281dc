//! Sockets for datagrams: each request and each reply is one.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use kamailio_core::{log_limited, panic};
use rpc_wire::listen::Transport;
use rustix::io::Errno;
use rustix::net::{
    MMsgHdr, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrAny, recvfrom, sendmmsg, sendto,
};

use crate::connection::Workshop;
use crate::limits;
use crate::listener::Bound;
use crate::outbox::{Outbox, Sink};
use crate::queue::wait_writable;
use crate::registry::Peer;
use crate::service::Service;

/// Requests taken before others have their turn. Their replies leave together.
const BATCH: usize = 32;

/// Whether a datagram is likely to have come with others.
///
/// Looking for one that is not there costs a system call, so a client that
/// waits for each reply is not made to pay for many that do not; not looking
/// for one that is there costs two.
#[derive(Debug, Default)]
struct Company {
    luck: u32,
    not_looked: u32,
}

impl Company {
    /// Found once, it is looked for at least this many times more.
    const HOPE: u32 = 256;
    /// Without luck it is looked for once in so many times.
    const SELDOM: u32 = 16;

    fn is_likely(&mut self) -> bool {
        self.not_looked += 1;
        self.luck > 0 || self.not_looked >= Self::SELDOM
    }

    fn learn(&mut self, found: bool) {
        self.not_looked = 0;
        self.luck = if found {
            Self::HOPE
        } else {
            self.luck.saturating_sub(1)
        };
    }
}

/// A UDP or a Unix datagram socket.
#[derive(Debug)]
pub(crate) struct DatagramSocket {
    socket: OwnedFd,
    bound: Arc<Bound>,
    limit: usize,
    batch: Batch,
    held: Held,
    company: Company,
}

/// Replies that leave with the next system call.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    replies: Vec<(SocketAddrAny, Range<usize>)>,
}

/// Replies for clients that could take no more. The kernel does not tell when
/// such a client can, so they are tried again now and then.
#[derive(Debug, Default)]
struct Held {
    replies: Vec<HeldReply>,
    bytes: usize,
}

#[derive(Debug)]
struct HeldReply {
    to: SocketAddrAny,
    bytes: Vec<u8>,
    since: Instant,
}

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl DatagramSocket {
    pub(crate) fn new(socket: OwnedFd, bound: Arc<Bound>) -> Self {
        let limit = match (bound.listen.transport, bound.address) {
            (Transport::Udp, Some(SocketAddr::V4(_))) => limits::UDP4_REPLY,
            (Transport::Udp, _) => limits::UDP6_REPLY,
            _ => limits::UNIX_DATAGRAM_REPLY,
        };
        DatagramSocket {
            socket,
            bound,
            limit,
            batch: Batch::default(),
            held: Held::default(),
            company: Company::default(),
        }
    }

    /// Whether replies are to be tried again.
    pub(crate) fn holds(&self) -> bool {
        !self.held.replies.is_empty()
    }

    /// Answers what has come. What is left after that waits for the next turn.
    pub(crate) fn work(&mut self, shop: &mut Workshop<'_>) {
        let mut input = std::mem::take(&mut shop.input);
        if self.receive(&mut input, shop.service) && self.company.is_likely() {
            let more = (1..BATCH)
                .take_while(|_| self.receive(&mut input, shop.service))
                .count();
            self.company.learn(more > 0);
        }
        shop.input = input;
        self.send();
    }

    /// Answers one datagram, if there is one.
    fn receive(&mut self, input: &mut [u8], service: &mut dyn Service) -> bool {
        match recvfrom(&self.socket, &mut *input, RecvFlags::empty()) {
            Ok((count, _, Some(from))) => self.answer(from, &input[..count], service),
            Ok((count, _, None)) => self.run_only(&input[..count], service),
            Err(Errno::AGAIN) => return false,
            Err(Errno::INTR) => {}
            // What the system tells here is about an earlier reply.
            Err(error) => log_limited!(Warning, "on {}: {error}", self.bound),
        }
        true
    }

    fn answer(&mut self, from: SocketAddrAny, datagram: &[u8], service: &mut dyn Service) {
        let peer = match SocketAddr::try_from(from.clone()) {
            Ok(address) => Peer::Inet(address),
            Err(_) => Peer::Local(None),
        };
        let bound = Arc::clone(&self.bound);
        let start = self.batch.bytes.len();
        let mut sink = Reply {
            socket: self,
            from,
            start,
        };
        panic::stop((), || {
            service.serve_datagram(&bound, &peer, datagram, &mut Outbox::new(&mut sink));
        });
        sink.close();
    }

    /// Runs a request from a Unix socket without a name, which nobody can
    /// answer: some scripts do not wait for one.
    fn run_only(&mut self, datagram: &[u8], service: &mut dyn Service) {
        let bound = Arc::clone(&self.bound);
        let mut sink = NoReply(Vec::new());
        panic::stop((), || {
            let outbox = &mut Outbox::new(&mut sink);
            service.serve_datagram(&bound, &Peer::Local(None), datagram, outbox);
        });
        log_limited!(
            Info,
            "a request on {} came from a socket without a name, so its reply is dropped",
            self.bound
        );
    }

    /// Sends the replies of this batch.
    fn send(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let mut next = 0;
        while let Some(rest) = batch.replies.get(next..).filter(|rest| !rest.is_empty()) {
            match self.send_together(rest, &batch.bytes) {
                Ok(count) => next += count,
                Err(Errno::INTR) => {}
                Err(error) => {
                    let (to, range) = &rest[0];
                    self.not_sent(to.clone(), &batch.bytes[range.clone()], error);
                    next += 1;
                }
            }
        }
        self.batch = batch.emptied();
    }

    /// Sends replies up to the first that cannot go. That one's error comes
    /// with the next call.
    fn send_together(
        &self,
        replies: &[(SocketAddrAny, Range<usize>)],
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        if replies.first().is_some_and(|(to, _)| self.held.has_for(to)) {
            return Err(Errno::AGAIN);
        }
        if let [(to, range)] = replies {
            let sent = sendto(&self.socket, &bytes[range.clone()], SendFlags::NOSIGNAL, to);
            return sent.map(|_| 1);
        }
        let ready = replies.iter().take_while(|(to, _)| !self.held.has_for(to));
        let slices: Vec<_> = ready
            .map(|(to, range)| (to, [IoSlice::new(&bytes[range.clone()])]))
            .collect();
        let mut controls: Vec<_> = slices
            .iter()
            .map(|_| SendAncillaryBuffer::default())
            .collect();
        let mut messages: Vec<_> = slices
            .iter()
            .zip(&mut controls)
            .map(|((to, slice), control)| MMsgHdr::new_with_addr(to, slice, control))
            .collect();
        sendmmsg(&self.socket, &mut messages, SendFlags::NOSIGNAL)
    }

    fn not_sent(&mut self, to: SocketAddrAny, bytes: &[u8], error: Errno) {
        if error == Errno::AGAIN && self.held.bytes + bytes.len() <= limits::HELD_DATAGRAMS {
            self.held.bytes += bytes.len();
            self.held.replies.push(HeldReply {
                to,
                bytes: bytes.to_vec(),
                since: Instant::now(),
            });
            return;
        }
        log_limited!(
            Warning,
            "on {}: a reply of {} bytes is lost: {error}",
            self.bound,
            bytes.len()
        );
    }

    /// Tries again what could not be sent.
    pub(crate) fn retry(&mut self, now: Instant) {
        let mut blocked: Vec<SocketAddrAny> = Vec::new();
        let held = std::mem::take(&mut self.held);
        for reply in held.replies {
            let waits = blocked.contains(&reply.to);
            let sent = if waits {
                Err(Errno::AGAIN)
            } else {
                sendto(&self.socket, &reply.bytes, SendFlags::NOSIGNAL, &reply.to)
            };
            match sent {
                Ok(_) => {}
                Err(Errno::AGAIN | Errno::INTR)
                    if now.duration_since(reply.since) < limits::HELD_DATAGRAM =>
                {
                    blocked.push(reply.to.clone());
                    self.held.bytes += reply.bytes.len();
                    self.held.replies.push(reply);
                }
                Err(error) => log_limited!(
                    Warning,
                    "on {}: a reply of {} bytes is lost, for its client did not take it: {error}",
                    self.bound,
                    reply.bytes.len()
                ),
            }
        }
    }

    fn flush(&mut self) {
        self.send();
        let start = Instant::now();
        while self.holds() {
            let left = limits::FLUSH.saturating_sub(start.elapsed());
            if left.is_zero() || !wait_writable(self.socket.as_fd(), left) {
                return;
            }
            self.retry(Instant::now());
        }
    }
}

impl Batch {
    /// What was written since `start` is the reply to `from`.
    fn close(&mut self, from: &SocketAddrAny, start: usize) {
        let end = self.bytes.len();
        if end > start {
            self.replies.push((from.clone(), start..end));
        }
    }

    /// The same buffers with nothing in them.
    fn emptied(mut self) -> Self {
        self.bytes.clear();
        self.bytes.shrink_to(limits::QUEUE_BEFORE_PAUSE);
        self.replies.clear();
        self
    }
}

impl Held {
    fn has_for(&self, to: &SocketAddrAny) -> bool {
        self.replies.iter().any(|held| held.to == *to)
    }
}

/// The reply to one datagram.
struct Reply<'a> {
    socket: &'a mut DatagramSocket,
    from: SocketAddrAny,
    start: usize,
}

impl Reply<'_> {
    /// What was written so far is a reply of its own.
    fn close(&mut self) {
        self.socket.batch.close(&self.from, self.start);
        self.start = self.socket.batch.bytes.len();
    }
}

impl Sink for Reply<'_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.socket.batch.bytes
    }

    fn flush(&mut self) {
        self.close();
        self.socket.flush();
        self.start = 0;
    }

    fn limit(&self) -> Option<usize> {
        Some(self.socket.limit)
    }

    fn send_through(&mut self, _pipe: PathBuf) {
        // A datagram is answered where it came from.
    }
}

/// The reply that nobody gets.
struct NoReply(Vec<u8>);

impl Sink for NoReply {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    fn flush(&mut self) {}

    fn send_through(&mut self, _pipe: PathBuf) {
        // Only named pipes are answered through another.
    }
}
