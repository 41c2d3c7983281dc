//! Sockets for datagrams, each of which is a request or a reply.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use kamailio_core::datagrams::{self, Patience, Received};
use kamailio_core::{log_limited, process};
use rpc_wire::listen::Transport;
use rustix::io::Errno;
use rustix::net::sockopt::socket_send_buffer_size;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SocketAddrAny, sendmmsg, sendto};

use super::batch::{Batch, Piece};
use super::pending::{Lost, PendingReplies, WITHOUT_WAITING, may_go_later};
use super::quota::ReceiveQuota;
use crate::context::{HandlerContext, TimeSlice};
use crate::headroom;
use crate::input::NoMemory;
use crate::limits;
use crate::listen::Endpoint;
use crate::outbox::Sink;
use crate::peer::Peer;
use crate::service::{Incoming, Service, serve_safely};

/// The size of the buffer for one datagram.
const ROOM: usize = limits::READ_AT_ONCE;

/// A UDP or Unix datagram socket. It is in blocking mode, and each call says whether it
/// waits.
#[derive(Debug)]
pub(crate) struct DatagramSocket {
    socket: OwnedFd,
    endpoint: Arc<Endpoint>,
    /// The largest size of a datagram in bytes.
    limit: usize,
    /// The number of datagrams that are received with one system call.
    at_once: usize,
    /// The lengths and senders of the datagrams that were received last.
    received: Vec<Received>,
    /// The requests that were received and wait for the socket's next turn.
    left: VecDeque<Request>,
    batch: Batch,
    pending: PendingReplies,
}

#[derive(Debug)]
struct Request {
    peer: Option<SocketAddrAny>,
    bytes: Vec<u8>,
}

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl DatagramSocket {
    /// Prepares a socket. From one that is shared with other processes a single
    /// datagram is received at a time, so that they can take the others while a command
    /// runs.
    pub(crate) fn new(socket: OwnedFd, endpoint: Arc<Endpoint>, is_shared: bool) -> Self {
        // If the system does not tell the size, each reply is checked.
        let room = socket_send_buffer_size(&socket).unwrap_or(0);
        let limit = match (endpoint.listen.transport, endpoint.address) {
            (Transport::Udp, Some(SocketAddr::V4(_))) => limits::UDP4_REPLY,
            (Transport::Udp, _) => limits::UDP6_REPLY,
            _ => unix_limit(room),
        };
        let is_unix = endpoint.listen.transport == Transport::UnixDatagram;
        let quota = is_unix.then(|| Box::new(ReceiveQuota::new(room)));
        let pending = PendingReplies::new(limit, endpoint.patience, quota);
        DatagramSocket {
            socket,
            endpoint,
            limit,
            at_once: if is_shared { 1 } else { datagrams::AT_ONCE },
            received: Vec::with_capacity(datagrams::AT_ONCE),
            left: VecDeque::new(),
            batch: Batch::default(),
            pending,
        }
    }

    /// The endpoint at which it listens.
    pub(crate) fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Whether replies have to be tried again.
    pub(crate) fn has_pending_replies(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether it has work for its next turn without waiting for an event.
    pub(crate) fn is_runnable(&self) -> bool {
        !self.left.is_empty()
    }

    /// Answers what has come, as far as one turn goes. The replies are sent together.
    pub(crate) fn work(&mut self, context: &mut HandlerContext<'_>) {
        if !self.left.is_empty() {
            self.answer_left(TimeSlice::start(), context.service);
        } else if self.receive(Patience::None, context).is_ok() {
            self.answer_received(TimeSlice::start(), context);
        }
        self.send();
    }

    /// As [`work`](Self::work), but waits until something comes. It is for a process
    /// that has nothing else to do.
    ///
    /// # Errors
    /// The socket reported something else. If that happens repeatedly, this does not
    /// wait.
    pub(crate) fn wait_and_work(&mut self, context: &mut HandlerContext<'_>) -> Result<(), Errno> {
        self.receive(Patience::Endless, context)?;
        process::update_config();
        self.answer_received(TimeSlice::start(), context);
        self.send();
        Ok(())
    }

    /// Receives datagrams, if there are any, each into its own part of the context's
    /// buffer.
    fn receive(
        &mut self,
        patience: Patience,
        context: &mut HandlerContext<'_>,
    ) -> Result<(), Errno> {
        let all = context.input.len();
        let rooms = &mut context.input[..all.min(ROOM * self.at_once)];
        let socket = self.socket.as_fd();
        let taken = datagrams::receive(socket, rooms, ROOM, patience, &mut self.received);
        match taken {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            // The error that the system reports here concerns an earlier reply.
            Err(error) => {
                log_limited!(Warning, "on {}: {error}", self.endpoint);
                Err(error)
            }
        }
    }

    fn answer_received(&mut self, slice: TimeSlice, context: &mut HandlerContext<'_>) {
        let mut received = std::mem::take(&mut self.received);
        let datagrams = received.drain(..).zip(context.input.chunks_exact(ROOM));
        for (index, (datagram, room)) in datagrams.enumerate() {
            let bytes = &room[..datagram.len.min(room.len())];
            // The clock is only read if there are several datagrams.
            if self.left.is_empty() && (index == 0 || !slice.is_over()) {
                self.answer(datagram.from, bytes, context.service);
            } else if headroom::allows_keeping(bytes.len()) {
                self.left.push_back(Request {
                    peer: datagram.from,
                    bytes: bytes.to_vec(),
                });
            } else {
                let endpoint = &self.endpoint;
                log_limited!(Warning, "a request on {endpoint} is lost: {NoMemory}");
            }
        }
        self.received = received;
    }

    fn answer_left(&mut self, slice: TimeSlice, service: &mut dyn Service) {
        while let Some(request) = self.left.pop_front() {
            self.answer(request.peer, &request.bytes, service);
            if slice.is_over() {
                return;
            }
        }
    }

    fn answer(&mut self, peer: Option<SocketAddrAny>, bytes: &[u8], service: &mut dyn Service) {
        let Some(address) = peer else {
            return self.run_only(bytes, service);
        };
        let endpoint = Arc::clone(&self.endpoint);
        let incoming = Incoming {
            listener: &endpoint,
            peer: &Peer::of_datagram(&address),
            bytes,
        };
        let start = self.batch.bytes.len();
        let mut sink = DatagramReply {
            socket: self,
            address,
            start,
        };
        serve_datagram(incoming, service, &mut sink);
        sink.close();
        if self.batch.is_large() {
            self.send();
        }
    }

    /// Runs a request from a Unix socket without a name, which cannot be answered. Some
    /// scripts do not wait for an answer.
    fn run_only(&self, bytes: &[u8], service: &mut dyn Service) {
        let sink = &mut NoReply(Vec::new());
        let incoming = Incoming {
            listener: &self.endpoint,
            peer: &Peer::Local(None),
            bytes,
        };
        serve_datagram(incoming, service, sink);
        log_limited!(
            Info,
            "a request on {} came from a socket without a name, so its reply is dropped",
            self.endpoint
        );
    }

    /// Keeps what was written since `start`, because the client has used up the room
    /// for replies that it does not read.
    fn hold_for_deaf(&mut self, to: &SocketAddrAny, start: usize) {
        let len = self.batch.bytes.len() - start;
        if len > 0 && !self.pending.allows(self.socket.as_fd(), to, len) {
            let reply = self.batch.bytes.split_off(start);
            self.not_sent(to, &reply, false, Errno::AGAIN);
        }
    }

    /// Sends the replies of this batch.
    fn send(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        let mut next = 0;
        while let Some(rest @ [first, ..]) = batch.pieces.get(next..) {
            match self.send_together(rest, &batch.bytes) {
                Ok(count) => next += count,
                Err(Errno::INTR) => {}
                Err(error) => {
                    let unsent = &batch.bytes[first.rest_of_reply()];
                    self.not_sent(&first.to, unsent, first.continues(), error);
                    next += rest.iter().take_while(|it| it.is_of_reply(first)).count();
                }
            }
        }
        self.batch = batch.emptied();
    }

    /// Sends pieces up to the first that cannot be sent. The next call returns the
    /// error of that one.
    fn send_together(&self, pieces: &[Piece], bytes: &[u8]) -> Result<usize, Errno> {
        if pieces
            .first()
            .is_some_and(|it| self.pending.has_for(&it.to))
        {
            return Err(Errno::AGAIN);
        }
        if let [Piece { to, range, .. }] = pieces {
            let sent = sendto(&self.socket, &bytes[range.clone()], WITHOUT_WAITING, to);
            return sent.map(|_| 1);
        }
        let ready = pieces.iter().take_while(|it| !self.pending.has_for(&it.to));
        let slices: Vec<_> = ready
            .map(|it| (&it.to, [IoSlice::new(&bytes[it.range.clone()])]))
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
        sendmmsg(&self.socket, &mut messages, WITHOUT_WAITING)
    }

    /// Keeps a reply that could not be sent, or its rest, if it can be sent later.
    /// Otherwise it is lost.
    fn not_sent(&mut self, to: &SocketAddrAny, bytes: &[u8], is_rest: bool, error: Errno) {
        if may_go_later(error) && self.pending.keep(to, bytes, is_rest) {
            return;
        }
        let lost = Lost {
            to: to.clone(),
            len: bytes.len(),
            is_rest,
            error,
        };
        log_limited!(
            Warning,
            "{} on {}: {lost}: {error}",
            lost.peer(),
            self.endpoint
        );
    }

    fn report_waited_in_vain(&self, lost: &[Lost]) {
        for lost in lost {
            log_limited!(
                Warning,
                "{} on {}: {lost}, for its client did not take it: {}",
                lost.peer(),
                self.endpoint,
                lost.error
            );
        }
    }

    /// Tries again what could not be sent.
    pub(crate) fn retry(&mut self, now: Instant) {
        let lost = self.pending.retry(self.socket.as_fd(), now);
        self.report_waited_in_vain(&lost);
    }

    fn retry_for(&mut self, to: &SocketAddrAny) {
        let socket = self.socket.as_fd();
        let lost = self.pending.retry_for(socket, to, Instant::now());
        self.report_waited_in_vain(&lost);
    }

    /// Sends everything that is queued, and waits a little if this client does not take
    /// its reply.
    fn flush(&mut self, to: &SocketAddrAny) {
        self.send();
        let start = Instant::now();
        while self.pending.has_for(to) && start.elapsed() < limits::FLUSH {
            std::thread::sleep(limits::RETRY);
            self.retry_for(to);
        }
    }
}

/// The largest size of a Unix datagram, which depends on the send buffer.
fn unix_limit(buffer: usize) -> usize {
    let most = buffer.saturating_sub(limits::UNIX_DATAGRAM_OVERHEAD);
    most.clamp(1, limits::UNIX_DATAGRAM_REPLY)
}

fn serve_datagram(incoming: Incoming<'_>, service: &mut dyn Service, sink: &mut dyn Sink) {
    serve_safely(service, incoming, sink, (), |service, outbox| {
        service.serve_datagram(incoming, outbox);
    });
}

/// The reply to one datagram.
struct DatagramReply<'a> {
    socket: &'a mut DatagramSocket,
    address: SocketAddrAny,
    start: usize,
}

impl DatagramReply<'_> {
    /// Makes what was written so far a reply of its own.
    fn close(&mut self) {
        self.socket.hold_for_deaf(&self.address, self.start);
        let most = self.socket.limit;
        self.socket.batch.close(&self.address, self.start, most);
        self.start = self.socket.batch.bytes.len();
    }
}

impl Sink for DatagramReply<'_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.socket.batch.bytes
    }

    fn flush(&mut self) {
        self.close();
        self.socket.flush(&self.address);
        self.start = 0;
    }

    fn limit(&self) -> Option<usize> {
        Some(self.socket.limit)
    }

    fn send_through(&mut self, _pipe: PathBuf) {
        // A datagram is answered at its sender, so nothing goes through a pipe.
    }
}

/// A reply that nobody gets.
struct NoReply(Vec<u8>);

impl Sink for NoReply {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    fn flush(&mut self) {}

    fn send_through(&mut self, _pipe: PathBuf) {
        // Only the clients of named pipes are answered through another pipe.
    }
}
