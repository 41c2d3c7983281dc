//! Writing answers, as a server does.

use super::header::{HeaderBytes, MAX_HEADER_LEN};
use super::writer::{put_double, put_end, put_int, put_name, put_start, put_str};
use super::{Kind, tag};
use crate::value::{Event, Fault, Reply, Scalar, TooLarge};

/// The text that C writes for a null string.
const NULL_STRING: &[u8] = b"<null string>";

/// Appends the packet that answers the request with this `cookie`: a reply, or a fault
/// if the reply is one.
///
/// The bytes are those of the C module, which knows only three types here. Whole
/// numbers up to 32 bits are ints, and so are the lower 32 bits of a time. Every other
/// number is a double, which keeps three decimals, and 53 bits of a 64-bit number.
/// Arrays are written as structs.
///
/// # Errors
///
/// The body would be longer than `i32::MAX` bytes; `out` is unchanged.
pub fn encode_answer(reply: &Reply, cookie: u32, out: &mut Vec<u8>) -> Result<(), TooLarge> {
    if let Some(Fault { code, reason }) = reply.fault() {
        return encode_fault(code, reason, cookie, out);
    }
    out.reserve(reply.size_hint());
    put_packet(Kind::Reply, cookie, out, |body| {
        reply.walk().try_for_each(|event| put_event(event, body))
    })
}

/// Appends the fault that answers the request with this `cookie`.
///
/// # Errors
///
/// The body would be longer than `i32::MAX` bytes; `out` is unchanged.
pub fn encode_fault(
    code: i32,
    reason: &[u8],
    cookie: u32,
    out: &mut Vec<u8>,
) -> Result<(), TooLarge> {
    put_packet(Kind::Fault, cookie, out, |body| {
        put_int(code, body);
        put_str(reason, body)
    })
}

/// Appends a packet whose body `put_body` appends.
///
/// The header tells the length of the body and has no fixed length itself. The body is
/// therefore written behind a gap for the longest header and moved once, which takes
/// far less time than walking a reply twice.
fn put_packet(
    kind: Kind,
    cookie: u32,
    out: &mut Vec<u8>,
    put_body: impl FnOnce(&mut Vec<u8>) -> Result<(), TooLarge>,
) -> Result<(), TooLarge> {
    let packet = out.len();
    let body = packet + MAX_HEADER_LEN;
    out.resize(body, 0);
    let header = put_body(out)
        .and_then(|()| HeaderBytes::minimal(kind, out.len() - body, cookie))
        .inspect_err(|_| out.truncate(packet))?;
    let header = header.as_bytes();
    let start = packet + header.len();
    out[packet..start].copy_from_slice(header);
    out.copy_within(body.., start);
    out.truncate(out.len() - (body - start));
    Ok(())
}

fn put_event(event: Event<'_>, body: &mut Vec<u8>) -> Result<(), TooLarge> {
    match event {
        Event::Scalar { name, value } => {
            put_name_of(name, body)?;
            put_scalar(value, body)?;
        }
        Event::Open { name, .. } => {
            put_name_of(name, body)?;
            put_start(tag::STRUCT, body);
        }
        Event::Close { .. } => put_end(tag::STRUCT, body),
    }
    Ok(())
}

fn put_name_of(member: Option<&[u8]>, body: &mut Vec<u8>) -> Result<(), TooLarge> {
    member.map_or(Ok(()), |name| put_name(name, body))
}

fn put_scalar(value: Scalar<'_>, body: &mut Vec<u8>) -> Result<(), TooLarge> {
    match value {
        Scalar::Int(number) | Scalar::Bool(number) => put_int(number, body),
        Scalar::Unsigned(number) => put_int(number as i32, body),
        // C cuts the upper half off, too, which will show in 2038.
        Scalar::Time(seconds) => put_int(seconds as i32, body),
        Scalar::Float(number) => put_double(number, body),
        Scalar::Long(number) => put_double(number as f64, body),
        Scalar::UnsignedLong(number) => put_double(number as f64, body),
        Scalar::Text(text) => put_str(text, body)?,
        Scalar::Null => put_str(NULL_STRING, body)?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Container, Parent};

    fn top(values: &[Scalar<'_>]) -> Reply {
        let mut reply = Reply::new();
        for value in values {
            reply.push(Parent::Top, None, *value).expect("room");
        }
        reply
    }

    fn encoded(reply: &Reply) -> Vec<u8> {
        let mut out = Vec::new();
        encode_answer(reply, 7, &mut out).expect("a small reply");
        out
    }

    #[test]
    fn an_empty_reply_is_a_bare_header() {
        assert_eq!(encoded(&Reply::new()), b"\xa1\x10\x00\x07");
    }

    #[test]
    fn the_four_kinds_of_ints() {
        assert_eq!(
            encoded(&top(&[
                Scalar::Int(-1),
                Scalar::Unsigned(0xffff_fffe),
                Scalar::Bool(1),
                Scalar::Time(0x1_6000_0000),
            ])),
            b"\xa1\x10\x11\x07\x40\xff\xff\xff\xff\x40\xff\xff\xff\xfe\x10\x01\x40\x60\x00\x00\x00"
        );
    }

    #[test]
    fn the_three_kinds_of_doubles() {
        assert_eq!(
            encoded(&top(&[
                Scalar::Float(1.5),
                Scalar::Long(-1),
                Scalar::UnsignedLong(u64::MAX),
            ])),
            b"\xa1\x10\x15\x07\x22\x05\xdc\
              \x82\xff\xff\xff\xff\xff\xff\xfc\x18\
              \x82\x80\x00\x00\x00\x00\x00\x00\x00"
        );
    }

    #[test]
    fn a_long_beyond_53_bits_is_rounded_as_c_rounds_it() {
        let number = (1 << 53) + 1;
        assert_eq!(
            encoded(&top(&[Scalar::Long(number)])),
            b"\xa1\x10\x09\x07\x82\x7d\x00\x00\x00\x00\x00\x00\x00"
        );
    }

    #[test]
    fn a_null_string_has_a_text() {
        assert_eq!(
            encoded(&top(&[Scalar::Text(b"ok"), Scalar::Null])),
            b"\xa1\x10\x14\x07\x31ok\0\x91\x0e<null string>\0"
        );
    }

    #[test]
    fn arrays_are_structs_and_may_have_named_members() {
        let mut reply = Reply::new();
        let outer = reply
            .open(Parent::Top, None, Container::Struct)
            .expect("room");
        let inner = reply
            .open(Parent::Node(outer), Some(b"in"), Container::Array)
            .expect("room");
        let outer = Parent::Node(outer);
        let inner = Parent::Node(inner);
        reply.push(inner, None, Scalar::Int(1)).expect("room");
        reply.push(inner, Some(b"a"), Scalar::Int(2)).expect("room");
        reply.push(outer, None, Scalar::Int(3)).expect("room");
        reply.push(outer, Some(b""), Scalar::Int(0)).expect("room");
        assert_eq!(
            encoded(&reply),
            b"\xa1\x10\x14\x07\x03\x35in\0\x03\x10\x01\x25a\0\x10\x02\x83\x10\x03\x15\0\x00\x83"
        );
    }

    #[test]
    fn a_fault_is_a_code_and_a_reason() {
        let mut reply = top(&[Scalar::Int(1)]);
        reply.set_fault(500, b"command x not found");
        assert_eq!(
            encoded(&reply),
            b"\xa1\x30\x19\x07\x20\x01\xf4\x91\x14command x not found\0"
        );
    }

    #[test]
    fn the_packet_is_put_behind_what_was_there() {
        let mut out = b"before".to_vec();
        encode_fault(400, b"no", 0x0102_0304, &mut out).expect("a short reason");
        assert_eq!(
            out,
            b"before\xa1\x33\x07\x01\x02\x03\x04\x20\x01\x90\x31no\0"
        );
    }

    #[test]
    fn a_reply_of_65536_bytes_has_its_length_in_three() {
        let text = vec![b'x'; 65_536 - 4];
        let packet = encoded(&top(&[Scalar::Text(&text)]));
        assert_eq!(packet[..9], *b"\xa1\x18\x01\x00\x00\x07\xa1\xff\xfd");
    }
}
