//! The parameters of a request, as a codec read them.

use super::Span;

/// The bytes of text for which cleared parameters keep memory.
const KEPT_TEXT: usize = 64 * 1024;

/// A member of a structure parameter. Some protocols allow members without a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name, in the text of the [`Params`].
    pub name: Option<Span>,
    /// Its value.
    pub value: Param,
}

/// One parameter. Which types can occur depends on the protocol.
#[derive(Clone, Debug, PartialEq)]
pub enum Param {
    /// A whole number.
    Int(i64),
    /// A whole number above what [`Param::Int`] holds.
    UnsignedLong(u64),
    /// A number with a fraction.
    Float(f64),
    /// Text.
    Text(Span),
    /// A line of a text protocol. It is a text unless the command asks for a structure,
    /// whose escapes differ from those of a text.
    Line {
        /// The text, with its escapes replaced.
        text: Span,
        /// The line as it came.
        raw: Span,
    },
    /// Bytes that are not text.
    Bytes(Span),
    /// True or false.
    Bool(bool),
    /// No value.
    Null,
    /// A structure.
    Struct(Vec<Member>),
    /// An array.
    Array(Vec<Param>),
}

/// The parameters of a request in their order, with one buffer for all their
/// text.
///
/// # Invariants
/// Every text in the buffer is followed by a NUL that belongs to nothing else:
/// commands take text as C strings and some of them write into it.
#[derive(Debug, Default)]
pub struct Params {
    items: Vec<Param>,
    text: Vec<u8>,
    out_of_memory: bool,
    /// Whether one of them has so many members that running a command needs much
    /// memory.
    has_many_members: bool,
}

/// Appends a value if there is memory for it, and returns whether there was. It must
/// not abort, because the sender of a request chooses how many values come.
#[must_use]
pub(crate) fn push_if_room<T>(list: &mut Vec<T>, value: T) -> bool {
    let has_room = list.try_reserve(1).is_ok();
    if has_room {
        list.push(value);
    }
    has_room
}

/// Whether `size` bytes can be allocated at this moment.
#[must_use]
pub fn has_memory_for(size: usize) -> bool {
    let mut trial = Vec::<u8>::new();
    let is_there = trial.try_reserve_exact(size).is_ok();
    // It is kept from the compiler, which may leave out an allocation that nobody uses.
    std::hint::black_box(trial);
    is_there
}

impl Params {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Empties the list, and gives back the memory of an unusually large request.
    pub fn clear(&mut self) {
        self.items.clear();
        self.items.shrink_to(KEPT_TEXT / size_of::<Param>());
        self.text.clear();
        self.text.shrink_to(KEPT_TEXT);
        self.out_of_memory = false;
        self.has_many_members = false;
    }

    /// Whether memory ran out for some of the parameters, or so little is left beside
    /// many of them that the command could not finish. Such a request must not be run.
    #[must_use]
    pub fn ran_out_of_memory(&self) -> bool {
        /// This is several times what the rest of a request's way takes, in bytes.
        const LEFT: usize = 4 * 1024 * 1024;
        let size = self.items.len() * size_of::<Param>() + self.text.len();
        self.out_of_memory || ((self.has_many_members || size > KEPT_TEXT) && !has_memory_for(LEFT))
    }

    /// Notes that some of the parameters had to be left out. The others are of no use
    /// then, and their memory is needed for the error.
    pub(crate) fn note_out_of_memory(&mut self) {
        self.out_of_memory = true;
        self.items = Vec::new();
    }

    /// Stands in for a text for which there is no memory.
    pub(crate) fn leave_out(&mut self) -> Span {
        self.note_out_of_memory();
        Span { start: 0, len: 0 }
    }

    /// Notes that a structure or an array has `count` members.
    pub(crate) fn note_members(&mut self, count: usize) {
        const MANY: usize = 1000;
        self.has_many_members |= count > MANY;
    }

    /// Appends a parameter.
    pub fn push(&mut self, param: Param) {
        if !self.out_of_memory && !push_if_room(&mut self.items, param) {
            self.note_out_of_memory();
        }
    }

    /// Stores a copy of `text`, followed by a NUL.
    ///
    /// Codecs limit a request to far less than the 4 GiB that a [`Span`] can address.
    pub fn store_text(&mut self, text: &[u8]) -> Span {
        let start = self.text.len();
        if self.text.try_reserve(text.len() + 1).is_err() {
            return self.leave_out();
        }
        self.text.extend_from_slice(text);
        // INVARIANT: the text is followed by a NUL of its own.
        self.text.push(0);
        Span {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            len: u32::try_from(text.len()).unwrap_or(u32::MAX),
        }
    }

    /// The bytes of a stored text, its NUL not included.
    #[must_use]
    pub fn text(&self, span: Span) -> &[u8] {
        span.of(&self.text)
    }

    /// The parameters in their order.
    #[must_use]
    pub fn items(&self) -> &[Param] {
        &self.items
    }

    /// The start of the buffer that holds all text, for a caller that hands texts to C.
    /// The pointer is valid until the next text is stored or the list is cleared.
    pub fn text_base(&mut self) -> *mut u8 {
        self.text.as_mut_ptr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_text_ends_with_a_nul() {
        let mut params = Params::new();
        let ab = params.store_text(b"ab");
        let empty = params.store_text(b"");
        assert_eq!(params.text, b"ab\0\0");
        assert_eq!(params.text(ab), b"ab");
        assert!(empty.is_empty());
    }

    #[test]
    fn a_span_of_other_parameters_gives_no_text() {
        let mut params = Params::new();
        let span = params.store_text(b"text");
        params.clear();
        assert_eq!(params.text(span), b"");
    }
}
