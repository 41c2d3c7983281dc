//! Documents in a stream of bytes, where nothing says how long they are.

/// What a stream starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// So many bytes that start no document, up to the next one or the end.
    Other(usize),
    /// The start of a document.
    More,
    /// A document of so many bytes, whole but not yet read.
    Document(usize),
}

/// Finds the first document in `input`: an object or an array, from its bracket
/// to the one that closes it. Whether what is between is JSON is for
/// [`Document::parse`](super::Document::parse) to say.
#[must_use]
pub fn find(input: &[u8]) -> Found {
    match input.iter().position(|byte| matches!(byte, b'{' | b'[')) {
        Some(0) => end_of_document(input).map_or(Found::More, Found::Document),
        Some(start) => Found::Other(start),
        None => Found::Other(input.len()),
    }
}

fn end_of_document(input: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut bytes = input.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => skip_string(&mut bytes)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// Goes on behind the end of a string that has begun.
fn skip_string<'a>(bytes: &mut impl Iterator<Item = (usize, &'a u8)>) -> Option<()> {
    loop {
        match bytes.next()?.1 {
            b'\\' => drop(bytes.next()?),
            b'"' => return Some(()),
            _ => {}
        }
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
}
