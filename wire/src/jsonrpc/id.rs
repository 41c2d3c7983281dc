//! The id that ties an answer to its request.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::number::Number;
use super::text::{Text, put_text};
use crate::value::has_memory_for;

/// The id of a request, in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id<'a>(Cow<'a, [u8]>);

impl<'a> Id<'a> {
    /// The id in an answer to a request whose id cannot be read.
    pub const NULL: Id<'static> = Id(Cow::Borrowed(b"null"));

    /// The JSON text, for callers that keep it until a delayed answer.
    #[must_use]
    pub fn as_json(&self) -> &[u8] {
        &self.0
    }

    /// The id that [`as_json`](Self::as_json) gave. Anything that is not even
    /// JSON counts as null.
    #[must_use]
    pub fn from_json(json: &'a [u8]) -> Self {
        match serde_json::from_slice::<&RawValue>(json) {
            Ok(_) => Id(Cow::Borrowed(json)),
            Err(_) => Self::NULL,
        }
    }

    /// The id that is a string, byte for byte as the client wrote it. It is rewritten
    /// if some readers of JSON would not accept it back.
    pub(super) fn from_text(text: Text<'a>, with_quotes: &'a [u8]) -> Self {
        /// The client chooses the length, and reading and writing take several times
        /// that.
        const LARGE: usize = 4096;
        if with_quotes.len() > LARGE && !has_memory_for(8 * with_quotes.len()) {
            return Self::NULL;
        }
        let readable = if text.escaped {
            serde_json::from_slice::<String>(with_quotes).is_ok()
        } else {
            serde_json::from_slice::<&str>(with_quotes).is_ok()
        };
        if readable {
            return Id(Cow::Borrowed(with_quotes));
        }
        let mut json = Vec::with_capacity(with_quotes.len());
        put_text(&text.unescaped(), &mut json);
        Id(Cow::Owned(json))
    }

    /// The id that is a number, with all its digits.
    pub(super) fn from_number(number: Number<'a>) -> Self {
        Id(number.json())
    }
}
