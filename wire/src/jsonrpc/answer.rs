//! Telling answers, requests and other documents apart.

use super::Refusal;
use super::reader::Reader;

/// Whether a document is the answer of a server, or a batch of answers.
#[must_use]
pub fn is_answer(document: &[u8]) -> bool {
    let mut reader = Reader::new(document);
    match reader.peek() {
        Some(b'{') => answer(&mut reader).is_ok(),
        Some(b'[') => {
            let mut is_empty = true;
            let read = reader.array(|reader| {
                is_empty = false;
                answer(reader)
            });
            read.is_ok() && !is_empty
        }
        _ => false,
    }
}

/// Reads an answer: an object with a result or an error, and no method.
fn answer(reader: &mut Reader<'_>) -> Result<(), Refusal> {
    let mut answers = false;
    reader.object(|reader, name| {
        let name = name.unescaped();
        // Most requests have their method near the start, so the rest need not be read.
        if name.eq_ignore_ascii_case(b"method") {
            return Err(Refusal::NotAnObject);
        }
        answers |= name.eq_ignore_ascii_case(b"result") || name.eq_ignore_ascii_case(b"error");
        reader.skip()
    })?;
    answers.then_some(()).ok_or(Refusal::NotAnObject)
}

/// Whether a datagram shows that it is a request, or a batch. The sender of a datagram
/// may be forged, so a server answers only what shows as much.
///
/// An object shows it by a member `method`, also where something behind that is
/// wrong, or else by `jsonrpc`, if all of it can be read and it is no answer. An array
/// shows it by one such object, or by having no objects at all: that is a wrong batch.
#[must_use]
pub fn is_request(document: &[u8]) -> bool {
    let mut reader = Reader::new(document);
    match reader.peek() {
        Some(b'{') => is_request_object(&mut reader).unwrap_or(false),
        Some(b'[') => is_batch(&mut reader),
        _ => false,
    }
}

fn is_batch(reader: &mut Reader<'_>) -> bool {
    let (mut requests, mut objects, mut values) = (0, 0, 0);
    let read = reader.array(|reader| {
        values += 1;
        if reader.peek() != Some(b'{') {
            return reader.skip();
        }
        objects += 1;
        requests += usize::from(is_request_object(reader)?);
        // One request is enough, so the rest need not be read.
        if requests > 0 { Err(FOUND) } else { Ok(()) }
    });
    requests > 0 || (read.is_ok() && values > 0 && objects == 0)
}

/// Ends the reading of a document once enough of it is known.
const FOUND: Refusal = Refusal::NotAnObject;

fn is_request_object(reader: &mut Reader<'_>) -> Result<bool, Refusal> {
    let (mut has_method, mut has_version, mut answers) = (false, false, false);
    let read = reader.object(|reader, name| {
        let name = name.unescaped();
        let is = |member: &[u8]| name.eq_ignore_ascii_case(member);
        if is(b"method") {
            has_method = true;
            return Err(FOUND);
        }
        has_version |= is(b"jsonrpc");
        answers |= is(b"result") || is(b"error");
        // However deep it is, a request may follow it.
        if reader.is_at_container() {
            reader.skip_deep()
        } else {
            reader.skip()
        }
    });
    if has_method {
        return Ok(true);
    }
    read.map(|()| has_version && !answers)
}

#[cfg(test)]
mod tests {
    use super::is_request;

    #[test]
    fn a_request_shows_by_its_members() {
        for request in [
            r#"{"jsonrpc":"2.0","method":"core.version","id":1}"#,
            r#" {"METHOD":5}"#,
            r#"{"id":1,"params":[[[]]],"method":"core.echo""#,
            r#"{"jsonrpc":2.0}"#,
            r#"{"result":1,"method":"core.echo"}"#,
            r#"[1,{},{"method":"core.echo"},"#,
            "[1,1,1]",
        ] {
            assert!(is_request(request.as_bytes()), "{request}");
        }
        let deep = format!(
            r#"{{"x":{}{},"method":1}}"#,
            "[".repeat(999),
            "]".repeat(999)
        );
        assert!(is_request(deep.as_bytes()));
    }

    #[test]
    fn what_shows_none_is_none() {
        for other in [
            "",
            "x",
            "{",
            "{}",
            "[]",
            "[",
            "[1",
            "5",
            r#""method""#,
            r#"{"id":1,"params":{"method":1}}"#,
            r#"{"jsonrpc":"2.0","result":{"method":1},"id":1}"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"mess"#,
            r#"{"jsonrpc":"2.0","#,
            r#"[{"jsonrpc":"2.0","result":1,"id":1},{"jsonrpc":"2.0","result":2,"id":2}]"#,
            "[1,{}]",
            "Sat Nov 28 07:12:34 2026\r\n",
        ] {
            assert!(!is_request(other.as_bytes()), "{other}");
        }
    }
}
