//! Reading and writing of strings.

use std::borrow::Cow;

/// A string of a document: the bytes between its quotes, and whether they have escapes.
/// Each escape was found to be complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text<'a> {
    pub(super) raw: &'a [u8],
    pub(super) escaped: bool,
}

impl<'a> Text<'a> {
    /// The bytes that the string stands for, or none if there is no memory for them.
    pub(super) fn unescaped(self) -> Cow<'a, [u8]> {
        self.try_unescaped().unwrap_or_default()
    }

    /// The bytes that the string stands for, if there is memory for them.
    ///
    /// As in the C module a NUL (`\u0000`) is left out, because commands take text that
    /// ends with one, and so is half of a surrogate pair. A backslash before a
    /// character that needs none is left out as well. Bytes that are not UTF-8 stay as
    /// they are.
    pub(super) fn try_unescaped(self) -> Option<Cow<'a, [u8]>> {
        if !self.escaped {
            return Some(Cow::Borrowed(self.raw));
        }
        let mut out = Vec::new();
        out.try_reserve_exact(self.raw.len()).ok()?;
        let mut rest = self.raw;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
            out.extend_from_slice(&rest[..at]);
            rest = put_unescaped(&rest[at..], &mut out);
        }
        out.extend_from_slice(rest);
        Some(Cow::Owned(out))
    }
}

/// The length of the escape at the start of `bytes`, if it is complete.
pub(super) fn escape_len(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\\', b'u', ..] => code_unit(bytes).map(|_| 6),
        [b'\\', 0, ..] => None,
        [b'\\', _, ..] => Some(2),
        _ => None,
    }
}

/// The number in a `\uXXXX` at the start of `bytes`.
fn code_unit(bytes: &[u8]) -> Option<u16> {
    let hex = bytes.strip_prefix(br"\u")?.get(..4)?;
    hex.iter().try_fold(0, |number: u16, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(number << 4 | digit as u16)
    })
}

/// Appends the character of the escape at the start of `bytes`, and returns the bytes
/// behind it.
fn put_unescaped<'a>(bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let Some(first) = code_unit(bytes) else {
        out.extend(bytes.get(1).copied().map(meaning));
        return bytes.get(2..).unwrap_or_default();
    };
    let rest = &bytes[6..];
    let second = match first {
        0xd800..=0xdbff => code_unit(rest),
        _ => None,
    };
    let units = [first, second.unwrap_or_default()];
    let units = &units[..1 + usize::from(second.is_some())];
    match char::decode_utf16(units.iter().copied()).next() {
        None | Some(Ok('\0') | Err(_)) => (),
        Some(Ok(character)) => {
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    if second.is_some() { &rest[6..] } else { rest }
}

fn meaning(letter: u8) -> u8 {
    match letter {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        itself => itself,
    }
}

/// Appends `text` as a JSON string, whatever bytes it has: each piece that is
/// not UTF-8 becomes U+FFFD.
///
/// The quote, the backslash and everything below a space are escaped, in the short form
/// if there is one; the slash is not. The C module and serde_json agree in this.
pub(super) fn put_text(text: &[u8], out: &mut Vec<u8>) {
    if is_plain(text) {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text);
        out.push(b'"');
    } else {
        put_any_text(text, out);
    }
}

/// Whether a text needs no escapes. Nearly all that servers say needs none, and this
/// loop, which has no branch, is a fifth of what writing texts costs.
fn is_plain(text: &[u8]) -> bool {
    text.iter().fold(true, |plain, byte| {
        plain & (*byte >= b' ') & byte.is_ascii() & (*byte != b'"') & (*byte != b'\\')
    })
}

#[cold]
fn put_any_text(text: &[u8], out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(text);
    // Writing to a vector cannot fail, and neither can text.
    let _ = serde_json::to_writer(out, text.as_ref());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(raw: &[u8]) -> String {
        let text = Text { raw, escaped: true };
        text.unescaped().escape_ascii().to_string()
    }

    fn written(text: &[u8]) -> String {
        let mut out = Vec::new();
        put_text(text, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn every_escape() {
        assert_eq!(unescaped(br#"\"\\\/\b\f\n\r\t"#), r#"\"\\/\x08\x0c\n\r\t"#);
        assert_eq!(unescaped(br"\u0041\u00e9\u20AC"), r"A\xc3\xa9\xe2\x82\xac");
        assert_eq!(unescaped(br"\ud83d\ude00"), r"\xf0\x9f\x98\x80");
    }

    #[test]
    fn a_needless_backslash_is_left_out() {
        assert_eq!(unescaped(br"^\d+\.\q$"), "^d+.q$");
    }

    #[test]
    fn nul_and_half_surrogates_are_left_out_as_in_c() {
        assert_eq!(unescaped(br"a\u0000b"), "ab");
        assert_eq!(unescaped(br"a\udc00b"), "ab");
        assert_eq!(unescaped(br"a\ud800b"), "ab");
        assert_eq!(unescaped(br"a\ud800\nb"), r"a\nb");
        // C takes the two as one character and leaves both out.
        assert_eq!(unescaped(br"a\ud800\u0041b"), "ab");
    }

    #[test]
    fn escapes_have_to_be_complete() {
        assert_eq!(escape_len(br"\n"), Some(2));
        assert_eq!(escape_len(br"\u00e9"), Some(6));
        for cut in [
            &br"\"[..],
            br"\u",
            br"\u12",
            br"\u12zz",
            br"\u+123",
            b"\\\0",
        ] {
            assert_eq!(escape_len(cut), None, "{}", cut.escape_ascii());
        }
    }

    #[test]
    fn text_is_escaped_as_in_c() {
        assert_eq!(
            written(b"a/b\"\\\x08\x0c\n\r\t\x01\x1f\x7f"),
            "\"a/b\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""
        );
        assert_eq!(written("é😀".as_bytes()), "\"é😀\"");
        assert_eq!(written(b"a\0b"), r#""a\u0000b""#);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(written(b"a\xe9b\xff"), "\"a\u{fffd}b\u{fffd}\"");
        assert_eq!(written(b"\xed\xa0\x80"), "\"\u{fffd}\u{fffd}\u{fffd}\"");
    }
}
