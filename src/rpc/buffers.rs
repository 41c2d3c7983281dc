//! What one call after the other fills: an engine keeps it, so that an everyday
//! call takes no memory from the system.

use rpc_wire::value::Reply;

use crate::handles::Handles;

/// The reply of a call, the handles of its parts, and the texts that were made
/// for the command.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) reply: Reply,
    pub(crate) handles: Handles,
    pub(crate) made: MadeTexts,
}

impl Buffers {
    /// Buffers for replies of at most so many bytes.
    pub(crate) fn new(max_reply: usize) -> Self {
        Buffers {
            reply: Reply::with_limit(max_reply),
            ..Self::default()
        }
    }

    /// Makes them ready for the next call. What an unusually large one took goes
    /// back to the system.
    pub(crate) fn clear(&mut self) {
        self.reply.clear();
        self.handles.clear();
        self.made.clear();
    }
}

/// How many made texts cleared buffers keep room for.
const KEPT_TEXTS: usize = 64;

/// Texts that a command was given and may hold until it returns.
///
/// # Invariants
/// A text ends with a NUL and is not moved before [`MadeTexts::clear`].
#[derive(Debug)]
pub(crate) struct MadeTexts {
    texts: Vec<Vec<u8>>,
    /// The NUL of the text without bytes, which stands for all that is missing:
    /// most commands read parameters until there are none.
    nothing: Vec<u8>,
}

impl Default for MadeTexts {
    fn default() -> Self {
        MadeTexts {
            texts: Vec::new(),
            nothing: vec![0],
        }
    }
}

impl MadeTexts {
    /// Keeps a copy of `text` and gives its place, writable as C has it.
    pub(crate) fn keep(&mut self, text: &[u8]) -> (*mut u8, usize) {
        // INVARIANT: a vector in a vector may move, its bytes do not.
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text);
        bytes.push(0);
        let place = bytes.as_mut_ptr();
        self.texts.push(bytes);
        (place, text.len())
    }

    /// The place of a text without bytes.
    pub(crate) fn nothing(&mut self) -> (*mut u8, usize) {
        (self.nothing.as_mut_ptr(), 0)
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.texts.shrink_to(KEPT_TEXTS);
        // A command may have written there.
        self.nothing.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_text_ends_with_a_nul() {
        let mut made = MadeTexts::default();
        let (place, len) = made.keep(b"42");
        assert_eq!((place.cast_const(), len), (made.texts[0].as_ptr(), 2));
        assert_eq!(made.texts, [b"42\0"]);
    }

    #[test]
    fn room_for_very_many_texts_is_given_back() {
        let mut made = MadeTexts::default();
        for _ in 0..10 * KEPT_TEXTS {
            made.keep(b"1");
        }
        made.clear();
        assert!(made.texts.capacity() <= KEPT_TEXTS);
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
