//! Documents: one request, or several in an array.

use serde_json::value::RawValue;

use super::reader::{BYTE_ORDER_MARK, Reader};
use super::request::{self, Request};
use super::{MAX_BATCH, Refusal, Strictness};
use crate::value::Params;

/// A received document, from which requests are taken one by one.
///
/// A document that cannot be read holds one request, which is to be refused. So there
/// is always something to answer.
#[derive(Clone, Debug)]
pub struct Document<'a> {
    reader: Reader<'a>,
    strictness: Strictness,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// One request comes next, and nothing follows it. The refusal says that the
    /// document is not strictly JSON, if that was found.
    Single(Option<Refusal>),
    /// The values of an array come next. The whole array has been read once.
    Batch,
    /// There is no request that could be read.
    Refused(Refusal),
    Done,
}

impl<'a> Document<'a> {
    /// Examines a document of at most `max_len` bytes, see [`MAX_LEN`](super::MAX_LEN).
    /// Whatever follows its first value is ignored, unless the specification is
    /// followed.
    ///
    /// Memory is only needed for the longest of the requests, because each is read when
    /// it is asked for.
    #[must_use]
    pub fn parse(bytes: &'a [u8], strictness: Strictness, max_len: usize) -> Self {
        let mut reader = Reader::new(bytes);
        let state = if bytes.len() > max_len {
            State::Refused(Refusal::TooLarge {
                len: bytes.len(),
                max: max_len,
            })
        } else {
            let refusal = match strictness {
                Strictness::AsC => None,
                Strictness::Specification => strictly_json(bytes).err(),
            };
            look(&mut reader, refusal)
        };
        Self {
            reader,
            strictness,
            state,
        }
    }

    /// Whether the answers belong in an array. The answer to a single request in an
    /// array does, too.
    #[must_use]
    pub fn is_batch(&self) -> bool {
        self.state == State::Batch
    }

    /// The next request. `params` is cleared first and then holds its
    /// parameters and its other texts.
    pub fn next_request(&mut self, params: &mut Params) -> Option<Request<'a>> {
        params.clear();
        match std::mem::replace(&mut self.state, State::Done) {
            State::Single(refusal) => {
                let request = request::read(&mut self.reader, self.strictness, params);
                Some(match refusal {
                    None => request,
                    Some(refusal) => request.but_refused(refusal),
                })
            }
            State::Batch => Some(self.next_of_batch(params)),
            State::Refused(refusal) => Some(Request::refused(refusal)),
            State::Done => None,
        }
    }

    fn next_of_batch(&mut self, params: &mut Params) -> Request<'a> {
        let request = if self.reader.peek() == Some(b'{') {
            request::read(&mut self.reader, self.strictness, params)
        } else {
            let refusal = self.reader.skip().err();
            Request::refused(refusal.unwrap_or(Refusal::NotAnObject))
        };
        if self.reader.accept(b',') {
            self.state = State::Batch;
        }
        request
    }
}

/// Tells the kind of a document by its first byte. An array is read whole, because a
/// defect anywhere in it refuses all of it, and no request may run before that is
/// known.
fn look(reader: &mut Reader<'_>, refusal: Option<Refusal>) -> State {
    match (reader.peek(), refusal) {
        (Some(b'{'), _) => State::Single(refusal),
        (_, Some(refusal)) => State::Refused(refusal),
        (Some(b'['), None) => match requests(&mut reader.clone()) {
            Ok(0) => State::Refused(Refusal::EmptyBatch),
            Ok(1..=MAX_BATCH) => reader
                .enter_array()
                .map_or_else(State::Refused, |()| State::Batch),
            Ok(_) => State::Refused(Refusal::BatchTooLong),
            Err(refusal) => State::Refused(refusal),
        },
        _ => State::Refused(reader.skip().err().unwrap_or(Refusal::NotAnObject)),
    }
}

/// The number of values in an array.
fn requests(reader: &mut Reader<'_>) -> Result<usize, Refusal> {
    let mut count = 0;
    reader.array(|reader| {
        count += 1;
        reader.skip()
    })?;
    Ok(count)
}

/// Checks that the whole of `document`, but for a byte order mark, is one value of
/// the JSON specification, in UTF-8.
fn strictly_json(document: &[u8]) -> Result<(), Refusal> {
    let bytes = document.strip_prefix(BYTE_ORDER_MARK).unwrap_or(document);
    let refused = |at: usize| Refusal::NotJson {
        at: document.len() - bytes.len() + at,
    };
    let text = std::str::from_utf8(bytes).map_err(|error| refused(error.valid_up_to()))?;
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(offset(bytes, error.line(), error.column()))),
    }
}

/// The position in `bytes` of a line and a column, both counted from 1.
fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    bytes.len().min(before + column.saturating_sub(1))
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
