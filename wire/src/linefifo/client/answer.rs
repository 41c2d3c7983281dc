//! Reading answers, as a client does.

use thiserror::Error;

use crate::linefifo::BadEscape;
use crate::linefifo::escape::{REPLY, unescaped};

/// The members on the line of a structure or an array. Some have a name.
pub type Members = Vec<(Option<Vec<u8>>, Vec<u8>)>;

/// The answer of a server. The caller must know that it is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// 200, or the code of a fault.
    pub code: i32,
    /// `OK`, or the reason of a fault.
    pub reason: Vec<u8>,
    /// The lines that follow.
    pub lines: Vec<Line>,
}

/// A line of an answer. Its form depends on the command and does not show in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line(Vec<u8>);

/// The reason why an answer cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadAnswer {
    /// The last line has no end.
    #[error("the answer ends in the middle of a line")]
    Unfinished,
    /// The first line is not a number, a space and a text.
    #[error("the answer does not start with a code and a reason")]
    NoStatus,
    /// The reason has a wrong escape.
    #[error("the reason is not readable: {0}")]
    Reason(#[from] BadEscape),
}

impl Answer {
    /// Reads an answer, which is all of `bytes`.
    ///
    /// # Errors
    ///
    /// It does not start with a code and a reason or does not end with a line.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadAnswer> {
        let text = bytes.strip_suffix(b"\n").ok_or(BadAnswer::Unfinished)?;
        let mut lines = text.split(|byte| *byte == b'\n');
        let status = lines.next().unwrap_or_default();
        let (code, reason) = split_once(status, b' ').ok_or(BadAnswer::NoStatus)?;
        let code = std::str::from_utf8(code)
            .ok()
            .and_then(|code| code.parse().ok());
        Ok(Answer {
            code: code.ok_or(BadAnswer::NoStatus)?,
            reason: unescaped(reason, REPLY)?,
            lines: lines.map(|line| Line(line.to_vec())).collect(),
        })
    }
}

impl Line {
    /// The line as it came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value of a line that is not a structure.
    ///
    /// # Errors
    ///
    /// It has a wrong escape.
    pub fn text(&self) -> Result<Vec<u8>, BadEscape> {
        unescaped(&self.0, REPLY)
    }

    /// The members of a structure or an array at the top.
    ///
    /// # Errors
    ///
    /// One of them has a wrong escape.
    pub fn members(&self) -> Result<Members, BadEscape> {
        members(&self.0)
    }

    /// The name and the members of a structure or an array inside another. The
    /// name is empty where there is none.
    ///
    /// # Errors
    ///
    /// One of them has a wrong escape. A line without a colon, which is not such a
    /// line, gives a name without members.
    pub fn named_members(&self) -> Result<(Vec<u8>, Members), BadEscape> {
        let (name, rest) = split_once(&self.0, b':').unwrap_or((&self.0, b""));
        Ok((unescaped(name, REPLY)?, members(rest)?))
    }
}

fn members(line: &[u8]) -> Result<Members, BadEscape> {
    if line.is_empty() {
        return Ok(Vec::new());
    }
    // A comma at the end belongs to an empty text without a name.
    let line = line.strip_suffix(b",").unwrap_or(line);
    line.split(|byte| *byte == b',').map(member).collect()
}

fn member(text: &[u8]) -> Result<(Option<Vec<u8>>, Vec<u8>), BadEscape> {
    match split_once(text, b':') {
        Some((name, value)) => Ok((Some(unescaped(name, REPLY)?), unescaped(value, REPLY)?)),
        None => Ok((None, unescaped(text, REPLY)?)),
    }
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((&text[..at], &text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line(text.as_bytes().to_vec())
    }

    fn shown(members: Members) -> Vec<String> {
        let show = |(name, value): (Option<Vec<u8>>, Vec<u8>)| {
            let value = String::from_utf8(value).expect("text");
            let name = name.map(|name| String::from_utf8(name).expect("text"));
            name.map_or(value.clone(), |name| format!("{name}={value}"))
        };
        members.into_iter().map(show).collect()
    }

    #[test]
    fn a_reply_of_some_lines() {
        let answer = Answer::parse(b"200 OK\nfirst \\n\n\na:1\n").expect("an answer");
        assert_eq!(
            (answer.code, answer.reason.as_slice()),
            (200, b"OK".as_slice())
        );
        assert_eq!(answer.lines, [line("first \\n"), line(""), line("a:1")]);
        assert_eq!(answer.lines[0].text(), Ok(b"first \n".to_vec()));
    }

    #[test]
    fn a_fault() {
        let answer = Answer::parse(b"-500 no\\n!\n").expect("an answer");
        assert_eq!(answer.code, -500);
        assert_eq!(answer.reason, b"no\n!");
        assert!(answer.lines.is_empty());
    }

    #[test]
    fn members_with_and_without_names() {
        let shown = |text| shown(line(text).members().expect("members"));
        assert_eq!(shown(""), [""; 0]);
        assert_eq!(shown(","), [""]);
        assert_eq!(shown("a,,"), ["a", ""]);
        assert_eq!(shown(r"a\o:1\c2,b"), ["a:=1,2", "b"]);
    }

    #[test]
    fn a_structure_inside_another() {
        let named = |text| line(text).named_members().expect("members");
        let (name, members) = named("in:a:1,b");
        assert_eq!(name, b"in");
        assert_eq!(shown(members), ["a=1", "b"]);
        assert_eq!(named(":"), (Vec::new(), Vec::new()));
    }

    #[test]
    fn answers_that_are_none() {
        assert_eq!(Answer::parse(b""), Err(BadAnswer::Unfinished));
        assert_eq!(Answer::parse(b"200 OK\na"), Err(BadAnswer::Unfinished));
        assert_eq!(Answer::parse(b"200\n"), Err(BadAnswer::NoStatus));
        assert_eq!(Answer::parse(b"x OK\n"), Err(BadAnswer::NoStatus));
        assert_eq!(
            Answer::parse(b"200 \\x\n"),
            Err(BadAnswer::Reason(BadEscape))
        );
        assert_eq!(line("\\c\\").text(), Err(BadEscape));
    }
}
