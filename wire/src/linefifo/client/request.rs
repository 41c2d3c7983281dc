//! Writing requests, as a client does.

use thiserror::Error;

use crate::linefifo::escape::{REQUEST, put_member, put_plain};
use crate::linefifo::{MAX_FIRST_LINE, NamedText};

/// A parameter of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Text, or a number as text.
    Text(Vec<u8>),
    /// Names and values.
    Struct(Vec<NamedText>),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self::Text(text.as_bytes().to_vec())
    }
}

impl From<i32> for Arg {
    fn from(number: i32) -> Self {
        Self::Text(number.to_string().into_bytes())
    }
}

/// The reason why the protocol cannot express a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsendable {
    /// The method is empty, or has a colon, a line end or a NUL in it.
    #[error("no request can name this method")]
    Method,
    /// The name of the pipe has a line end or a NUL in it.
    #[error("no request can name this pipe for its reply")]
    ReplyFile,
    /// Both names together are too long for a line.
    #[error("the names are longer than a first line can be")]
    FirstLineTooLong,
    /// A parameter is empty, so its line would end the request.
    #[error("an empty parameter cannot be sent")]
    EmptyArg,
}

/// Encodes a request for `method` with `args`. Its reply goes to the pipe `reply_file`,
/// or without one back the way the request came.
///
/// # Errors
///
/// The protocol cannot express one of them.
pub fn encode_request(
    method: &[u8],
    reply_file: Option<&[u8]>,
    args: &[Arg],
) -> Result<Vec<u8>, Unsendable> {
    let reply_file = reply_file.unwrap_or_default();
    if method.is_empty() || method.contains(&b':') || !is_name(method) {
        return Err(Unsendable::Method);
    }
    if !is_name(reply_file) {
        return Err(Unsendable::ReplyFile);
    }
    let mut request = [b":", method, b":", reply_file].concat();
    if request.len() > MAX_FIRST_LINE {
        return Err(Unsendable::FirstLineTooLong);
    }
    request.push(b'\n');
    for arg in args {
        let start = request.len();
        put_arg(arg, &mut request);
        if request.len() == start {
            return Err(Unsendable::EmptyArg);
        }
        request.push(b'\n');
    }
    request.push(b'\n');
    Ok(request)
}

fn is_name(name: &[u8]) -> bool {
    !name.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0))
}

fn put_arg(arg: &Arg, request: &mut Vec<u8>) {
    match arg {
        Arg::Text(text) => put_plain(text, request),
        Arg::Struct(members) => {
            for (index, (name, value)) in members.iter().enumerate() {
                if index > 0 {
                    request.push(b',');
                }
                put_member(name, REQUEST, request);
                request.push(b':');
                put_member(value, REQUEST, request);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_of_each_kind() {
        let member = |name: &str, value: &str| (name.into(), value.into());
        let args = [
            Arg::from("a:b,\\\n"),
            Arg::from(-7),
            Arg::Struct(vec![member("uri", "sip:a,b"), member("", "")]),
        ];
        let request = encode_request(b"core.echo", Some(b"pipe"), &args).expect("a request");
        let expected: &[u8] = b":core.echo:pipe\na:b,\\\\\\n\n-7\nuri:sip\\ca\\ob,:\n\n";
        assert_eq!(request, expected);
    }

    #[test]
    fn without_a_pipe_and_without_parameters() {
        assert_eq!(encode_request(b"m", None, &[]), Ok(b":m:\n\n".to_vec()));
    }

    #[test]
    fn what_cannot_be_sent() {
        let long = [b'm'; MAX_FIRST_LINE];
        for method in [b"".as_slice(), b"a:b", b"a\nb", b"a\r", b"\0"] {
            assert_eq!(encode_request(method, None, &[]), Err(Unsendable::Method));
        }
        assert_eq!(
            encode_request(b"m", Some(b"a\nb"), &[]),
            Err(Unsendable::ReplyFile)
        );
        assert_eq!(
            encode_request(&long, None, &[]),
            Err(Unsendable::FirstLineTooLong)
        );
        for arg in [Arg::from(""), Arg::Struct(Vec::new())] {
            assert_eq!(
                encode_request(b"m", None, &[arg]),
                Err(Unsendable::EmptyArg)
            );
        }
    }
}
