//! Reading requests, as a server does.

use thiserror::Error;

/// An argument of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    /// The name before the `::`, empty where there is none.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// The error for an argument that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// A name or an unquoted value has a quote in it.
    #[error("argument {0} has a quote in it and does not start with one")]
    StrayQuote(usize),
    /// A quoted value has no end.
    #[error("argument {0} has no closing quote")]
    NotClosed(usize),
    /// Something follows the closing quote.
    #[error("argument {0} goes on behind its closing quote")]
    BehindQuote(usize),
}

/// The command that a request names, and the rest of the request, which is its
/// arguments. It is `None` if the first line is not of the form `:command:`.
///
/// The line may end with a carriage return and a newline, or with the request. Clients
/// in Ruby and PHP send such requests, and they can mean nothing else.
#[must_use]
pub fn first_line(request: &[u8]) -> Option<(&[u8], &[u8])> {
    let names = request.strip_prefix(b":")?;
    let end = names.iter().position(|byte| matches!(byte, b':' | 0))?;
    if names[end] == 0 {
        return None;
    }
    let behind = &names[end + 1..];
    let behind = behind.strip_prefix(b"\r").unwrap_or(behind);
    match behind.split_first() {
        None => Some((&names[..end], &[])),
        Some((b'\n', rest)) => Some((&names[..end], rest)),
        Some(_) => None,
    }
}

/// Whether the first line of a datagram names a command. The sender of a datagram may
/// be forged, so a server answers only what shows as much.
#[must_use]
pub fn is_request(datagram: &[u8]) -> bool {
    first_line(datagram).is_some_and(|(name, _)| !name.is_empty())
}

/// The most memory that reading the arguments takes, including what is made of them. An
/// argument may have a single byte and a line feed.
#[must_use]
pub fn arguments_memory(rest: &[u8]) -> usize {
    /// The bytes of an argument: its value, and its entries in lists that double.
    const ARGUMENT: usize = 256;
    rest.len() * ARGUMENT / 2
}

/// Reads all arguments.
///
/// # Errors
///
/// An argument is wrong. The error tells its number, counted from 1.
pub fn arguments(mut rest: &[u8]) -> Result<Vec<Argument>, ParseError> {
    let mut arguments = Vec::new();
    loop {
        rest = without_leading_space(rest);
        if rest.is_empty() {
            return Ok(arguments);
        }
        let number = arguments.len() + 1;
        let (argument, used) = argument(rest, number)?;
        arguments.push(argument);
        rest = &rest[used..];
    }
}

/// Reads the argument at the start of `text`, which does not start with space, and
/// returns its length as well.
fn argument(text: &[u8], number: usize) -> Result<(Argument, usize), ParseError> {
    if text.starts_with(b"\"") {
        let (value, used) = quoted(text, number)?;
        return Ok((Argument::new(b"", &value), used));
    }
    let line = first_of(text, |byte| byte == b'\n');
    let Some(separator) = line.windows(2).position(|pair| pair == b"::") else {
        let value = unquoted(line, number)?;
        return Ok((Argument::new(b"", value), line.len()));
    };
    let name = unquoted(&line[..separator], number)?;
    let behind = &line[separator + 2..];
    let start = line.len() - without_leading_space(behind).len();
    if text[start..].starts_with(b"\"") {
        let (value, used) = quoted(&text[start..], number)?;
        return Ok((Argument::new(name, &value), start + used));
    }
    let value = unquoted(behind, number)?;
    Ok((Argument::new(name, value), line.len()))
}

/// Reads a name or a value without the space around it.
fn unquoted(text: &[u8], number: usize) -> Result<&[u8], ParseError> {
    if text.contains(&b'"') {
        return Err(ParseError::StrayQuote(number));
    }
    Ok(without_trailing_space(without_leading_space(text)))
}

/// Reads a quoted value, and returns its length as well, including the space that
/// follows on its last line.
fn quoted(text: &[u8], number: usize) -> Result<(Vec<u8>, usize), ParseError> {
    const OPENING: usize = 1;
    let mut value = Vec::new();
    let mut start = OPENING;
    loop {
        let quote = text[start..].iter().position(|byte| *byte == b'"');
        let quote = start + quote.ok_or(ParseError::NotClosed(number))?;
        value.extend_from_slice(&text[start..quote]);
        // This is looked at only where it decides, because a line may have thousands of
        // quotes.
        let behind = || first_of(&text[quote + 1..], |byte| byte == b'\n');
        let is_last = || without_leading_space(behind()).is_empty();
        let closes = match &value[..] {
            // The C module takes such a quote for the closing one, or for a backslash
            // if the line goes on.
            [] => is_last() || !closes_further_on(&text[quote + 1..]),
            [b'\\'] => is_last(),
            [.., last] => *last != b'\\',
        };
        if closes {
            return match is_last() {
                true => Ok((value, quote + 1 + behind().len())),
                false => Err(ParseError::BehindQuote(number)),
            };
        }
        if value.last() == Some(&b'\\') {
            value.pop();
        }
        value.push(b'"');
        start = quote + 1;
    }
}

/// Whether there is a quote that closes a value whose first character is one.
fn closes_further_on(text: &[u8]) -> bool {
    text.contains(&b'"')
}

impl Argument {
    fn new(name: &[u8], value: &[u8]) -> Self {
        let end_at_nul = |text: &[u8]| first_of(text, |byte| byte == 0).to_vec();
        Argument {
            name: end_at_nul(name),
            value: end_at_nul(value),
        }
    }
}

/// The bytes before the first one for which `is_end` holds.
fn first_of(text: &[u8], is_end: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| is_end(*byte));
    &text[..end.unwrap_or(text.len())]
}

/// Whether C counts a byte as space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn without_leading_space(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_space(*byte));
    &text[start.unwrap_or(text.len())..]
}

fn without_trailing_space(text: &[u8]) -> &[u8] {
    let last = text.iter().rposition(|byte| !is_space(*byte));
    &text[..last.map_or(0, |last| last + 1)]
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
