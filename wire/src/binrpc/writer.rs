//! Writing records as C writes them, with every length and number as short as it can
//! be.

use super::{DOUBLE_SCALE, tag};
use crate::value::TooLarge;

pub(super) fn put_int(number: i32, out: &mut Vec<u8>) {
    put_number(tag::INT, (number as u32).into(), out);
}

/// Writes thousandths, cut off towards zero.
///
/// What does not fit into 64 bits of them becomes `i64::MIN`. C leaves this conversion
/// undefined, and that is what compilers for x86-64 make of it, with few exceptions:
/// Debian's `ctl` 5.6.3 writes 0 for an unsigned long that is so large and outside a
/// struct.
pub(super) fn put_double(number: f64, out: &mut Vec<u8>) {
    let scaled = number * DOUBLE_SCALE;
    let fits = (i64::MIN as f64..-(i64::MIN as f64)).contains(&scaled);
    let thousandths = if fits { scaled as i64 } else { i64::MIN };

    put_number(tag::DOUBLE, thousandths as u64, out);
}

pub(super) fn put_str(text: &[u8], out: &mut Vec<u8>) -> Result<(), TooLarge> {
    put_text(tag::STR, text, out)
}

/// Writes the name of the member that is written next.
pub(super) fn put_name(name: &[u8], out: &mut Vec<u8>) -> Result<(), TooLarge> {
    put_text(tag::AVP, name, out)
}

#[cfg(feature = "client")]
pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), TooLarge> {
    put_len(tag::BYTES, bytes.len(), out)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Writes the start of a struct or an array, where `kind` is its tag.
pub(super) fn put_start(kind: u8, out: &mut Vec<u8>) {
    out.push(kind);
}

pub(super) fn put_end(kind: u8, out: &mut Vec<u8>) {
    out.push(tag::LONG | kind);
}

#[inline]
fn put_text(kind: u8, text: &[u8], out: &mut Vec<u8>) -> Result<(), TooLarge> {
    put_len(kind, text.len() + 1, out)?;
    out.extend_from_slice(text);
    out.push(0);
    Ok(())
}

#[inline]
fn put_len(kind: u8, len: usize, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    if len < 8 {
        out.push((len as u8) << 4 | kind);
        return Ok(());
    }
    put_long_len(kind, len, out)
}

fn put_long_len(kind: u8, len: usize, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    let len = u32::try_from(len).map_err(|_| TooLarge)?;
    put_number(tag::LONG | kind, len.into(), out);
    Ok(())
}

/// Writes a tag with the length of `number`, and its bytes from the first that is not
/// zero.
///
/// Copying all eight bytes and taking some back is a single instruction, where copying
/// as many as needed is a call. It takes a seventh off the time of a large reply.
#[inline]
fn put_number(kind: u8, number: u64, out: &mut Vec<u8>) {
    let len = 8 - number.leading_zeros() as usize / 8;
    out.push((len as u8) << 4 | kind);
    let end = out.len() + len;
    // The number 0 has no bytes, so the distance of its shift does not matter.
    out.extend_from_slice(&number.wrapping_shl(64 - 8 * len as u32).to_be_bytes());
    out.truncate(end);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(number: i32) -> Vec<u8> {
        let mut out = Vec::new();
        put_int(number, &mut out);
        out
    }

    fn double(number: f64) -> Vec<u8> {
        let mut out = Vec::new();
        put_double(number, &mut out);
        out
    }

    fn text(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_str(text, &mut out).expect("short text");
        out
    }

    #[test]
    fn ints_without_leading_zeros() {
        assert_eq!(int(0), b"\x00");
        assert_eq!(int(7), b"\x10\x07");
        assert_eq!(int(255), b"\x10\xff");
        assert_eq!(int(256), b"\x20\x01\x00");
        assert_eq!(int(0x01_0000), b"\x30\x01\x00\x00");
        assert_eq!(int(-1), b"\x40\xff\xff\xff\xff");
    }

    #[test]
    fn doubles_as_thousandths() {
        assert_eq!(double(0.0), b"\x02");
        assert_eq!(double(0.001), b"\x12\x01");
        assert_eq!(double(1.5), b"\x22\x05\xdc");
        assert_eq!(double(1.9999), b"\x22\x07\xcf");
        assert_eq!(double(-0.001), b"\x82\xff\xff\xff\xff\xff\xff\xff\xff");
        assert_eq!(double(-0.0009), b"\x02");
    }

    #[test]
    fn doubles_out_of_range_become_what_x86_64_makes_of_them() {
        let smallest = b"\x82\x80\x00\x00\x00\x00\x00\x00\x00";
        for number in [1e16, -1e16, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(double(number), smallest, "{number}");
        }
        assert_eq!(double(9e15), b"\x82\x7c\xe6\x6c\x50\xe2\x84\x00\x00");
    }

    #[test]
    fn text_up_to_7_bytes_with_its_nul_has_a_short_tag() {
        assert_eq!(text(b""), b"\x11\0");
        assert_eq!(text(b"abcdef"), b"\x71abcdef\0");
        assert_eq!(text(b"abcdefg"), b"\x91\x08abcdefg\0");
    }

    #[test]
    fn longer_text_has_the_shortest_length() {
        assert_eq!(text(&[b'x'; 254])[..2], *b"\x91\xff");
        assert_eq!(text(&[b'x'; 255])[..3], *b"\xa1\x01\x00");
        assert_eq!(text(&[b'x'; 65_534])[..3], *b"\xa1\xff\xff");
        assert_eq!(text(&[b'x'; 65_535])[..4], *b"\xb1\x01\x00\x00");
    }

    #[test]
    fn names_and_bytes() {
        let mut out = Vec::new();
        put_name(b"test", &mut out).expect("a short name");
        put_bytes(b"abcdef", &mut out).expect("a few bytes");
        assert_eq!(out, b"\x55test\0\x66abcdef");
    }
}
