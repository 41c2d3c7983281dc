//! Finding documents in a stream of bytes, where nothing tells how long they are.

use crate::ScanState;

/// What a stream starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This many bytes start no document. They end where the next document starts, or
    /// at the end.
    Other(usize),
    /// The start of a document.
    More,
    /// A document of this many bytes is complete, but not yet read.
    Document(usize),
}

/// Finds the first document in `input`: an object or an array, from its bracket to the
/// one that closes it. [`Document::parse`](super::Document::parse) tells whether it is
/// JSON.
#[must_use]
pub fn find(input: &[u8]) -> Found {
    find_on(input, &mut ScanState::default())
}

/// As [`find`], but continues where the last call for a shorter `input` with the same
/// start ended.
#[must_use]
pub fn find_on(input: &[u8], scan: &mut ScanState) -> Found {
    match input.iter().position(|byte| matches!(byte, b'{' | b'[')) {
        Some(0) => scan
            .end_of_document(input)
            .map_or(Found::More, Found::Document),
        Some(start) => Found::Other(start),
        None => Found::Other(input.len()),
    }
}

/// Continues in a document whose first `scan.at` bytes were dropped because it is
/// too long. It returns how many bytes of `input` still belong to the document, if it
/// ends there.
#[must_use]
pub fn skip_on(input: &[u8], scan: &mut ScanState) -> Option<usize> {
    scan.end_of_document(input)
}

impl ScanState {
    /// The position at which the document ends, if it does.
    pub(super) fn end_of_document(&mut self, input: &[u8]) -> Option<usize> {
        while let Some(byte) = input.get(self.at) {
            match (self.in_text, byte) {
                // Half an escape is searched again.
                (true, b'\\') if self.at + 1 == input.len() => return None,
                (true, b'\\') => self.at += 1,
                (_, b'"') => self.in_text = !self.in_text,
                (false, b'{' | b'[') => self.depth += 1,
                (false, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if self.depth == 0 {
                return Some(self.at);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_or_an_array_ends_with_its_bracket() {
        assert_eq!(find(b"{}{}"), Found::Document(2));
        assert_eq!(find(br#"[{"a":[1]}] rest"#), Found::Document(11));
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert_eq!(find(br#"{"}":"\"]{"}x"#), Found::Document(12));
    }

    #[test]
    fn text_between_documents_is_told() {
        assert_eq!(find(b"\n text {}"), Found::Other(7));
        assert_eq!(find(b"no more"), Found::Other(7));
        assert_eq!(find(b"}"), Found::Other(1));
    }

    #[test]
    fn a_document_may_come_in_pieces() {
        let document = br#"{"a":"\\","b":[{}]}"#;
        for end in 1..document.len() {
            assert_eq!(find(&document[..end]), Found::More, "{end} bytes");
        }
        assert_eq!(find(document), Found::Document(document.len()));
    }

    #[test]
    fn the_end_of_a_document_is_found_without_its_start() {
        let document = br#"{"a":"}\"{","b":[{}]}{"#;
        for start in 1..document.len() - 1 {
            let mut scan = ScanState::default();
            assert_eq!(find_on(&document[..start], &mut scan), Found::More);
            let dropped = std::mem::take(&mut scan.at);
            let end = skip_on(&document[dropped..], &mut scan);
            assert_eq!(end, Some(document.len() - 1 - dropped), "from {start}");
        }
    }

    #[test]
    fn a_look_goes_on_where_the_last_one_ended() {
        let document = br#"{"a":"}\"","b":[{}]}{"#;
        let mut scan = ScanState::default();
        for end in 1..document.len() - 1 {
            assert_eq!(find_on(&document[..end], &mut scan), Found::More);
            assert!(scan.at + 1 >= end, "looked at {scan:?} of {end}");
        }
        let found = find_on(document, &mut scan);
        assert_eq!(found, Found::Document(document.len() - 1));
        assert_eq!(found, find(document));
    }
}
