//! Documents in a named pipe that will never end, because another request has begun
//! behind them or their writer has left.
//!
//! All clients write into the same pipe, and only the brackets tell where a document
//! ends. A writer that crashes, or that misses a quote, leaves the start of a document
//! to which everything that others write seems to belong.

use super::Refusal;
use super::reader::Reader;
use super::text::Text;
use crate::ScanState;

/// The deepest document that is examined here, in open brackets. A deeper one is
/// refused in any case.
const DEEPEST: usize = 128;

/// How many candidates for the start of another request are tried, and how many bytes
/// of each are read. A request that is written in one piece, so that others cannot come
/// between, is shorter.
const PLACES: usize = 64;
const REACH: usize = 64 * 1024;

/// How many bytes at the start of `input` are an abandoned document. A document is
/// abandoned if a whole request follows at a place where the document cannot have a
/// value, or at the start of a line inside one of its strings.
///
/// `input` starts with a document that is not complete. The answer is `None` as long as
/// that can still be the beginning of one.
#[must_use]
pub fn abandoned(input: &[u8]) -> Option<usize> {
    // Only a complete request ends the document before it.
    let last = input.iter().rfind(|byte| !matches!(byte, 1..=b' '));
    if !matches!(last, Some(b'}' | b']')) {
        return None;
    }
    Places::new(input)
        .take(PLACES)
        .find(|place| starts_with_request(&input[*place..]))
}

/// The positions in a document at which an object or an array begins that does not
/// belong to the document.
struct Places<'a> {
    input: &'a [u8],
    at: usize,
    in_text: bool,
    /// One bit for each open bracket, the innermost last. It is set for an array.
    arrays: u128,
    depth: usize,
    /// The last byte outside of strings that is not space.
    before: u8,
}

impl<'a> Places<'a> {
    fn new(input: &'a [u8]) -> Self {
        Places {
            input,
            at: 0,
            in_text: false,
            arrays: 0,
            depth: 0,
            before: b':',
        }
    }

    /// Whether the document can have a value next.
    fn takes_value(&self) -> bool {
        match self.before {
            b':' | b'[' => true,
            b',' => self.arrays & 1 == 1,
            _ => false,
        }
    }

    fn starts_line(&self) -> bool {
        self.at > 0 && self.input[self.at - 1] == b'\n'
    }
}

impl Iterator for Places<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while let Some(byte) = self.input.get(self.at).copied() {
            let opens = matches!(byte, b'{' | b'[');
            let is_place = match self.in_text {
                true => opens && self.starts_line(),
                false => opens && !self.takes_value(),
            };
            match (self.in_text, byte) {
                (true, b'\\') => self.at += 1,
                (_, b'"') => self.in_text = !self.in_text,
                (false, b'{' | b'[') => {
                    self.depth += 1;
                    self.arrays = self.arrays << 1 | u128::from(byte == b'[');
                }
                (false, b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    self.arrays >>= 1;
                }
                _ => {}
            }
            if !self.in_text && !matches!(byte, 1..=b' ') {
                self.before = byte;
            }
            let here = self.at;
            self.at += 1;
            if self.depth > DEEPEST {
                return None;
            }
            if is_place {
                return Some(here);
            }
        }
        None
    }
}

/// Whether `input` starts with a whole request, or with a batch of them.
fn starts_with_request(input: &[u8]) -> bool {
    let input = &input[..input.len().min(REACH)];
    let Some(len) = ScanState::default().end_of_document(input) else {
        return false;
    };
    let mut reader = Reader::new(&input[..len]);
    if reader.peek() == Some(b'[') && reader.enter_array().is_err() {
        return false;
    }
    names_method(&mut reader).unwrap_or(false)
}

fn names_method(reader: &mut Reader<'_>) -> Result<bool, Refusal> {
    let (mut version, mut method) = (false, false);
    reader.object(|reader, name| {
        version |= name.unescaped().eq_ignore_ascii_case(b"jsonrpc");
        method |= name.unescaped().eq_ignore_ascii_case(b"method");
        reader.skip()
    })?;
    Ok(version && method)
}

/// The name of the pipe for the answer to a document that is not complete or not JSON,
/// if it can be found. It follows the first `"reply_name"`.
#[must_use]
pub fn reply_name_in(document: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"\"reply_name\"";
    let start = document
        .windows(NAME.len())
        .position(|bytes| bytes.eq_ignore_ascii_case(NAME))?;
    let mut reader = Reader::new(&document[start + NAME.len()..]);
    if !reader.accept(b':') {
        return None;
    }
    let name: Text<'_> = reader.text().ok()?;
    Some(name.unescaped().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "{\n\"jsonrpc\":\"2.0\",\n\"method\":\"core.ps\",\n\"id\":1\n}\n";

    /// Whether exactly `half` is dropped when a request follows it.
    fn is_lost(half: &str) -> bool {
        let input = format!("{half}{REQUEST}");
        match abandoned(input.as_bytes()) {
            None => false,
            Some(len) => {
                assert_eq!(len, half.len(), "{half}");
                true
            }
        }
    }

    #[test]
    fn a_request_where_no_value_may_be_shows_that_the_one_before_is_abandoned() {
        for half in [
            r#"{"jsonrpc":"2.0""#,
            "{\"jsonrpc\":\"2.0\",\n",
            "{\n",
            "[1\n",
            "{\"a\":[1]\n",
            "[{\"jsonrpc\":\"2.0\",\"method\":\"m\"}\n",
        ] {
            assert!(is_lost(half), "{half}");
        }
    }

    #[test]
    fn so_does_one_at_the_start_of_a_line_inside_a_string() {
        // The quote inside makes a string of everything behind it.
        assert!(is_lost(
            "{\n\"jsonrpc\":\"2.0\",\n\"params\":[\"a\"b\"],\n\"id\":1\n}\n"
        ));
        assert!(!is_lost(r#"{"params":["a"#));
    }

    #[test]
    fn a_document_that_may_still_end_is_left_alone() {
        for half in ["[\n", "{\"params\":\n", "{\"params\":[1,\n", "[[],\n"] {
            assert!(!is_lost(half), "{half}");
        }
        let batch = format!("[\n{REQUEST},\n{REQUEST}");
        assert_eq!(abandoned(batch.as_bytes()), None);
    }

    #[test]
    fn what_is_no_request_shows_nothing() {
        for more in [
            "{\"a\":1}",
            "[1]",
            "{\"method\":\"m\"}",
            "{\"jsonrpc\":\"2.0\",\"method\":\"m\"",
        ] {
            let input = format!("{{\"a\":1\n{more}");
            assert_eq!(abandoned(input.as_bytes()), None, "{input}");
        }
    }

    #[test]
    fn of_several_requests_the_first_counts() {
        let input = format!("{{\"a\"\n{{\"b\"\n{REQUEST}{REQUEST}");
        assert_eq!(abandoned(input.as_bytes()), Some(10));
    }

    #[test]
    fn a_batch_is_a_request_too() {
        let input = format!("{{\"a\"\n[{REQUEST}]");
        assert_eq!(abandoned(input.as_bytes()), Some(5));
    }

    #[test]
    fn very_many_brackets_are_looked_at_once() {
        for piece in ["{", "\n{", "\n[{", "\"\n{\"", "}\n{", "{}"] {
            let input = format!("[{}}}", piece.repeat(200_000));
            assert_eq!(abandoned(input.as_bytes()), None);
        }
    }

    #[test]
    fn the_reply_pipe_of_half_a_document() {
        let name = |document: &str| reply_name_in(document.as_bytes());
        let found = Some(b"pipe".to_vec());
        assert_eq!(name(r#"{"reply_name":"pipe""#), found);
        assert_eq!(name("{\"a\":\"b\",\n \"Reply_Name\" : \"pipe\",\"x"), found);
        assert_eq!(name(r#"{"reply_name":"pi"#), None);
        assert_eq!(name(r#"{"reply_name":1"#), None);
        assert_eq!(name(r#"{"reply_name"#), None);
        assert_eq!(name("{"), None);
    }
}
