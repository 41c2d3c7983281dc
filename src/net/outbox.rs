//! The buffer into which a service writes its replies.

use std::fmt;
use std::path::{Path, PathBuf};

/// The way on which replies reach the clients of one kind of listener.
pub(crate) trait Sink {
    /// The buffer for the client, to which a reply is appended.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Sends everything that is queued, and waits a little if it must.
    fn flush(&mut self);

    /// The largest size of a datagram, if the replies are datagrams. A longer reply is
    /// sent in several.
    fn limit(&self) -> Option<usize> {
        None
    }

    /// Sends the reply through a named pipe instead.
    fn send_through(&mut self, pipe: PathBuf);

    /// The named pipe through which the reply goes, if it does.
    fn pipe(&self) -> Option<&Path> {
        None
    }
}

/// The error for a reply that a client cannot get by datagram. No part of it may be
/// sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply has {size} bytes, and at most {limit} can be sent by datagram")]
pub struct TooLarge {
    /// The size of the reply in bytes.
    pub size: usize,
    /// The size that it may have.
    pub limit: usize,
}

/// The outbox for the reply to one request.
pub struct Outbox<'a> {
    sink: &'a mut dyn Sink,
    /// The position at which the reply begins, until it was sent.
    start: Option<usize>,
}

impl<'a> Outbox<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink) -> Self {
        let start = Some(sink.buffer().len());
        Outbox { sink, start }
    }

    /// Takes back what was written of the reply, if it was not sent yet.
    pub(crate) fn take_back(&mut self) -> bool {
        if let Some(start) = self.start {
            self.sink.buffer().truncate(start);
        }
        self.start.is_some()
    }

    /// The bytes for the client, behind which the reply is appended.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.sink.buffer()
    }

    /// Sends everything that is queued, and waits a fifth of a second for a client that
    /// does not take it at once. It is for replies after which the server may be gone.
    pub fn flush(&mut self) {
        self.start = None;
        self.sink.flush();
    }

    /// The largest size of a datagram to this client, if replies are datagrams.
    fn limit(&self) -> Option<usize> {
        self.sink.limit()
    }

    /// Whether the client can take the reply that was written since the buffer had
    /// `start` bytes.
    ///
    /// # Errors
    /// A datagram cannot carry it.
    pub fn check_reply(&mut self, start: usize) -> Result<(), TooLarge> {
        self.check_reply_in_pieces(start, 0)
    }

    /// As [`check_reply`](Self::check_reply), for clients that reassemble a reply of up
    /// to `most` bytes from several datagrams.
    ///
    /// # Errors
    /// The reply is longer, and a single datagram cannot carry it either.
    pub fn check_reply_in_pieces(&mut self, start: usize, most: usize) -> Result<(), TooLarge> {
        let size = self.buffer().len().saturating_sub(start);
        let limit = self.limit().map(|limit| limit.max(most));
        match limit {
            Some(limit) if size > limit => Err(TooLarge { size, limit }),
            _ => Ok(()),
        }
    }

    /// Sends the reply through the client's own named pipe instead of the way the
    /// request came. It must be called before [`flush`](Self::flush).
    pub fn send_through(&mut self, pipe: PathBuf) {
        self.sink.send_through(pipe);
    }

    /// The named pipe through which the reply goes, if it does. In the log the client
    /// has no other name.
    #[must_use]
    pub fn pipe(&self) -> Option<&Path> {
        self.sink.pipe()
    }
}

impl fmt::Debug for Outbox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}
