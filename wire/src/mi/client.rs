//! Writing requests, as a client does.

use super::request::is_space;

/// Appends a request.
///
/// # Errors
///
/// One of the arguments cannot be written; `out` is unchanged.
pub fn encode_request<'a>(
    command: &[u8],
    arguments: impl IntoIterator<Item = &'a [u8]>,
    out: &mut Vec<u8>,
) -> Result<(), Unwritable> {
    let start = out.len();
    out.push(b':');
    out.extend_from_slice(command);
    out.extend_from_slice(b":\n");
    for argument in arguments {
        if let Err(unwritable) = put_argument(argument, out) {
            out.truncate(start);
            return Err(unwritable);
        }
        out.push(b'\n');
    }
    Ok(())
}

/// The error for a value that the syntax cannot express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// The value has a NUL, which would end it.
    #[error("it has a NUL in it")]
    Nul,
    /// The value needs quotes, and the backslash at its end would hide the closing one.
    #[error("it needs quotes and ends with a backslash")]
    BackslashAtEnd,
    /// The first line of the value is a quote, which would be read as a backslash.
    #[error("its first line is nothing but a quote")]
    QuoteAlone,
}

/// Appends a value, in quotes if it needs them.
///
/// # Errors
///
/// The value cannot be written; `out` is unchanged.
pub fn put_argument(value: &[u8], out: &mut Vec<u8>) -> Result<(), Unwritable> {
    if value.contains(&0) {
        return Err(Unwritable::Nul);
    }
    if !needs_quotes(value) {
        out.extend_from_slice(value);
        return Ok(());
    }
    if value.ends_with(b"\\") {
        return Err(Unwritable::BackslashAtEnd);
    }
    if is_quote_alone(value) {
        return Err(Unwritable::QuoteAlone);
    }
    out.push(b'"');
    for byte in value {
        if *byte == b'"' {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
    Ok(())
}

fn needs_quotes(value: &[u8]) -> bool {
    let edge = |byte: Option<&u8>| byte.is_none_or(|byte| is_space(*byte));
    edge(value.first())
        || edge(value.last())
        || value.contains(&b'\n')
        || value.contains(&b'"')
        || value.windows(2).any(|pair| pair == b"::")
}

/// Whether a value is a quote, space and a newline, with something behind them.
fn is_quote_alone(value: &[u8]) -> bool {
    let mut lines = value.split(|byte| *byte == b'\n');
    let first = lines.next().and_then(|line| line.strip_prefix(b"\""));
    lines.next().is_some() && first.is_some_and(|rest| rest.iter().all(|byte| is_space(*byte)))
}
