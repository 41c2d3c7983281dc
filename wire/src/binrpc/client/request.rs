//! Writing requests, as a client does.

use crate::binrpc::header::{HeaderBytes, Widths, countable};
use crate::binrpc::writer::{
    put_bytes, put_double, put_end, put_int, put_name, put_start, put_str,
};
use crate::binrpc::{Kind, tag};
use crate::value::TooLarge;

/// A parameter of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// A whole number.
    Int(i32),
    /// A number of which three decimals are sent.
    Double(f64),
    /// Text.
    Str(Vec<u8>),
    /// Bytes that are not text.
    Bytes(Vec<u8>),
    /// Named members.
    Struct(Vec<(String, Arg)>),
    /// Values without names.
    Array(Vec<Arg>),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Str(text.as_bytes().to_vec())
    }
}

impl From<i32> for Arg {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Arg {
    fn from(number: f64) -> Self {
        Self::Double(number)
    }
}

/// Encodes a request whose header is as short as it can be.
///
/// # Errors
///
/// The body would be longer than `i32::MAX` bytes.
pub fn encode_request(method: &[u8], args: &[Arg], cookie: u32) -> Result<Vec<u8>, TooLarge> {
    let body = request_body(method, args)?;
    let header = HeaderBytes::minimal(Kind::Request, body.len(), cookie)?;
    Ok([header.as_bytes(), &body].concat())
}

/// Encodes a request whose header writes its numbers in `widths`, as other clients may.
///
/// # Errors
///
/// The body is longer than `i32::MAX` bytes, or one of the numbers needs more
/// bytes than its width, or a width is not 1..=4.
pub fn encode_request_padded(
    method: &[u8],
    args: &[Arg],
    cookie: u32,
    widths: Widths,
) -> Result<Vec<u8>, TooLarge> {
    let body = request_body(method, args)?;
    let body_len = countable(body.len())?;
    if !widths.hold(body_len, cookie) {
        return Err(TooLarge);
    }
    let header = HeaderBytes::padded(Kind::Request, body_len, cookie, widths);
    Ok([header.as_bytes(), &body].concat())
}

fn request_body(method: &[u8], args: &[Arg]) -> Result<Vec<u8>, TooLarge> {
    let mut body = Vec::new();
    put_str(method, &mut body)?;
    for arg in args {
        put_arg(arg, &mut body)?;
    }
    Ok(body)
}

/// Writes an argument. It recurses as deep as the caller has nested `arg`.
fn put_arg(arg: &Arg, body: &mut Vec<u8>) -> Result<(), TooLarge> {
    match arg {
        Arg::Int(number) => put_int(*number, body),
        Arg::Double(number) => put_double(*number, body),
        Arg::Str(text) => put_str(text, body)?,
        Arg::Bytes(bytes) => put_bytes(bytes, body)?,
        Arg::Struct(members) => {
            put_start(tag::STRUCT, body);
            for (name, value) in members {
                put_name(name.as_bytes(), body)?;
                put_arg(value, body)?;
            }
            put_end(tag::STRUCT, body);
        }
        Arg::Array(values) => {
            put_start(tag::ARRAY, body);
            for value in values {
                put_arg(value, body)?;
            }
            put_end(tag::ARRAY, body);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Widths = Widths {
        body_len: 1,
        cookie: 1,
    };

    #[test]
    fn core_echo_hello() {
        assert_eq!(
            encode_request(b"core.echo", &[Arg::from("hello")], 0x0102),
            Ok(b"\xa1\x01\x13\x01\x02\x91\x0acore.echo\0\x61hello\0".to_vec())
        );
    }

    #[test]
    fn a_parameter_of_each_kind() {
        let args = [
            Arg::Int(7),
            Arg::Double(1.5),
            Arg::Bytes(vec![0xff]),
            Arg::Array(vec![Arg::Int(1), Arg::Int(2)]),
            Arg::Struct(vec![("s".to_owned(), Arg::Array(Vec::new()))]),
        ];
        assert_eq!(
            encode_request(b"m", &args, 0),
            Ok(b"\xa1\x00\x17\x00\x21m\0\x10\x07\x22\x05\xdc\x16\xff\
                 \x04\x10\x01\x10\x02\x84\x03\x25s\0\x04\x84\x83"
                .to_vec())
        );
    }

    #[test]
    fn numbers_of_the_header_in_4_bytes_each() {
        let widths = Widths {
            body_len: 4,
            cookie: 4,
        };
        assert_eq!(
            encode_request_padded(b"m", &[], 7, widths),
            Ok(b"\xa1\x0f\x00\x00\x00\x03\x00\x00\x00\x07\x21m\0".to_vec())
        );
    }

    #[test]
    fn widths_that_do_not_hold_the_numbers_are_refused() {
        let long = [Arg::Str(vec![b'x'; 256])];
        let no_width = Widths {
            body_len: 0,
            ..NARROW
        };
        assert_eq!(encode_request_padded(b"m", &[], 256, NARROW), Err(TooLarge));
        assert_eq!(encode_request_padded(b"m", &long, 0, NARROW), Err(TooLarge));
        assert_eq!(encode_request_padded(b"m", &[], 0, no_width), Err(TooLarge));
    }
}
