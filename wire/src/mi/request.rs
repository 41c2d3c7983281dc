//! Requests, read by the server.

use thiserror::Error;

/// An argument of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Argument {
    /// The name before the `::`, empty where there is none.
    pub name: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// An argument that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// A quote inside a name or an unquoted value.
    #[error("argument {0} has a quote in it and does not start with one")]
    StrayQuote(usize),
    /// A quoted value that never ends.
    #[error("argument {0} has no closing quote")]
    NotClosed(usize),
    /// Something behind the closing quote.
    #[error("argument {0} goes on behind its closing quote")]
    BehindQuote(usize),
}

/// The command that a request names and the rest of the request, its arguments;
/// none where the first line is no `:command:`.
///
/// The line may end with a carriage return and a newline, or with the request:
/// clients in Ruby and PHP send such requests, and no other meaning of them is
/// possible.
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

/// Whether the first line of a datagram names a command: what it needs to be answered
/// by one who cannot know that its sender is not forged.
#[must_use]
pub fn is_request(datagram: &[u8]) -> bool {
    first_line(datagram).is_some_and(|(name, _)| !name.is_empty())
}

/// How much memory reading the arguments takes at most, with what becomes of them: an
/// argument may have a single byte and a line feed.
#[must_use]
pub fn arguments_memory(rest: &[u8]) -> usize {
    /// For each argument, in bytes: its value, and its places in lists that double.
    const ARGUMENT: usize = 256;
    rest.len() * ARGUMENT / 2
}

/// Reads all arguments.
///
/// # Errors
///
/// One of them, counted from 1, is wrong.
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

/// Reads the argument at the start of `text`, which is no space. Returns with it
/// how far it goes.
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

/// A name or a value without the space around it.
fn unquoted(text: &[u8], number: usize) -> Result<&[u8], ParseError> {
    if text.contains(&b'"') {
        return Err(ParseError::StrayQuote(number));
    }
    Ok(without_trailing_space(without_leading_space(text)))
}

/// Reads what starts with a quote. Returns with it how far it and the space on
/// its last line go.
fn quoted(text: &[u8], number: usize) -> Result<(Vec<u8>, usize), ParseError> {
    const OPENING: usize = 1;
    let mut value = Vec::new();
    let mut start = OPENING;
    loop {
        let quote = text[start..].iter().position(|byte| *byte == b'"');
        let quote = start + quote.ok_or(ParseError::NotClosed(number))?;
        value.extend_from_slice(&text[start..quote]);
        // Looked at only where it decides: a line may have thousands of quotes.
        let behind = || first_of(&text[quote + 1..], |byte| byte == b'\n');
        let is_last = || without_leading_space(behind()).is_empty();
        let closes = match &value[..] {
            // What the C module takes for a quote of its own, and for a
            // backslash, where the line goes on.
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

/// Whether there is a quote to close a value whose first character is one.
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

/// What is before the first such byte.
fn first_of(text: &[u8], is_end: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| is_end(*byte));
    &text[..end.unwrap_or(text.len())]
}

/// What C calls space.
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
