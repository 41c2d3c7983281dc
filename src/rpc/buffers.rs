//! The memory that is used by one call after the other. An engine keeps it, so that an
//! everyday call needs no memory from the system.

use rpc_wire::value::Reply;

use crate::handles::Handles;

/// The reply of a call, the handles of its parts, and the texts that were made for the
/// command.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) reply: Reply,
    pub(crate) handles: Handles,
    pub(crate) made: MadeTexts,
}

impl Buffers {
    /// Buffers for replies of at most `max_reply` bytes.
    pub(crate) fn new(max_reply: usize) -> Self {
        Buffers {
            reply: Reply::with_limit(max_reply),
            ..Self::default()
        }
    }

    /// Makes the buffers ready for the next call, and returns the memory of an
    /// unusually large one to the system.
    pub(crate) fn clear(&mut self) {
        self.reply.clear();
        self.handles.clear();
        self.made.clear();
    }
}

/// The number of bytes of texts that are kept in one chunk.
const CHUNK: usize = 1024;

/// Texts that were given to a command, which may use them until it returns. Whoever
/// sends the parameters chooses how many there are, so memory for them is reserved with
/// care.
///
/// # Invariants
/// A text ends with a NUL and is not moved before [`MadeTexts::clear`], because a chunk
/// is never filled beyond its first capacity.
#[derive(Debug)]
pub(crate) struct MadeTexts {
    chunks: Vec<Vec<u8>>,
    /// The NUL of the empty text, which stands for everything that is missing. Most
    /// commands read parameters until there are none.
    nothing: Vec<u8>,
}

impl Default for MadeTexts {
    fn default() -> Self {
        MadeTexts {
            chunks: Vec::new(),
            nothing: vec![0],
        }
    }
}

impl MadeTexts {
    /// Whether there is memory for one more text of `len` bytes.
    pub(crate) fn make_room(&mut self, len: usize) -> bool {
        let has_room = |chunk: &Vec<u8>| chunk.capacity() - chunk.len() > len;
        self.chunks.last().is_some_and(has_room) || self.add_chunk(len + 1)
    }

    fn add_chunk(&mut self, size: usize) -> bool {
        let mut chunk = Vec::new();
        let is_there =
            chunk.try_reserve_exact(size.max(CHUNK)).is_ok() && self.chunks.try_reserve(1).is_ok();
        if is_there {
            self.chunks.push(chunk);
        }
        is_there
    }

    /// Keeps a copy of `text` and returns its address, writable as C expects it, if
    /// there is memory for it.
    pub(crate) fn keep(&mut self, text: &[u8]) -> Option<(*mut u8, usize)> {
        if !self.make_room(text.len()) {
            return None;
        }
        let chunk = self.chunks.last_mut()?;
        let start = chunk.len();
        // INVARIANT: the text and its NUL fit into the chunk's capacity, so it does not
        // move.
        chunk.extend_from_slice(text);
        chunk.push(0);
        Some((chunk.as_mut_ptr().wrapping_add(start), text.len()))
    }

    /// The address of an empty text.
    pub(crate) fn nothing(&mut self) -> (*mut u8, usize) {
        (self.nothing.as_mut_ptr(), 0)
    }

    fn clear(&mut self) {
        self.chunks.retain(|chunk| chunk.capacity() <= CHUNK);
        self.chunks.truncate(1);
        self.chunks.shrink_to(1);
        self.chunks.iter_mut().for_each(Vec::clear);
        // A command may have written to it.
        self.nothing.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_texts_end_with_a_nul_and_stay_where_they_are() {
        let mut made = MadeTexts::default();
        let first = made.keep(b"42").expect("there is memory");
        let start = made.chunks[0].as_ptr();
        assert_eq!((first.0.cast_const(), first.1), (start, 2));
        for _ in 0..2 * CHUNK {
            made.keep(b"1").expect("there is memory");
        }
        made.keep(&[b'x'; 2 * CHUNK]).expect("there is memory");
        assert_eq!(made.chunks[0].as_ptr(), start);
        assert!(made.chunks[0].starts_with(b"42\x001\0"));
        assert!(made.chunks.len() > 4);
    }

    #[test]
    fn room_for_very_many_texts_is_given_back() {
        let mut made = MadeTexts::default();
        made.keep(&[b'x'; 2 * CHUNK]).expect("there is memory");
        for _ in 0..10 * CHUNK {
            made.keep(b"1").expect("there is memory");
        }
        made.clear();
        assert_eq!(made.chunks.len(), 1);
        assert!(made.chunks[0].is_empty() && made.chunks[0].capacity() <= CHUNK);
    }

    #[test]
    fn what_is_missing_is_always_the_same_empty_text() {
        let mut made = MadeTexts::default();
        let first = made.nothing();
        assert_eq!((first.1, &made.nothing), (0, &vec![0]));
        made.nothing[0] = b'x';
        made.clear();
        assert_eq!((made.nothing(), &made.nothing), (first, &vec![0]));
    }
}
