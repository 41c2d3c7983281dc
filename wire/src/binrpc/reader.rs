//! Reading the records of a body, one after the other.

use super::{DOUBLE_SCALE, Defect, Malformed, big_endian, tag};
use crate::value::Container;

/// A record. Its texts are without their NUL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Record<'a> {
    Scalar(Scalar<'a>),
    Name(&'a [u8]),
    Start(Container),
    End(Container),
}

/// A record that is a whole value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Int(i32),
    Double(f64),
    Str(&'a [u8]),
    Bytes(&'a [u8]),
}

/// Reads records. It knows its position in the body, for error messages.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    body_len: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self {
            body_len: body.len(),
            rest: body,
        }
    }

    /// The position of the next record, in bytes from the start of the body.
    pub(super) fn at(&self) -> usize {
        self.body_len - self.rest.len()
    }

    /// The next record, or `None` at the end of the body.
    pub(super) fn next(&mut self) -> Result<Option<Record<'a>>, Malformed> {
        let at = self.at();
        let Some((&tag, rest)) = self.rest.split_first() else {
            return Ok(None);
        };
        self.rest = rest;
        self.record(tag).map(Some).map_err(|defect| defect.at(at))
    }

    fn record(&mut self, tag: u8) -> Result<Record<'a>, Defect> {
        let scalar = match tag & 0x0f {
            tag::INT => Scalar::Int(self.int(tag)?),
            tag::DOUBLE => Scalar::Double(self.double(tag)?),
            tag::STR => Scalar::Str(self.text(tag)?),
            tag::BYTES => Scalar::Bytes(self.sized(tag)?),
            tag::AVP => return self.text(tag).map(Record::Name),
            tag::STRUCT => return bracket(tag, Container::Struct),
            tag::ARRAY => return bracket(tag, Container::Array),
            unknown => return Err(Defect::UnknownType(unknown)),
        };
        Ok(Record::Scalar(scalar))
    }

    fn int(&mut self, tag: u8) -> Result<i32, Defect> {
        let len = self.len(tag)?;
        if len > size_of::<i32>() {
            return Err(Defect::NumberTooLong(len));
        }
        // There are at most four bytes, so nothing is cut off. The sign is the highest
        // bit of the fourth, so fewer bytes are never negative.
        Ok(big_endian(self.take(len)?) as u32 as i32)
    }

    fn double(&mut self, tag: u8) -> Result<f64, Defect> {
        let len = usize::from(tag >> 4);
        if len > size_of::<i64>() {
            return Err(Defect::NumberTooLong(len));
        }
        Ok(big_endian(self.take(len)?) as i64 as f64 / DOUBLE_SCALE)
    }

    /// Reads a text without its NUL. A length of 0 leaves no room for one; some clients
    /// say so that there is no text at all.
    fn text(&mut self, tag: u8) -> Result<&'a [u8], Defect> {
        match self.sized(tag)? {
            [] => Ok(&[]),
            [text @ .., 0] => Ok(text),
            _ => Err(Defect::NotTerminated),
        }
    }

    fn sized(&mut self, tag: u8) -> Result<&'a [u8], Defect> {
        let len = self.len(tag)?;
        self.take(len)
    }

    /// Reads the length of a value, from its tag or from the bytes behind it.
    fn len(&mut self, tag: u8) -> Result<usize, Defect> {
        let len = tag >> 4 & 7;
        if tag & tag::LONG == 0 {
            return Ok(usize::from(len));
        }
        if !(1..=4).contains(&len) {
            return Err(Defect::LengthWidth(len));
        }
        let len = self.take(usize::from(len))?;
        Ok(big_endian(len) as usize)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Defect> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Defect::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Reads the start or the end of a struct or an array, which is a tag and nothing more.
fn bracket<'a>(tag: u8, kind: Container) -> Result<Record<'a>, Defect> {
    match tag & 0xf0 {
        0 => Ok(Record::Start(kind)),
        tag::LONG => Ok(Record::End(kind)),
        _ => Err(Defect::TagWithLength),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(body: &[u8]) -> Record<'_> {
        let mut reader = Reader::new(body);
        let record = reader
            .next()
            .expect("a good record")
            .expect("not the end of the body");
        assert_eq!(reader.next(), Ok(None), "bytes behind the record");
        record
    }

    fn defect(body: &[u8]) -> Defect {
        match Reader::new(body).next() {
            Err(Malformed::Body { at: 0, defect }) => defect,
            other => panic!("{body:02x?} gave {other:?}"),
        }
    }

    fn int(number: i32) -> Record<'static> {
        Record::Scalar(Scalar::Int(number))
    }

    fn double(number: f64) -> Record<'static> {
        Record::Scalar(Scalar::Double(number))
    }

    fn text(text: &[u8]) -> Record<'_> {
        Record::Scalar(Scalar::Str(text))
    }

    #[test]
    fn ints_of_every_length() {
        assert_eq!(one(b"\x00"), int(0));
        assert_eq!(one(b"\x10\x07"), int(7));
        assert_eq!(one(b"\x10\xff"), int(255));
        assert_eq!(one(b"\x20\x12\x34"), int(0x1234));
        assert_eq!(one(b"\x30\xff\xff\xff"), int(0x00ff_ffff));
        assert_eq!(one(b"\x40\xff\xff\xff\xff"), int(-1));
        assert_eq!(one(b"\x40\x80\x00\x00\x00"), int(i32::MIN));
    }

    #[test]
    fn ints_that_could_be_shorter_count_the_same() {
        assert_eq!(one(b"\x10\x00"), int(0));
        assert_eq!(one(b"\x40\x00\x00\x12\x34"), int(0x1234));
        assert_eq!(one(b"\x90\x02\x12\x34"), int(0x1234));
        assert_eq!(one(b"\xa0\x00\x02\x12\x34"), int(0x1234));
        assert_eq!(one(b"\xc0\x00\x00\x00\x00"), int(0));
    }

    #[test]
    fn an_int_of_5_bytes_is_refused() {
        assert_eq!(defect(b"\x50\0\0\0\0\x01"), Defect::NumberTooLong(5));
        assert_eq!(defect(b"\x90\x05\0\0\0\0\x01"), Defect::NumberTooLong(5));
    }

    #[test]
    fn doubles_count_thousandths() {
        assert_eq!(one(b"\x02"), double(0.0));
        assert_eq!(one(b"\x22\x05\xdc"), double(1.5));
        assert_eq!(one(b"\x82\xff\xff\xff\xff\xff\xff\xff\xff"), double(-0.001));
        assert_eq!(
            one(b"\x82\x80\0\0\0\0\0\0\0"),
            double(i64::MIN as f64 / 1000.0)
        );
    }

    #[test]
    fn a_double_of_9_bytes_is_refused() {
        assert_eq!(
            defect(b"\x92\0\0\0\0\0\0\0\0\x01"),
            Defect::NumberTooLong(9)
        );
    }

    #[test]
    fn texts_lose_their_nul() {
        assert_eq!(one(b"\x41abc\0"), text(b"abc"));
        assert_eq!(one(b"\x91\x0aabcdefhij\0"), text(b"abcdefhij"));
        assert_eq!(one(b"\xc1\0\0\0\x04abc\0"), text(b"abc"));
        assert_eq!(one(b"\x11\0"), text(b""));
        assert_eq!(one(b"\x01"), text(b""));
        assert_eq!(one(b"\x31a\0\0"), text(b"a\0"));
        assert_eq!(one(b"\x25s\0"), Record::Name(b"s"));
    }

    #[test]
    fn text_without_a_nul_is_refused() {
        assert_eq!(defect(b"\x31abc"), Defect::NotTerminated);
        assert_eq!(defect(b"\x15s"), Defect::NotTerminated);
    }

    #[test]
    fn bytes_have_no_nul() {
        assert_eq!(one(b"\x66abcdef"), Record::Scalar(Scalar::Bytes(b"abcdef")));
        assert_eq!(one(b"\x06"), Record::Scalar(Scalar::Bytes(b"")));
    }

    #[test]
    fn structs_and_arrays_are_bare_tags() {
        assert_eq!(one(b"\x03"), Record::Start(Container::Struct));
        assert_eq!(one(b"\x83"), Record::End(Container::Struct));
        assert_eq!(one(b"\x04"), Record::Start(Container::Array));
        assert_eq!(one(b"\x84"), Record::End(Container::Array));
        assert_eq!(defect(b"\x13\0"), Defect::TagWithLength);
        assert_eq!(defect(b"\x94\0"), Defect::TagWithLength);
    }

    #[test]
    fn a_record_over_the_end_is_refused() {
        assert_eq!(defect(b"\x20\x12"), Defect::Truncated);
        assert_eq!(defect(b"\x82\0\0\0\0\0\0\0"), Defect::Truncated);
        assert_eq!(defect(b"\x41abc"), Defect::Truncated);
        assert_eq!(defect(b"\xa1\x01"), Defect::Truncated);
        assert_eq!(defect(b"\xc6\xff\xff\xff\xffabc"), Defect::Truncated);
    }

    #[test]
    fn a_length_on_no_byte_or_on_5_is_refused() {
        assert_eq!(defect(b"\x80"), Defect::LengthWidth(0));
        assert_eq!(defect(b"\x81"), Defect::LengthWidth(0));
        assert_eq!(defect(b"\xd1\0\0\0\0\x01\0"), Defect::LengthWidth(5));
        assert_eq!(defect(b"\xf6"), Defect::LengthWidth(7));
    }

    #[test]
    fn unknown_types_are_refused() {
        for tag in [0x07, 0x18, 0x8f] {
            assert_eq!(defect(&[tag, 0]), Defect::UnknownType(tag & 0x0f));
        }
    }

    #[test]
    fn an_error_tells_where_its_record_starts() {
        let mut reader = Reader::new(b"\x10\x07\x41ab");
        assert_eq!(reader.next(), Ok(Some(int(7))));
        assert_eq!(
            reader.next(),
            Err(Malformed::Body {
                at: 2,
                defect: Defect::Truncated
            })
        );
    }
}
