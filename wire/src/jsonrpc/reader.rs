//! Reading the values of a document, one after the other.
//!
//! The reader is our own because the C module's accepts much that is not JSON, on
//! purpose or not, and scripts and clients rely on it: control characters and any bytes
//! inside strings, needless backslashes, numbers such as `01` (see the table in [the
//! module](super)). To rewrite such a document so that serde_json accepts it would take
//! the same reader. serde_json still judges what is JSON where the specification is
//! followed, and what we write.

use super::number::Number;
use super::text::{Text, escape_len};
use super::{MAX_DEPTH, Refusal};
use crate::value::push_if_room;

/// U+FEFF in UTF-8. Some editors and clients put it before a document, where it is
/// ignored.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A value without members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar<'a> {
    Text(Text<'a>),
    Number(Number<'a>),
    Bool(bool),
    Null,
}

/// Makes values of one type out of a document.
pub(super) trait Build<'a> {
    type Value;
    type Member;

    fn scalar(&mut self, scalar: Scalar<'a>) -> Self::Value;
    fn member(&mut self, name: Text<'a>, value: Self::Value) -> Self::Member;
    fn object(&mut self, members: Vec<Self::Member>) -> Self::Value;
    fn array(&mut self, values: Vec<Self::Value>) -> Self::Value;

    /// Notes that a value was left out because there was no memory for it.
    fn no_room(&mut self) {}
}

/// Skips a value. It allocates nothing, because a vector of empty values has no memory.
struct Skip;

impl<'a> Build<'a> for Skip {
    type Value = ();
    type Member = ();

    fn scalar(&mut self, _: Scalar<'a>) {}
    fn member(&mut self, _: Text<'a>, (): ()) {}
    fn object(&mut self, _: Vec<()>) {}
    fn array(&mut self, _: Vec<()>) {}
}

/// Reads values. It knows its position in the document.
///
/// Its functions recurse once for each nested object or array, which [`MAX_DEPTH`]
/// limits.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    document: &'a [u8],
    at: usize,
    /// The number of objects and arrays that are open.
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Starts behind the byte order mark, if there is one.
    pub(super) fn new(document: &'a [u8]) -> Self {
        let has_mark = document.starts_with(BYTE_ORDER_MARK);
        Self {
            document,
            at: if has_mark { BYTE_ORDER_MARK.len() } else { 0 },
            depth: 0,
        }
    }

    /// The next byte that is not space, or `None` at the end. Every control character
    /// except NUL counts as space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        let space = self
            .rest()
            .iter()
            .take_while(|byte| matches!(byte, 1..=b' '));
        self.at += space.count();
        self.rest().first().copied()
    }

    /// Whether an object or an array comes next.
    pub(super) fn is_at_container(&mut self) -> bool {
        matches!(self.peek(), Some(b'{' | b'['))
    }

    /// Skips the next byte if it is `byte`.
    pub(super) fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Skips the next byte, which must be `byte`.
    fn expect(&mut self, byte: u8) -> Result<(), Refusal> {
        if self.accept(byte) {
            Ok(())
        } else {
            Err(self.not_json())
        }
    }

    /// The next value with all its members.
    pub(super) fn value<B: Build<'a>>(&mut self, build: &mut B) -> Result<B::Value, Refusal> {
        match self.peek() {
            Some(b'{') => {
                let mut members = Vec::new();
                self.object(|reader, name| {
                    let value = reader.value(build)?;
                    let member = build.member(name, value);
                    if !push_if_room(&mut members, member) {
                        build.no_room();
                    }
                    Ok(())
                })?;
                Ok(build.object(members))
            }
            Some(b'[') => {
                let mut values = Vec::new();
                self.array(|reader| {
                    let value = reader.value(build)?;
                    if !push_if_room(&mut values, value) {
                        build.no_room();
                    }
                    Ok(())
                })?;
                Ok(build.array(values))
            }
            _ => self.scalar().map(|scalar| build.scalar(scalar)),
        }
    }

    /// Skips the next value.
    pub(super) fn skip(&mut self) -> Result<(), Refusal> {
        self.value(&mut Skip)
    }

    /// Skips the next value, which is an object or an array, by looking only at
    /// brackets and strings. So what follows it can be read however deep it is.
    pub(super) fn skip_deep(&mut self) -> Result<(), Refusal> {
        let mut open = 0_usize;
        loop {
            match self.peek() {
                None => return Err(self.not_json()),
                Some(b'"') => drop(self.text()?),
                Some(b'[' | b'{') => {
                    open += 1;
                    self.at += 1;
                }
                Some(b']' | b'}') => {
                    open = open.saturating_sub(1);
                    self.at += 1;
                }
                Some(_) => self.at += 1,
            }
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// The next value, which must have no members.
    pub(super) fn scalar(&mut self) -> Result<Scalar<'a>, Refusal> {
        match self.peek() {
            Some(b'"') => self.text().map(Scalar::Text),
            Some(b'-' | b'0'..=b'9') => {
                let number = Number::at_start_of(self.rest());
                self.at += number.raw.len();
                Ok(Scalar::Number(number))
            }
            Some(b'n') => self.word(b"null", Scalar::Null),
            Some(b't') => self.word(b"true", Scalar::Bool(true)),
            Some(b'f') => self.word(b"false", Scalar::Bool(false)),
            _ => Err(self.not_json()),
        }
    }

    /// The next value, which must have no members, and its bytes.
    pub(super) fn scalar_and_json(&mut self) -> Result<(Scalar<'a>, &'a [u8]), Refusal> {
        // This skips the space before the value.
        self.peek();
        let start = self.at;
        let scalar = self.scalar()?;
        Ok((scalar, &self.document[start..self.at]))
    }

    /// Enters the array that comes next.
    pub(super) fn enter_array(&mut self) -> Result<(), Refusal> {
        self.expect(b'[')?;
        self.depth += 1;
        Ok(())
    }

    /// Reads the array that comes next; `item` must read each of its values.
    pub(super) fn array(
        &mut self,
        item: impl FnMut(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.list(b'[', b']', item)
    }

    /// Reads the object that comes next; `member` is given each name and must read the
    /// value.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Text<'a>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.list(b'{', b'}', |reader| {
            let name = reader.text()?;
            reader.expect(b':')?;
            member(reader, name)
        })
    }

    fn list(
        &mut self,
        start: u8,
        end: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.expect(start)?;
        if self.depth == MAX_DEPTH {
            return Err(Refusal::TooDeep);
        }
        self.depth += 1;
        if !self.accept(end) {
            item(self)?;
            while self.accept(b',') {
                item(self)?;
            }
            self.expect(end)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads the string that comes next.
    pub(super) fn text(&mut self) -> Result<Text<'a>, Refusal> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            let plain = self
                .rest()
                .iter()
                .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0));
            self.at += plain.count();
            match self.rest().first() {
                Some(b'"') => break,
                // Anything else is not an escape but a NUL or the end.
                _ => self.at += escape_len(self.rest()).ok_or(self.not_json())?,
            }
            escaped = true;
        }
        let raw = &self.document[start..self.at];
        self.at += 1;
        Ok(Text { raw, escaped })
    }

    fn word(&mut self, word: &[u8], scalar: Scalar<'a>) -> Result<Scalar<'a>, Refusal> {
        if !self.rest().starts_with(word) {
            return Err(self.not_json());
        }
        self.at += word.len();
        Ok(scalar)
    }

    fn rest(&self) -> &'a [u8] {
        &self.document[self.at..]
    }

    fn not_json(&self) -> Refusal {
        Refusal::NotJson { at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes of `document` are skipped as its first value.
    fn skipped(document: &[u8]) -> Result<usize, Refusal> {
        let mut reader = Reader::new(document);
        reader.skip().map(|()| reader.at)
    }

    fn refused_at(document: &[u8]) -> usize {
        match skipped(document) {
            Err(Refusal::NotJson { at }) => at,
            other => panic!("{} gave {other:?}", document.escape_ascii()),
        }
    }

    #[test]
    fn every_kind_of_value() {
        for value in [
            r#""a\"b\\""#,
            "-1.5e+3",
            "true",
            "false",
            "null",
            "[]",
            "{}",
            r#"[ 1 , [ ] , {"a" : "b" , "a":{}} ]"#,
        ] {
            assert_eq!(skipped(value.as_bytes()), Ok(value.len()), "{value}");
        }
    }

    #[test]
    fn a_value_ends_where_it_ends() {
        assert_eq!(skipped(b" [1]x"), Ok(4));
        assert_eq!(skipped(b"nullx"), Ok(4));
        assert_eq!(skipped(b"1.x"), Ok(1));
    }

    #[test]
    fn space_is_all_up_to_the_space_but_nul() {
        assert_eq!(
            skipped(b"\x01\x0b{\x0c\"a\"\x1f:\x7f"),
            Err(Refusal::NotJson { at: 9 })
        );
        assert_eq!(skipped(b"\x01\x0b[\x0c1\x1f]"), Ok(7));
        assert_eq!(refused_at(b"[1\0]"), 2);
    }

    #[test]
    fn strings_hold_anything_but_nul() {
        assert_eq!(skipped(b"\"a\n\x01\xff\""), Ok(6));
        assert_eq!(refused_at(b"\"a\0b\""), 2);
        assert_eq!(refused_at(b"\"a"), 2);
        assert_eq!(refused_at(br#""a\u12""#), 2);
        assert_eq!(refused_at(br#""a\"#), 2);
    }

    #[test]
    fn what_is_refused_and_where() {
        for (document, at) in [
            ("", 0),
            (" ", 1),
            ("x", 0),
            ("+1", 0),
            (".5", 0),
            ("[1,]", 3),
            ("[1 2]", 3),
            ("[1}", 2),
            ("[", 1),
            ("{\"a\" 1}", 5),
            ("{\"a\":1,}", 7),
            ("{a:1}", 1),
            ("{'a':1}", 1),
            ("[00]", 2),
            ("[1.]", 2),
            ("[TRUE]", 1),
            ("[nul]", 1),
            ("// no\n1", 0),
            ("\u{feff}\u{feff}1", 3),
        ] {
            assert_eq!(refused_at(document.as_bytes()), at, "{document}");
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        let nested = |depth| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert_eq!(skipped(&nested(MAX_DEPTH)), Ok(2 * MAX_DEPTH));
        assert_eq!(skipped(&nested(MAX_DEPTH + 1)), Err(Refusal::TooDeep));
        assert_eq!(skipped(&[b'['; 1 << 20]), Err(Refusal::TooDeep));
        assert_eq!(skipped(&b"{\"\":".repeat(1 << 20)), Err(Refusal::TooDeep));
    }

    #[test]
    fn a_deep_value_is_passed_by_its_brackets() {
        let passed = |document: &[u8]| {
            let mut reader = Reader::new(document);
            reader.skip_deep().map(|()| reader.at)
        };
        assert_eq!(passed(br#"[["]\"]"],{"a":[}]],1"#), Ok(19));
        let nested = [vec![b'['; 1 << 20], vec![b']'; 1 << 20]].concat();
        assert_eq!(passed(&nested), Ok(2 << 20));
        assert_eq!(passed(b"[[]"), Err(Refusal::NotJson { at: 3 }));
    }
}
