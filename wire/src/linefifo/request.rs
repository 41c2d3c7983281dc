//! Requests, read by the server.

use super::escape::{REQUEST, put_unescaped};
use super::lines::{empty_lines, end_of_request, without_end};
use super::{Defect, Malformed};
use crate::value::{Param, Params, Span};

/// The longest first line, in bytes without its end.
///
/// It holds two names, neither of which can have more than 255 characters and
/// be of use. What does not get to the end of a line is no request, and is
/// refused before it fills the memory.
pub const MAX_FIRST_LINE: usize = 1024;

/// What the input starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// The start of a request, or nothing.
    More,
    /// So many bytes of empty lines, which mean nothing between requests.
    Blank(usize),
    /// A request.
    Request(Request),
}

/// A request whose parameters were added to [`Params`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The name of the method, in the text of the parameters.
    pub method: Span,
    /// The name of the pipe for the reply, in the text of the parameters. Any
    /// bytes but LF and NUL: that it leads nowhere else is for the reader to
    /// check. The C module takes no dot, slash or backslash in it.
    pub reply_file: Option<Span>,
    /// How many bytes of the input the request has.
    pub used: usize,
}

/// Reads the first request in `input` and adds its parameters to `params`,
/// which are empty: all of them are a [`Param::Line`], whose raw line is for
/// [`parse_struct`](super::parse_struct): there an escaped colon is another
/// than a plain one.
///
/// `input` may end anywhere and may go on with other requests. It bounds the
/// memory that this takes; a request that does not end is for the caller to
/// give up.
///
/// # Errors
///
/// The first line is wrong, which is told as soon as the line is there, or a
/// parameter is. `params` then holds what was read so far.
pub fn decode(input: &[u8], params: &mut Params) -> Result<Decoded, Malformed> {
    decode_on(input, &mut 0, params)
}

/// The same for a request that comes piece by piece: `searched` is how many bytes
/// of this request were searched for its end already, 0 for a new one, and is
/// raised. So a piece costs no more than itself.
///
/// # Errors
///
/// As of [`decode`].
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

/// Reads the request in a datagram, which has to be complete. What follows it
/// in the datagram is not looked at, as in C.
///
/// C drops a datagram without the empty line at the end and says nothing, so
/// clients send it.
///
/// # Errors
///
/// As of [`decode`], and [`Defect::Incomplete`].
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

/// Whether the first line of a datagram names a method between colons: what it needs
/// to be answered by one who cannot know that its sender is not forged.
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

/// The first line with its end, once it is there.
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
    /// With its end.
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
