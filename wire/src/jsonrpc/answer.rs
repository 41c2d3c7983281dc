//! Answers, told from requests.

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
        // Most requests have their method near the start: no need to go on.
        if name.eq_ignore_ascii_case(b"method") {
            return Err(Refusal::NotAnObject);
        }
        answers |= name.eq_ignore_ascii_case(b"result") || name.eq_ignore_ascii_case(b"error");
        reader.skip()
    })?;
    answers.then_some(()).ok_or(Refusal::NotAnObject)
}
