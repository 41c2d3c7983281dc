//! Recognises what servers answer, in every protocol.

use crate::binrpc::{Header, Kind};
use crate::{jsonrpc, mi};

/// Whether a datagram is the answer of a server, in whatever protocol.
///
/// The senders of datagrams can be forged. A server that replied to an answer could be
/// made to talk to another server for ever, even to one of another protocol: what the
/// first sends is a bad request to the second, whose complaint is a bad request to the
/// first.
#[must_use]
pub fn is_answer(datagram: &[u8]) -> bool {
    is_binrpc_answer(datagram) || mi::is_answer(datagram) || jsonrpc::is_answer(datagram)
}

fn is_binrpc_answer(datagram: &[u8]) -> bool {
    match Header::parse(datagram) {
        Ok(Some(header)) => header.kind != Kind::Request,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::{Form, Id, encode_error};
    use crate::value::Reply;

    #[test]
    fn answers_of_every_protocol() {
        let mut packet = Vec::new();
        crate::binrpc::encode_answer(&Reply::new(), 7, &mut packet).expect("it is small");
        assert!(is_answer(&packet));
        assert!(is_answer(b"500 command not available\n"));
        let id = Id::from_json(br#""method""#);
        for form in [Form::Compact, Form::Pretty, Form::PrettyLines] {
            let mut document = Vec::new();
            encode_error(-32600, b"", None, Some(&id), form, &mut document);
            assert!(is_answer(&document));
            assert!(is_answer(
                &[b"[", &document[..], b",", &document, b"]"].concat()
            ));
        }
    }

    #[test]
    fn requests_are_none() {
        for request in [
            &b""[..],
            b"x",
            b"\xa1",
            b"\xa1\x01\x00\x07",
            b":which:\n",
            b"5000 x",
            br#"{"jsonrpc":"2.0","method":"core.echo","params":{"error":1},"id":"result"}"#,
            br#"{"error":1,"method":"core.echo"}"#,
            br#"{"jsonrpc":"2.0","id":"error"}"#,
            br#"[{"result":1},{"method":"core.echo"}]"#,
            br#"{"result":1"#,
            b"[]",
            b"[1]",
        ] {
            assert!(!is_answer(request), "{}", request.escape_ascii());
        }
    }
}
