//! Reading and writing the header of a packet.

use std::fmt;

use super::{Malformed, big_endian};
use crate::value::TooLarge;

const MAGIC: u8 = 0xA1;

/// The size of the longest header: two fixed bytes, and up to four each for the length
/// and the cookie.
pub const MAX_HEADER_LEN: usize = 10;

/// The kind of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A client asks.
    Request,
    /// The server answers.
    Reply,
    /// The server answers that it could not do what was asked.
    Fault,
}

impl Kind {
    const fn from_wire(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Request),
            1 => Some(Self::Reply),
            3 => Some(Self::Fault),
            _ => None,
        }
    }

    const fn to_wire(self) -> u8 {
        match self {
            Self::Request => 0,
            Self::Reply => 1,
            Self::Fault => 3,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Reply => "reply",
            Self::Fault => "fault",
        })
    }
}

/// The header of a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The kind of the packet.
    pub kind: Kind,
    /// The size of the body, which follows the header, in bytes.
    pub body_len: usize,
    /// The client's number for a request, which the answer repeats.
    pub cookie: u32,
    /// The size of the header itself, in bytes.
    pub header_len: usize,
}

impl Header {
    /// Reads the header at the start of `bytes`, which may hold more or less than one
    /// packet.
    ///
    /// It returns `None` if the header has not arrived in full and is right so far.
    ///
    /// # Errors
    ///
    /// [`Malformed::Magic`] as soon as the first byte is there, and
    /// [`Malformed::UnknownKind`] as soon as the second one is.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some((&magic, rest)) = bytes.split_first() else {
            return Ok(None);
        };
        if magic != MAGIC {
            return Err(Malformed::Magic(magic));
        }
        let Some((&flags, rest)) = rest.split_first() else {
            return Ok(None);
        };
        let kind = Kind::from_wire(flags >> 4).ok_or(Malformed::UnknownKind(flags >> 4))?;

        let widths = Widths::from_wire(flags);
        let Some((body_len, rest)) = rest.split_at_checked(widths.body_len) else {
            return Ok(None);
        };
        let Some(cookie) = rest.get(..widths.cookie) else {
            return Ok(None);
        };
        Ok(Some(Self {
            kind,
            body_len: big_endian(body_len) as usize,
            cookie: big_endian(cookie) as u32,
            header_len: 2 + widths.body_len + widths.cookie,
        }))
    }

    /// The size of the whole packet, in bytes.
    #[must_use]
    pub const fn packet_len(&self) -> usize {
        // A u32 and at most 10 do not overflow the 64 bits that a usize has
        // wherever Kamailio is shipped; elsewhere nothing that large arrives.
        self.header_len.saturating_add(self.body_len)
    }
}

/// Whether a datagram starts with the whole header of a request. The sender of a
/// datagram may be forged, so a server answers only what shows as much.
#[must_use]
pub fn is_request(datagram: &[u8]) -> bool {
    matches!(Header::parse(datagram), Ok(Some(header)) if header.kind == Kind::Request)
}

/// The widths of the two numbers in a header, which are 1 to 4 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// The width of the length of the body.
    pub body_len: usize,
    /// The width of the cookie.
    pub cookie: usize,
}

impl Widths {
    /// The narrowest widths that hold both numbers.
    pub(super) const fn minimal(body_len: u32, cookie: u32) -> Self {
        Self {
            body_len: width(body_len),
            cookie: width(cookie),
        }
    }

    /// Whether they are valid widths that hold both numbers.
    #[cfg(feature = "client")]
    pub(super) fn hold(self, body_len: u32, cookie: u32) -> bool {
        let minimal = Self::minimal(body_len, cookie);
        (minimal.body_len..=4).contains(&self.body_len)
            && (minimal.cookie..=4).contains(&self.cookie)
    }

    const fn from_wire(flags: u8) -> Self {
        Self {
            body_len: (flags as usize >> 2 & 3) + 1,
            cookie: (flags as usize & 3) + 1,
        }
    }

    const fn to_wire(self) -> u8 {
        ((self.body_len as u8 - 1) << 2) | (self.cookie as u8 - 1)
    }
}

/// The bytes of a header to be sent.
pub(super) struct HeaderBytes {
    bytes: [u8; MAX_HEADER_LEN],
    len: usize,
}

impl HeaderBytes {
    /// Writes a header as narrow as its numbers allow, as C does.
    pub(super) fn minimal(kind: Kind, body_len: usize, cookie: u32) -> Result<Self, TooLarge> {
        let body_len = countable(body_len)?;
        Ok(Self::padded(
            kind,
            body_len,
            cookie,
            Widths::minimal(body_len, cookie),
        ))
    }

    /// Writes a header with its numbers in `widths`, which must [hold](Widths::hold)
    /// them.
    pub(super) fn padded(kind: Kind, body_len: u32, cookie: u32, widths: Widths) -> Self {
        let mut header = Self {
            bytes: [0; MAX_HEADER_LEN],
            len: 0,
        };
        header.put(&[MAGIC, kind.to_wire() << 4 | widths.to_wire()]);
        header.put(&body_len.to_be_bytes()[4 - widths.body_len..]);
        header.put(&cookie.to_be_bytes()[4 - widths.cookie..]);
        header
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }
}

/// The length of a body as the header writes it, unless it is more than C counts in an
/// `int`.
pub(super) fn countable(body_len: usize) -> Result<u32, TooLarge> {
    u32::try_from(body_len)
        .ok()
        .filter(|len| i32::try_from(*len).is_ok())
        .ok_or(TooLarge)
}

/// The number of bytes that a number in a header needs, which is at least one.
const fn width(number: u32) -> usize {
    match 4 - number.leading_zeros() as usize / 8 {
        0 => 1,
        bytes => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(bytes: &[u8]) -> Header {
        Header::parse(bytes)
            .expect("a good header")
            .expect("a whole header")
    }

    #[test]
    fn a_request_of_12_bytes_with_cookie_7() {
        assert_eq!(
            parsed(b"\xa1\x00\x0c\x07"),
            Header {
                kind: Kind::Request,
                body_len: 12,
                cookie: 7,
                header_len: 4
            }
        );
    }

    #[test]
    fn length_in_2_bytes_and_cookie_in_4() {
        assert_eq!(
            parsed(b"\xa1\x37\x01\x02\xde\xad\xbe\xef and a body"),
            Header {
                kind: Kind::Fault,
                body_len: 0x0102,
                cookie: 0xdead_beef,
                header_len: 8
            }
        );
    }

    #[test]
    fn the_widest_header() {
        let header = parsed(b"\xa1\x1f\xff\xff\xff\xff\x00\x00\x00\x01");
        assert_eq!(header.body_len, 0xffff_ffff);
        assert_eq!(header.header_len, MAX_HEADER_LEN);
        assert_eq!(header.packet_len(), 0xffff_ffff + MAX_HEADER_LEN);
    }

    #[test]
    fn every_start_of_a_header_wants_more() {
        let whole = b"\xa1\x1f\x00\x00\x00\x05\x00\x00\x00\x01";
        for len in 0..whole.len() {
            assert_eq!(Header::parse(&whole[..len]), Ok(None), "{len} bytes");
        }
    }

    #[test]
    fn a_request_shows_by_its_whole_header() {
        assert!(is_request(b"\xa1\x00\x0c\x07"));
        assert!(is_request(b"\xa1\x00\x00\x07\xff garbage"));
        for other in [
            &b""[..],
            b"\xa1",
            b"\xa1\x00\x0c",
            b"\xa1\x0f\x00\x00\x00\x05\x00\x00\x00",
            b"\xa1\x10\x00\x07",
            b"\xa1\x30\x00\x07",
            b"\xa1\x20\x00\x07",
            b"\xa2\x00\x00\x07",
            b"Sat Nov 28 07:12:34 2026\r\n",
        ] {
            assert!(!is_request(other), "{}", other.escape_ascii());
        }
    }

    #[test]
    fn a_wrong_first_byte_is_refused_alone() {
        assert_eq!(Header::parse(b"\xa2"), Err(Malformed::Magic(0xa2)));
        assert_eq!(Header::parse(b"{"), Err(Malformed::Magic(b'{')));
    }

    #[test]
    fn a_wrong_kind_is_refused_on_the_second_byte() {
        assert_eq!(Header::parse(b"\xa1\x20"), Err(Malformed::UnknownKind(2)));
        assert_eq!(Header::parse(b"\xa1\xff"), Err(Malformed::UnknownKind(15)));
    }

    #[test]
    fn headers_are_written_as_narrow_as_c_writes_them() {
        let written = |kind, len, cookie| {
            HeaderBytes::minimal(kind, len, cookie)
                .expect("a countable length")
                .as_bytes()
                .to_vec()
        };
        assert_eq!(written(Kind::Reply, 0, 0), b"\xa1\x10\x00\x00");
        assert_eq!(written(Kind::Request, 255, 256), b"\xa1\x01\xff\x01\x00");
        assert_eq!(
            written(Kind::Fault, 256, 0xffff_ffff),
            b"\xa1\x37\x01\x00\xff\xff\xff\xff"
        );
        assert_eq!(
            written(Kind::Reply, 0x0100_0000, 0x01_0000),
            b"\xa1\x1e\x01\x00\x00\x00\x01\x00\x00"
        );
    }

    #[test]
    fn a_body_that_c_cannot_count_gets_no_header() {
        assert!(HeaderBytes::minimal(Kind::Reply, i32::MAX as usize, 0).is_ok());
        assert!(HeaderBytes::minimal(Kind::Reply, i32::MAX as usize + 1, 0).is_err());
    }
}
