//! Replies to datagrams that the next system call sends.

use std::ops::Range;

use rustix::net::SocketAddrAny;

use crate::limits;

/// Replies, one behind the other in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) pieces: Vec<Piece>,
}

/// The content of one datagram: a reply, or a piece of one that is sent in several.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) to: SocketAddrAny,
    /// The position of its bytes in the buffer.
    pub(crate) range: Range<usize>,
    /// The position of the whole reply.
    pub(crate) reply: Range<usize>,
}

impl Batch {
    /// Makes what was written since `start` the reply to `to`, which is sent in
    /// datagrams of up to `most` bytes.
    pub(crate) fn close(&mut self, to: &SocketAddrAny, start: usize, most: usize) {
        let reply = start..self.bytes.len();
        for at in reply.clone().step_by(most) {
            self.pieces.push(Piece {
                to: to.clone(),
                range: at..reply.end.min(at + most),
                reply: reply.clone(),
            });
        }
    }

    /// Whether so much is waiting that it should be sent before more comes.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes.len() >= limits::QUEUE_BEFORE_PAUSE
    }

    /// The same buffers without contents.
    pub(crate) fn emptied(mut self) -> Self {
        self.bytes.clear();
        self.bytes.shrink_to(limits::QUEUE_BEFORE_PAUSE);
        self.pieces.clear();
        self
    }
}

impl Piece {
    /// The position of this piece and of those behind it in the same reply.
    pub(crate) fn rest_of_reply(&self) -> Range<usize> {
        self.range.start..self.reply.end
    }

    /// Whether other pieces of its reply precede it.
    pub(crate) fn continues(&self) -> bool {
        self.range.start > self.reply.start
    }

    /// Whether the other piece belongs to the same reply.
    pub(crate) fn is_of_reply(&self, other: &Piece) -> bool {
        self.reply == other.reply
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::SocketAddrUnix;

    use super::*;

    fn closed(lengths: &[usize]) -> Vec<(Range<usize>, bool, Range<usize>)> {
        let to = SocketAddrUnix::new("/client").expect("a short name").into();
        let mut batch = Batch::default();
        for len in lengths {
            let start = batch.bytes.len();
            batch.bytes.resize(start + len, 0);
            batch.close(&to, start, 10);
        }
        let told = |piece: &Piece| {
            let rest = piece.rest_of_reply();
            (piece.range.clone(), piece.continues(), rest)
        };
        batch.pieces.iter().map(told).collect()
    }

    #[test]
    fn a_reply_that_fits_is_one_piece() {
        assert_eq!(
            closed(&[10, 3]),
            [(0..10, false, 0..10), (10..13, false, 10..13)]
        );
    }

    #[test]
    fn pieces_are_as_large_as_they_may_be() {
        assert_eq!(
            closed(&[2, 21]),
            [
                (0..2, false, 0..2),
                (2..12, false, 2..23),
                (12..22, true, 12..23),
                (22..23, true, 22..23)
            ]
        );
    }

    #[test]
    fn no_reply_is_no_piece() {
        assert_eq!(closed(&[0]), []);
    }
}
