//! The bytes that wait for a stream client.

use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Instant;

use kamailio_core::log_limited;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use crate::limits;
use crate::listen::Endpoint;
use crate::outbox::Sink;
use crate::peer::Peer;
use crate::wait::wait_writable;

/// Replies for a stream client, in their order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    bytes: Vec<u8>,
    sent: usize,
}

/// The error if the client cannot be written to any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl Queue {
    /// The number of bytes that are not sent.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// The buffer to which replies are appended.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Sends what the client takes now, up to what one turn allows, and returns its
    /// length.
    pub(crate) fn write(&mut self, socket: BorrowedFd<'_>) -> Result<usize, Gone> {
        let before = self.sent;
        while self.len() > 0 && self.sent - before < limits::WRITE_AT_ONCE {
            match send(socket, &self.bytes[self.sent..], SendFlags::NOSIGNAL) {
                Ok(count) => self.sent += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(_) => return Err(Gone),
            }
        }
        let written = self.sent - before;
        self.forget_sent();
        Ok(written)
    }

    /// Sends all of it, and waits a little for a slow client. The caller must check
    /// whether something still waits then.
    pub(crate) fn flush(&mut self, socket: BorrowedFd<'_>) {
        let start = Instant::now();
        while self.write(socket).is_ok() && self.len() > 0 {
            let left = limits::FLUSH.saturating_sub(start.elapsed());
            if left.is_zero() || !wait_writable(socket, left) {
                return;
            }
        }
    }

    /// Drops what was sent. In a long queue it does so only if that is most of it,
    /// because moving the rest would cost more than sending.
    fn forget_sent(&mut self) {
        if self.len() == 0 {
            self.bytes.clear();
            self.sent = 0;
        } else if self.sent > self.bytes.len() / 2 {
            self.bytes.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Takes a spare buffer while there is nothing to send, so that idle connections
    /// hold none.
    pub(crate) fn borrow(&mut self, spare: &mut Vec<u8>) {
        if self.bytes.capacity() == 0 {
            self.bytes = std::mem::take(spare);
        }
    }

    /// Returns the buffer, unless something still waits in it.
    pub(crate) fn give_back(&mut self, spare: &mut Vec<u8>) {
        if self.bytes.is_empty() {
            *spare = std::mem::take(&mut self.bytes);
            spare.shrink_to(limits::QUEUE_BEFORE_PAUSE);
        }
    }
}

/// The way back over the connection itself.
pub(crate) struct Replies<'a> {
    pub(crate) queue: &'a mut Queue,
    pub(crate) socket: BorrowedFd<'a>,
    pub(crate) peer: &'a Peer,
    pub(crate) listener: &'a Endpoint,
}

impl Sink for Replies<'_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        self.queue.buffer()
    }

    fn flush(&mut self) {
        self.queue.flush(self.socket);
        if self.queue.len() > 0 {
            log_limited!(
                Warning,
                "{} on {} did not take {} bytes in time",
                self.peer,
                self.listener,
                self.queue.len()
            );
        }
    }

    fn send_through(&mut self, _pipe: PathBuf) {
        // A client with a connection reads its replies there, so nothing goes through a
        // pipe.
    }
}
