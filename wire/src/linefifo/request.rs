//! Reading requests, as a server does.

use super::escape::{REQUEST, put_unescaped};
use super::lines::{empty_lines, end_of_request, without_end};
use super::{Defect, Malformed};
use crate::value::{Param, Params, Span};

/// The length of the longest first line without its end, in bytes.
///
/// The line holds two names, neither of which is of use with more than 255 characters.
/// What has no line end within this length is not a request, and is refused before it
/// fills the memory.
pub const MAX_FIRST_LINE: usize = 1024;

/// What the input starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The start of a request, or nothing.
    More,
    /// This many bytes are empty lines, which mean nothing between requests.
    Blank(usize),
    /// A request.
    Request(Request),
}

/// A request whose parameters were added to [`Params`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The name of the method, in the text of the parameters.
    pub method: Span,
    /// The name of the pipe for the reply, in the text of the parameters. It may have
    /// any bytes but LF and NUL, and the reader must check that it leads nowhere else.
    /// The C module takes no dot, slash or backslash in it.
    pub reply_file: Option<Span>,
    /// The number of bytes that the request has in the input.
    pub used: usize,
}

/// Reads the first request in `input` and adds its parameters to `params`, which must
/// be empty. Each becomes a [`Param::Line`]. Its raw line is kept for
/// [`parse_struct`](super::parse_struct), where an escaped colon differs from a plain
/// one.
///
/// `input` may end anywhere, and other requests may follow in it. Its size limits the
/// memory that this takes; the caller must give up on a request that does not end.
///
/// # Errors
///
/// The first line is wrong, which is told as soon as the line is there, or a parameter
/// is wrong. `params` then holds what was read so far.
pub fn decode(input: &[u8], params: &mut Params) -> Result<Decoded, Malformed> {
    decode_on(input, &mut 0, params)
}

/// As [`decode`], for a request that comes piece by piece, so that a piece costs no
/// more than itself. `searched` is how many bytes of this request were already searched
/// for its end, 0 for a new one; it is raised here.
///
/// # Errors
///
/// The errors are those of [`decode`].
pub fn decode_on(
    input: &[u8],
    searched: &mut usize,
    params: &mut Params,
) -> Result<Decoded, Malformed> {
    let blank = empty_lines(input);
    if blank > 0 {
        return Ok(Decoded::Blank(blank));
    }
    let first = first_line(input).and_then(|line| line.map(FirstLine::parse).transpose());
    let Some(first) = first.map_err(|defect| refused(defect, input))? else {
        return Ok(Decoded::More);
    };
    let Some(end) = end_of_request(input, *searched) else {
        *searched = input.len();
        return Ok(Decoded::More);
    };
    let request = Request {
        method: params.store_text(first.method),
        reply_file: first.reply_file.map(|name| params.store_text(name)),
        used: end,
    };
    match read_params(&input[first.len..end], params) {
        Ok(()) => Ok(Decoded::Request(request)),
        Err(defect) => Err(Malformed {
            reply_file: request.reply_file,
            ..refused(defect, input)
        }),
    }
}

/// Reads the request in a datagram, which must be complete. As in C, whatever follows
/// it in the datagram is ignored.
///
/// C silently drops a datagram without the empty line at its end, so clients send it.
///
/// # Errors
///
/// The errors are those of [`decode`], and [`Defect::Incomplete`].
pub fn decode_datagram(datagram: &[u8], params: &mut Params) -> Result<Request, Malformed> {
    let start = empty_lines(datagram);
    let to_whole = |malformed| Malformed {
        skip: datagram.len(),
        is_whole: true,
        ..malformed
    };
    match decode(&datagram[start..], params).map_err(to_whole)? {
        Decoded::Request(request) => Ok(Request {
            used: start + request.used,
            ..request
        }),
        Decoded::More | Decoded::Blank(_) => {
            let first = first_line(&datagram[start..]).ok().flatten();
            let first = first.and_then(|line| FirstLine::parse(line).ok());
            let reply_file = first.and_then(|first| first.reply_file);
            Err(to_whole(Malformed {
                reply_file: reply_file.map(|name| params.store_text(name)),
                ..refused(Defect::Incomplete, datagram)
            }))
        }
    }
}

/// Whether the first line of a datagram names a method between colons. The sender of a
/// datagram may be forged, so a server answers only what shows as much.
#[must_use]
pub fn is_request(datagram: &[u8]) -> bool {
    let line = datagram[empty_lines(datagram)..].split(|byte| *byte == b'\n');
    let first = line.take(1).map(FirstLine::parse).next();
    first.is_some_and(|first| first.is_ok_and(|first| first.method.iter().all(|byte| *byte > b' ')))
}

fn read_params(lines: &[u8], params: &mut Params) -> Result<(), Defect> {
    let mut unescaped = Vec::new();
    let lines = lines
        .split_inclusive(|byte| *byte == b'\n')
        .map(without_end);
    for (index, line) in lines.take_while(|line| !line.is_empty()).enumerate() {
        let raw = params.store_text(line);
        let text = if line.contains(&b'\\') {
            unescaped.clear();
            put_unescaped(line, REQUEST, &mut unescaped)
                .map_err(|_| Defect::BadEscape { line: index + 2 })?;
            params.store_text(&unescaped)
        } else {
            raw
        };
        params.push(Param::Line { text, raw });
    }
    Ok(())
}

/// The first line including its end, once it is there.
fn first_line(input: &[u8]) -> Result<Option<&[u8]>, Defect> {
    const LONGEST: usize = MAX_FIRST_LINE + "\r\n".len();
    let start = &input[..input.len().min(LONGEST)];
    match start.iter().position(|byte| *byte == b'\n') {
        Some(at) => Ok(Some(&input[..=at])),
        None if start.len() == LONGEST => Err(Defect::FirstLineTooLong),
        None => Ok(None),
    }
}

struct FirstLine<'a> {
    method: &'a [u8],
    reply_file: Option<&'a [u8]>,
    /// The length of the line, including its end.
    len: usize,
}

impl<'a> FirstLine<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, Defect> {
        let text = without_end(line);
        if text.len() > MAX_FIRST_LINE {
            return Err(Defect::FirstLineTooLong);
        }
        let names = text.strip_prefix(b":").ok_or(Defect::NoColon)?;
        if names.contains(&0) {
            return Err(Defect::NulInFirstLine);
        }
        let colon = names.iter().position(|byte| *byte == b':');
        let (method, rest) = names.split_at(colon.ok_or(Defect::NoSecondColon)?);
        if method.is_empty() {
            return Err(Defect::NoMethod);
        }
        let reply_file = &rest[1..];
        Ok(FirstLine {
            method,
            reply_file: (!reply_file.is_empty()).then_some(reply_file),
            len: line.len(),
        })
    }
}

fn refused(defect: Defect, input: &[u8]) -> Malformed {
    let end = end_of_request(input, 0);
    Malformed {
        defect,
        skip: end.unwrap_or(input.len()),
        is_whole: end.is_some(),
        reply_file: None,
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
