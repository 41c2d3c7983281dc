//! The HTTP status of an answer, for clients that read nothing else.

use std::borrow::Cow;

use super::Refusal;
use crate::value::{Fault, Reply};

/// The status for a reply: its code, and its text in one line. HTTP sends it, and
/// `$jsonrpl(code)` and `$jsonrpl(text)` give it to the script.
///
/// As in the C module a result is `200 OK`, and a fault has the code and the
/// text that the command gave it, also where the answer has a standard text.
/// A code up to 100, such as those of JSON-RPC, becomes 500; so does one of
/// more than three digits, which HTTP does not know.
#[must_use]
pub fn http_status(reply: &Reply) -> (u16, Cow<'_, str>) {
    match reply.fault() {
        None => (200, Cow::Borrowed("OK")),
        Some(Fault { code, reason }) => (status_code(code), one_line(reason)),
    }
}

/// The status for a refused request: 500, and what is wrong with it.
#[must_use]
pub fn refusal_status(refusal: Refusal) -> (u16, Cow<'static, str>) {
    (status_code(refusal.code()), Cow::Owned(refusal.to_string()))
}

fn status_code(code: i32) -> u16 {
    let known = |code: &u16| (101..=999).contains(code);
    u16::try_from(code).ok().filter(known).unwrap_or(500)
}

/// Makes a text that cannot end a status line early.
fn one_line(text: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(text);
    if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_fault(code: i32, reason: &[u8]) -> (u16, String) {
        let mut reply = Reply::new();
        reply.set_fault(code, reason);
        let (code, text) = http_status(&reply);
        (code, text.into_owned())
    }

    #[test]
    fn a_result_is_200_ok() {
        assert_eq!(http_status(&Reply::new()), (200, "OK".into()));
    }

    #[test]
    fn a_fault_keeps_its_code_and_text() {
        assert_eq!(
            of_fault(404, b"no such table"),
            (404, "no such table".to_owned())
        );
        assert_eq!(of_fault(999, b""), (999, String::new()));
    }

    #[test]
    fn codes_that_http_does_not_know_are_500() {
        for code in [0, 1, 100, -1, -32601, i32::MIN, 1000, i32::MAX] {
            assert_eq!(of_fault(code, b"no"), (500, "no".to_owned()));
        }
        assert_eq!(refusal_status(Refusal::EmptyBatch).0, 500);
    }

    #[test]
    fn a_text_is_one_line_of_utf8() {
        assert_eq!(
            of_fault(500, b"a\r\nSet-Cookie: b\0\xff"),
            (500, "a  Set-Cookie: b \u{fffd}".to_owned())
        );
    }
}
