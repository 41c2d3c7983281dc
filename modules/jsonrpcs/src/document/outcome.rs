//! The outcome of one request, on its way into the answer to its document.

use kamailio::core::Error;
use kamailio::core::message::Message;
use kamailio::log_limited;
use kamailio::rpc::{Answer, Later, MaxReply, Responder};
use rpc_wire::jsonrpc::{
    Batch, Form, Id, Refusal, encode_answer, encode_error, encode_refusal, http_status,
    refusal_status,
};
use rpc_wire::value::{Parent, Reply, Scalar};

use super::{Client, NOT_DELIVERED, NOT_STORED};
use crate::config;
use crate::http::HttpClient;
use crate::store::StoredFile;

/// The position of a request's answer in the answer to the document.
pub(super) enum Position<'a> {
    Alone,
    Batch {
        /// The array, which is `None` once it had to be ended early.
        batch: &'a mut Option<Batch>,
        /// The position at which the array starts.
        start: usize,
        is_last: bool,
    },
}

/// Takes the outcome of one request.
pub(super) struct Outcome<'a> {
    pub(super) client: &'a mut dyn Client,
    pub(super) id: Option<&'a Id<'a>>,
    pub(super) form: Form,
    pub(super) max_reply: MaxReply,
    pub(super) is_wanted: bool,
    pub(super) file: Option<StoredFile>,
    pub(super) position: Position<'a>,
}

impl Outcome<'_> {
    pub(super) fn put(&mut self, reply: &Reply, returns_array: bool, now: bool) {
        let (code, text) = http_status(reply);
        self.client.set_status(code, &text);
        self.write(now, |id, form, out| {
            encode_answer(reply, returns_array, id, form, out);
        });
    }

    pub(super) fn refuse(&mut self, refusal: Refusal) {
        log_limited!(Warning, "{}: bad request: {refusal}", self.client.name());
        let (code, text) = refusal_status(refusal);
        self.client.set_status(code, &text);
        self.write(false, |id, form, out| {
            encode_refusal(refusal, id, form, out);
        });
    }

    pub(super) fn fail(&mut self, message: &[u8], reason: &Error) {
        let data = reason.to_string();
        self.client
            .set_status(500, &String::from_utf8_lossy(message));
        self.write(false, |id, form, out| {
            encode_error(NOT_DELIVERED, message, Some(data.as_bytes()), id, form, out);
        });
    }

    fn write(&mut self, now: bool, encode: impl FnOnce(Option<&Id<'_>>, Form, &mut Vec<u8>)) {
        if !self.is_wanted {
            return;
        }
        if let Position::Batch {
            batch: Some(batch), ..
        } = &mut self.position
        {
            batch.next(self.client.buffer());
        }
        let start = self.client.buffer().len();
        encode(self.id, self.form, self.client.buffer());
        self.bound(start);
        if let Some(file) = self.file.take() {
            self.store(&file, start);
        }
        match &mut self.position {
            Position::Alone => deliver(self.client, start, self.id, self.form, now),
            Position::Batch {
                batch,
                start,
                is_last,
            } => {
                // The command may be about to end the server. If there are other
                // requests in the batch, their answers still hold this one back.
                let ending = batch.take_if(|_| now && *is_last);
                if let Some(batch) = ending {
                    end_batch(batch, self.client, *start, true, self.form);
                }
            }
        }
    }

    /// Puts an error in place of an answer that, with all before it in a batch, is
    /// larger than a reply may be.
    fn bound(&mut self, start: usize) {
        let first = match self.position {
            Position::Alone => start,
            Position::Batch { start, .. } => start,
        };
        let out = self.client.buffer();
        if out.len().saturating_sub(first) <= self.max_reply.bytes() {
            return;
        }
        out.truncate(start);
        out.shrink_to(2 * start);
        let reason = self.max_reply.fault();
        encode_error(
            NOT_DELIVERED,
            reason.as_bytes(),
            None,
            self.id,
            self.form,
            out,
        );
        self.client.set_status(500, &reason);
    }

    /// Puts the answer that was written since `start` into the file, and the outcome of
    /// that into the answer.
    fn store(&mut self, file: &StoredFile, start: usize) {
        let out = self.client.buffer();
        let written = file.write(&out[start..]);
        out.truncate(start);
        match written {
            Ok(()) => {
                let mut stored = Reply::new();
                // An empty reply has room for a word.
                let _ = stored.push(Parent::Top, None, Scalar::Text(b"Stored"));
                encode_answer(&stored, false, self.id, self.form, out);
            }
            Err(reason) => {
                let data = reason.to_string();
                let data = Some(data.as_bytes());
                encode_error(NOT_DELIVERED, NOT_STORED, data, self.id, self.form, out);
                log_limited!(Error, "{}: {reason}", self.client.name());
            }
        }
    }
}

impl Responder for Outcome<'_> {
    fn respond(&mut self, answer: Answer<'_>) {
        self.put(answer.reply, answer.returns_array, answer.now);
    }

    /// As in C, only a single answer with an id can come later.
    fn later(&mut self) -> Option<Later> {
        let id = self
            .id
            .filter(|_| matches!(self.position, Position::Alone))?;
        Some(Later {
            message: self.client.share()?,
            note: id.as_json().to_vec(),
            respond: answer_later,
        })
    }
}

/// Answers a request whose id is known.
fn answer_later(request: &mut Message<'_>, id: &[u8], answer: Answer<'_>) {
    let Some(mut client) = HttpClient::new(request) else {
        return;
    };
    Outcome {
        client: &mut client,
        id: Some(&Id::from_json(id)),
        form: config::form(),
        max_reply: config::settings().max_reply,
        is_wanted: true,
        file: None,
        position: Position::Alone,
    }
    .respond(answer);
}

pub(super) fn end_batch(
    batch: Batch,
    client: &mut dyn Client,
    start: usize,
    now: bool,
    form: Form,
) {
    if batch.end(client.buffer()) {
        client.set_status(200, "OK");
        deliver(client, start, Some(&Id::NULL), form, now);
    }
}

/// Sends what was written since `start`, or else the reason why it cannot be sent.
fn deliver(client: &mut dyn Client, start: usize, id: Option<&Id<'_>>, form: Form, now: bool) {
    let Err(reason) = client.deliver(start, now) else {
        return;
    };
    let reason = reason.to_string();
    client.buffer().truncate(start);
    client.set_status(500, &reason);
    encode_error(
        NOT_DELIVERED,
        reason.as_bytes(),
        None,
        id,
        form,
        client.buffer(),
    );
    if let Err(reason) = client.deliver(start, now) {
        log_limited!(Error, "{} gets no answer: {reason}", client.name());
        client.give_up();
    }
}
