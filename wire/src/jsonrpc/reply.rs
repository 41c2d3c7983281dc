//! Writing answers, as a server does.

use super::error::{EXECUTION_ERROR, INVALID_PARAMS, message};
use super::id::Id;
use super::layout::Layout;
use super::number::{put_float, put_int, put_time};
use super::text::put_text;
use super::{Form, Refusal};
use crate::value::{Container, Event, Fault, Reply, Scalar};

/// The name of the member that holds a reply.
const RESULT: Option<&[u8]> = Some(b"result");

/// Appends the answer to one request: a result, or an error if the reply is a fault.
///
/// `returns_array` tells that the command is declared to answer with an array. Then all
/// values at the top of the reply are in one array; otherwise the last one is the
/// result. A reply without values has an empty result. Without an `id` the answer has
/// no such member.
///
/// Structures become objects, whose unnamed members have an empty name. Arrays become
/// arrays, without the names of their members; the policy of the RPC engine lets
/// neither occur. What is not UTF-8 becomes U+FFFD, and a number that JSON does not
/// know becomes null, so the answer is always valid JSON.
pub fn encode_answer(
    reply: &Reply,
    returns_array: bool,
    id: Option<&Id<'_>>,
    form: Form,
    out: &mut Vec<u8>,
) {
    if let Some(Fault { code, reason }) = reply.fault() {
        let code = if code == 0 { EXECUTION_ERROR } else { code };
        // The engine's text tells which of the parameters is wrong.
        let data = (code == INVALID_PARAMS && reason != message(code, b"")).then_some(reason);
        let data = data.filter(|reason| !reason.is_empty());
        return encode_error(code, reason, data, id, form, out);
    }
    put_answer(id, form, out, |layout, out| {
        if returns_array {
            put_all_values(reply, layout, out);
        } else {
            put_last_value(reply, layout, out);
        }
    });
}

/// Appends an error as the answer to one request. `reason` is the text for the client,
/// unless `code` has a standard one; `data` tells more about it.
pub fn encode_error(
    code: i32,
    reason: &[u8],
    data: Option<&[u8]>,
    id: Option<&Id<'_>>,
    form: Form,
    out: &mut Vec<u8>,
) {
    put_answer(id, form, out, |layout, out| {
        layout.begin(Some(b"error"), out);
        layout.open(Container::Struct, out);
        layout.begin(Some(b"code"), out);
        put_int(code, out);
        layout.begin(Some(b"message"), out);
        put_text(message(code, reason), out);
        if let Some(data) = data {
            layout.begin(Some(b"data"), out);
            put_text(data, out);
        }
        layout.close(out);
    });
}

/// Appends the answer to a refused request or document.
pub fn encode_refusal(refusal: Refusal, id: Option<&Id<'_>>, form: Form, out: &mut Vec<u8>) {
    let data = refusal.to_string();
    encode_error(refusal.code(), b"", Some(data.as_bytes()), id, form, out);
}

/// Puts the answers to the requests of one document into an array.
///
/// In the pretty forms each answer looks as it would alone.
#[derive(Debug)]
#[must_use = "the array has to be ended"]
pub struct Batch {
    form: Form,
    empty: bool,
}

impl Batch {
    /// An array without answers. Nothing is written for it yet.
    pub fn new(form: Form) -> Self {
        Self { form, empty: true }
    }

    /// Appends what precedes an answer. The caller appends the answer next.
    pub fn next(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(match (self.empty, self.form) {
            (true, _) => b"[",
            (false, Form::Compact) => b",",
            (false, Form::Pretty | Form::PrettyLines) => b", ",
        });
        self.empty = false;
    }

    /// Appends the end of the array. If there was no answer it writes nothing and
    /// returns false, and nothing is to be sent.
    #[must_use]
    pub fn end(self, out: &mut Vec<u8>) -> bool {
        if !self.empty {
            out.push(b']');
        }
        !self.empty
    }
}

/// Appends an answer. `put_outcome` appends its middle member.
fn put_answer(
    id: Option<&Id<'_>>,
    form: Form,
    out: &mut Vec<u8>,
    put_outcome: impl FnOnce(&mut Layout, &mut Vec<u8>),
) {
    let mut layout = Layout::new(form);
    layout.open(Container::Struct, out);
    layout.begin(Some(b"jsonrpc"), out);
    out.extend_from_slice(b"\"2.0\"");
    put_outcome(&mut layout, out);
    if let Some(id) = id {
        layout.begin(Some(b"id"), out);
        out.extend_from_slice(id.as_json());
    }
    layout.close(out);
}

fn put_all_values(reply: &Reply, layout: &mut Layout, out: &mut Vec<u8>) {
    layout.begin(RESULT, out);
    layout.open(Container::Array, out);
    for event in reply.walk() {
        put_event(event, layout, out);
    }
    layout.close(out);
}

/// Appends the last value at the top of the reply, or an empty object. It writes each
/// value and takes it back when another follows. That costs nothing, because the engine
/// keeps no other values for JSON.
fn put_last_value(reply: &Reply, layout: &mut Layout, out: &mut Vec<u8>) {
    let start = out.len();
    let top = layout.depth();
    for event in reply.walk() {
        let is_value = !matches!(event, Event::Close { .. });
        if is_value && layout.depth() == top {
            out.truncate(start);
            put_event(as_result(event), layout, out);
        } else {
            put_event(event, layout, out);
        }
    }
    if out.len() == start {
        layout.begin(RESULT, out);
        layout.open(Container::Struct, out);
        layout.close(out);
    }
}

fn as_result(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Scalar { value, .. } => Event::Scalar {
            name: RESULT,
            value,
        },
        Event::Open { kind, .. } => Event::Open { name: RESULT, kind },
        close @ Event::Close { .. } => close,
    }
}

fn put_event(event: Event<'_>, layout: &mut Layout, out: &mut Vec<u8>) {
    match event {
        Event::Scalar { name, value } => {
            layout.begin(name, out);
            put_scalar(value, out);
        }
        Event::Open { name, kind } => {
            layout.begin(name, out);
            layout.open(kind, out);
        }
        Event::Close { .. } => layout.close(out),
    }
}

fn put_scalar(value: Scalar<'_>, out: &mut Vec<u8>) {
    match value {
        Scalar::Int(number) => put_int(number, out),
        Scalar::Unsigned(number) => put_int(number, out),
        Scalar::Long(number) => put_int(number, out),
        Scalar::UnsignedLong(number) => put_int(number, out),
        Scalar::Float(number) => put_float(number, out),
        Scalar::Time(seconds) => put_time(seconds, out),
        Scalar::Bool(0) => out.extend_from_slice(b"false"),
        Scalar::Bool(_) => out.extend_from_slice(b"true"),
        Scalar::Text(text) => put_text(text, out),
        Scalar::Null => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
