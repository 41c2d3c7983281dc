//! Where a service writes its replies.

use std::fmt;
use std::path::{Path, PathBuf};

/// How the replies of one kind of listener reach the client.
pub(crate) trait Sink {
    /// What goes to the client; a reply is appended.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Sends all that is queued, and waits a little if it must.
    fn flush(&mut self);

    /// How many bytes one datagram may have, where the replies are datagrams. A
    /// longer reply is sent in several.
    fn limit(&self) -> Option<usize> {
        None
    }

    /// Sends the reply through a named pipe instead.
    fn send_through(&mut self, pipe: PathBuf);

    /// The named pipe that the reply goes through, if it does.
    fn pipe(&self) -> Option<&Path> {
        None
    }
}

/// A reply that a client cannot get by datagram. Nothing of it may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply has {size} bytes, and at most {limit} can be sent by datagram")]
pub struct TooLarge {
    /// How many bytes it has.
    pub size: usize,
    /// How many it may have.
    pub limit: usize,
}

/// Where a service writes the reply to one request.
pub struct Outbox<'a> {
    sink: &'a mut dyn Sink,
    /// Where the reply begins, until it has left.
    start: Option<usize>,
}

impl<'a> Outbox<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink) -> Self {
        let start = Some(sink.buffer().len());
        Outbox { sink, start }
    }

    /// Takes back what was written of the reply. Not possible once it has left.
    pub(crate) fn take_back(&mut self) -> bool {
        if let Some(start) = self.start {
            self.sink.buffer().truncate(start);
        }
        self.start.is_some()
    }

    /// The bytes on their way to the client; the reply goes behind them.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.sink.buffer()
    }

    /// Sends all that is queued and waits a fifth of a second for a client
    /// that does not take it at once: for replies after which the server may
    /// be gone.
    pub fn flush(&mut self) {
        self.start = None;
        self.sink.flush();
    }

    /// How many bytes one datagram to this client may have, where replies are
    /// datagrams.
    fn limit(&self) -> Option<usize> {
        self.sink.limit()
    }

    /// Whether the client can take the reply that was written since the buffer
    /// had `start` bytes.
    ///
    /// # Errors
    /// A datagram does not carry it.
    pub fn check_reply(&mut self, start: usize) -> Result<(), TooLarge> {
        self.check_reply_in_pieces(start, 0)
    }

    /// The same for clients that put a reply of up to `most` bytes together from
    /// several datagrams.
    ///
    /// # Errors
    /// The reply is longer, and a single datagram does not carry it either.
    pub fn check_reply_in_pieces(&mut self, start: usize, most: usize) -> Result<(), TooLarge> {
        let size = self.buffer().len().saturating_sub(start);
        let limit = self.limit().map(|limit| limit.max(most));
        match limit {
            Some(limit) if size > limit => Err(TooLarge { size, limit }),
            _ => Ok(()),
        }
    }

    /// Sends the reply through the client's own named pipe instead of the way
    /// the request came. To be called before [`flush`](Self::flush).
    pub fn send_through(&mut self, pipe: PathBuf) {
        self.sink.send_through(pipe);
    }

    /// The named pipe that the reply goes through, if it does: in the log the client
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
