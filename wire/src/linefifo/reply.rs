//! Writing replies, as a server does.

use std::fmt::Display;
use std::io::Write as _;
use std::ops::Range;

use super::escape::{REPLY, put_member, put_plain};
use crate::value::{Event, Fault, Reply, Scalar};

/// The text that C writes for a null string.
const NULL_STRING: &[u8] = b"<null string>";

/// Appends the reply: `200 OK` and its values, or a fault if it is one.
///
/// Whole numbers are written with all their digits and their sign, truth as 0
/// or 1, times in seconds, and numbers with a fraction with six decimals.
pub fn encode_answer(reply: &Reply, out: &mut Vec<u8>) {
    if let Some(Fault { code, reason }) = reply.fault() {
        return encode_fault(code, reason, out);
    }
    encode_fault(200, b"OK", out);
    let mut lines = Lines::new(out);
    for event in reply.walk() {
        match event {
            Event::Scalar { name, value } => lines.put_scalar(name, value),
            Event::Open { name, .. } => lines.open(name),
            Event::Close { .. } => lines.close(),
        }
    }
}

/// Appends a fault: its code and its reason. The reason stays on one line.
pub fn encode_fault(code: i32, reason: &[u8], out: &mut Vec<u8>) {
    put_number(code, out);
    out.push(b' ');
    put_plain(reason, out);
    out.push(b'\n');
}

/// Writes the lines of values.
///
/// The tree has inner structures between the members of the outer one, whose line must
/// be finished first. Everything is written as it comes, with a note of which piece
/// belongs to which line. Only if members came behind an inner structure are the pieces
/// sorted, once for each value at the top.
struct Lines<'a> {
    out: &'a mut Vec<u8>,
    /// The open structures, from the outermost to the innermost.
    open: Vec<Open>,
    /// The pieces that were written since the outermost structure was opened.
    pieces: Vec<Piece>,
    /// The number of those lines. All but the first start with an LF.
    lines: usize,
    in_order: bool,
}

struct Open {
    line: usize,
    /// Whether a comma belongs before the next member.
    comma: bool,
}

/// A piece of a line. It ends where the next piece starts.
struct Piece {
    line: usize,
    start: usize,
}

impl<'a> Lines<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Lines {
            out,
            open: Vec::new(),
            pieces: Vec::new(),
            lines: 0,
            in_order: true,
        }
    }

    fn put_scalar(&mut self, name: Option<&[u8]>, value: Scalar<'_>) {
        let Some(innermost) = self.open.last_mut() else {
            put_value(value, put_plain, self.out);
            self.out.push(b'\n');
            return;
        };
        let line = innermost.line;
        if self.pieces.last().is_none_or(|piece| piece.line != line) {
            let start = self.out.len();
            self.pieces.push(Piece { line, start });
            self.in_order = false;
        }
        if innermost.comma {
            self.out.push(b',');
        }
        let start = self.out.len();
        if let Some(name) = name {
            put_name(name, self.out);
        }
        put_value(value, |text, out| put_member(text, REPLY, out), self.out);
        innermost.comma = self.out.len() > start;
        if !innermost.comma {
            // An empty text without a name shows by a comma of its own, wherever it is.
            self.out.push(b',');
        }
    }

    fn open(&mut self, name: Option<&[u8]>) {
        let start = self.out.len();
        if self.open.is_empty() {
            self.pieces.clear();
            self.lines = 0;
            self.in_order = true;
        } else {
            self.out.push(b'\n');
            put_name(name.unwrap_or_default(), self.out);
        }
        let line = self.lines;
        self.lines += 1;
        self.pieces.push(Piece { line, start });
        self.open.push(Open { line, comma: false });
    }

    fn close(&mut self) {
        self.open.pop();
        if self.open.is_empty() {
            if !self.in_order {
                self.put_in_order();
            }
            self.out.push(b'\n');
        }
    }

    fn put_in_order(&mut self) {
        let mut pieces: Vec<(usize, Range<usize>)> = Vec::with_capacity(self.pieces.len());
        let mut end = self.out.len();
        for piece in self.pieces.iter().rev() {
            pieces.push((piece.line, piece.start..end));
            end = piece.start;
        }
        pieces.reverse();
        // The sort is stable, so pieces of one line stay in the order in which they
        // came.
        pieces.sort_by_key(|(line, _)| *line);
        let mut ordered = Vec::with_capacity(self.out.len() - end);
        for (_, piece) in pieces {
            ordered.extend_from_slice(&self.out[piece]);
        }
        self.out[end..].copy_from_slice(&ordered);
    }
}

fn put_name(name: &[u8], out: &mut Vec<u8>) {
    put_member(name, REPLY, out);
    out.push(b':');
}

fn put_value(value: Scalar<'_>, put_text: impl Fn(&[u8], &mut Vec<u8>), out: &mut Vec<u8>) {
    match value {
        Scalar::Int(number) => put_number(number, out),
        Scalar::Unsigned(number) => put_number(number, out),
        Scalar::Bool(number) => put_number(u8::from(number != 0), out),
        Scalar::Time(number) | Scalar::Long(number) => put_number(number, out),
        Scalar::UnsignedLong(number) => put_number(number, out),
        Scalar::Float(number) if number.is_nan() => out.extend_from_slice(b"nan"),
        Scalar::Float(number) => put_number(format_args!("{number:.6}"), out),
        Scalar::Text(text) => put_text(text, out),
        Scalar::Null => put_text(NULL_STRING, out),
    }
}

fn put_number(number: impl Display, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{number}");
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
