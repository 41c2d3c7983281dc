//! The escapes of characters that would end a line or a member.

use thiserror::Error;

/// The error for a backslash that starts no escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a backslash starts no escape")]
pub struct BadEscape;

/// The letters that stand for the two characters between members. They differ in
/// requests and in replies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Letters {
    colon: u8,
    comma: u8,
}

/// The letters in requests.
pub(super) const REQUEST: Letters = Letters {
    colon: b'c',
    comma: b'o',
};

/// The letters in replies.
pub(super) const REPLY: Letters = Letters {
    colon: b'o',
    comma: b'c',
};

/// Appends `text` as part of a line in which colons and commas mean nothing.
pub(super) fn put_plain(text: &[u8], out: &mut Vec<u8>) {
    put_escaped(text, line_letter, out);
}

/// Appends `text` as a name or a value of a structure.
pub(super) fn put_member(text: &[u8], letters: Letters, out: &mut Vec<u8>) {
    let letter = |byte| match byte {
        b':' => Some(letters.colon),
        b',' => Some(letters.comma),
        _ => line_letter(byte),
    };
    put_escaped(text, letter, out);
}

fn line_letter(byte: u8) -> Option<u8> {
    match byte {
        b'\\' => Some(b'\\'),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        b'\t' => Some(b't'),
        0 => Some(b'0'),
        _ => None,
    }
}

fn put_escaped(mut text: &[u8], letter_of: impl Fn(u8) -> Option<u8>, out: &mut Vec<u8>) {
    let first = |text: &[u8]| {
        text.iter()
            .enumerate()
            .find_map(|(at, byte)| letter_of(*byte).map(|letter| (at, letter)))
    };
    while let Some((at, letter)) = first(text) {
        out.extend_from_slice(&text[..at]);
        out.extend_from_slice(&[b'\\', letter]);
        text = &text[at + 1..];
    }
    out.extend_from_slice(text);
}

/// Appends the text that `text` stands for.
///
/// # Errors
///
/// `text` has a backslash that starts no escape. `out` then ends before it.
pub(super) fn put_unescaped(
    mut text: &[u8],
    letters: Letters,
    out: &mut Vec<u8>,
) -> Result<(), BadEscape> {
    while let Some(at) = text.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&text[..at]);
        let letter = *text.get(at + 1).ok_or(BadEscape)?;
        out.push(meaning(letter, letters).ok_or(BadEscape)?);
        text = &text[at + 2..];
    }
    out.extend_from_slice(text);
    Ok(())
}

fn meaning(letter: u8, letters: Letters) -> Option<u8> {
    match letter {
        b'\\' => Some(b'\\'),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'0' => Some(0),
        _ if letter == letters.colon => Some(b':'),
        _ if letter == letters.comma => Some(b','),
        _ => None,
    }
}

/// The text that `text` stands for.
pub(super) fn unescaped(text: &[u8], letters: Letters) -> Result<Vec<u8>, BadEscape> {
    let mut out = Vec::with_capacity(text.len());
    put_unescaped(text, letters, &mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(text: &[u8], letters: Letters) -> Vec<u8> {
        let mut out = Vec::new();
        put_member(text, letters, &mut out);
        out
    }

    #[test]
    fn every_escape_of_a_line() {
        let mut out = b"> ".to_vec();
        put_plain(b"\\a\nb\rc\td\0e:f,", &mut out);
        assert_eq!(out, br"> \\a\nb\rc\td\0e:f,");
    }

    #[test]
    fn colon_and_comma_swap_letters_between_the_directions() {
        assert_eq!(member(b"a:b,c\n", REPLY), br"a\ob\cc\n");
        assert_eq!(member(b"a:b,c\n", REQUEST), br"a\cb\oc\n");
        assert_eq!(
            unescaped(br"\c\o\\\n\r\t\0", REQUEST),
            Ok(b":,\\\n\r\t\0".to_vec())
        );
        assert_eq!(unescaped(br"\c\o", REPLY), Ok(b",:".to_vec()));
    }

    #[test]
    fn a_backslash_before_anything_else_is_wrong() {
        assert_eq!(unescaped(br"a\q", REQUEST), Err(BadEscape));
        assert_eq!(unescaped(br"a\\\", REQUEST), Err(BadEscape));
        assert_eq!(unescaped(b"a\\\n", REPLY), Err(BadEscape));
    }
}
