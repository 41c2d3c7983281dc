//! The parameters of a request, as a codec read them.

use super::Span;

/// How much text cleared parameters keep room for, in bytes.
const KEPT_TEXT: usize = 64 * 1024;

/// A member of a structure parameter. Some protocols allow values without a
/// name.
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
    /// A line of a text protocol. It is a text, or a structure if the command
    /// wants one, where other characters are escaped.
    Line {
        /// The text, without its escapes.
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
    is_short: bool,
    /// Whether one of them has many members.
    is_wide: bool,
}

/// Appends a value if there is memory for it. Returns whether there was: how many
/// values come is the choice of whoever sends them.
#[must_use]
pub(crate) fn push_if_room<T>(list: &mut Vec<T>, value: T) -> bool {
    let has_room = list.try_reserve(1).is_ok();
    if has_room {
        list.push(value);
    }
    has_room
}

/// Whether there is so much memory, now that it is asked for.
#[must_use]
pub(crate) fn is_there(size: usize) -> bool {
    let mut trial = Vec::<u8>::new();
    let is_there = trial.try_reserve_exact(size).is_ok();
    // The compiler might leave out what nobody uses.
    std::hint::black_box(trial);
    is_there
}

impl Params {
    /// No parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes it empty again, and gives back the memory of an unusually large
    /// request.
    pub fn clear(&mut self) {
        self.items.clear();
        self.items.shrink_to(KEPT_TEXT / size_of::<Param>());
        self.text.clear();
        self.text.shrink_to(KEPT_TEXT);
        self.is_short = false;
        self.is_wide = false;
    }

    /// Whether there was no memory for all of them, or where they are many, too little is
    /// left for what the command needs. Such a request is not to be run.
    #[must_use]
    pub fn are_short(&self) -> bool {
        /// In bytes: several times what the rest of the way takes.
        const LEFT: usize = 4 * 1024 * 1024;
        let size = self.items.len() * size_of::<Param>() + self.text.len();
        self.is_short || ((self.is_wide || size > KEPT_TEXT) && !is_there(LEFT))
    }

    /// A part of them had to be left out, so the rest is of no use. Its memory is
    /// needed to say so.
    pub(crate) fn note_short(&mut self) {
        self.is_short = true;
        self.items = Vec::new();
    }

    /// In the place of a text that there is no memory for.
    pub(crate) fn leave_out(&mut self) -> Span {
        self.note_short();
        Span { start: 0, len: 0 }
    }

    /// A structure or an array has so many members.
    pub(crate) fn note_members(&mut self, count: usize) {
        const MANY: usize = 1000;
        self.is_wide |= count > MANY;
    }

    /// Adds a parameter behind the others.
    pub fn push(&mut self, param: Param) {
        if !self.is_short && !push_if_room(&mut self.items, param) {
            self.note_short();
        }
    }

    /// Takes a copy of `text` and puts a NUL behind it.
    ///
    /// Codecs bound a request far below the 4 GiB that a [`Span`] can tell.
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

    /// The start of the buffer that holds all text, for a caller that hands
    /// texts to C. It is valid until the next text is stored or cleared.
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
