//! Answering documents, independently of the transport.

use kamailio::core::message::{Message, SharedMessage};
use kamailio::core::{Error, process};
use kamailio::log_limited;
use kamailio::rpc::{self, Answer, Engine, Later, MaxReply, Policy, Responder};
use rpc_wire::jsonrpc::{
    Batch, Document, Form, Id, MAX_BATCH_ANSWER, MAX_LEN, Name, Refusal, Request, Strictness,
    Verdict, encode_answer, encode_error, encode_refusal, http_status, refusal_status,
};
use rpc_wire::value::{Params, Parent, Reply, Scalar, Span};

use crate::config::{self, Settings};
use crate::http::HttpClient;
use crate::store::{Store, StoredFile};

/// The code and the text of the error if an answer exists and cannot be delivered.
const NOT_DELIVERED: i32 = 500;
const NOT_STORED: &[u8] = b"Storing failed";

/// The client that sent a document, and the way of its answer.
pub(crate) trait Client {
    /// The buffer for the client, to which an answer is appended.
    fn buffer(&mut self) -> &mut Vec<u8>;

    /// Delivers the answer to a document, which is what was written since the buffer
    /// had `start` bytes. If `now` is set, the answer must have left when this returns.
    ///
    /// # Errors
    /// The answer cannot be delivered, but a shorter one can, which tells the reason.
    fn deliver(&mut self, start: usize, now: bool) -> Result<(), Error>;

    /// Notes that not even an error can be delivered. A client that would wait is told
    /// what is possible.
    fn give_up(&mut self) {}

    /// Sets the status of the answer, for clients that read nothing else.
    fn set_status(&mut self, _code: u16, _text: &str) {}

    /// Whether this request may run at all.
    fn admits(&mut self, _request: &Request<'_>, _params: &Params) -> bool {
        true
    }

    /// The request, for an answer that comes later from another process. It is `None`
    /// if the answer must come at once.
    fn share(&mut self) -> Option<SharedMessage> {
        None
    }

    /// Whether answers may go into a file.
    fn may_store(&self) -> bool {
        false
    }

    /// Whether the sender may be forged. Answers must not be much larger then than what
    /// they answer.
    fn may_be_forged(&self) -> bool {
        false
    }

    /// The name of the client, for the log.
    fn name(&self) -> String;
}

/// Answers documents, one after the other.
#[derive(Debug)]
pub(crate) struct Processor {
    engine: Engine,
    params: Params,
    strictness: Strictness,
    form: Form,
    max_reply: MaxReply,
    store: Option<Store>,
}

impl Processor {
    pub(crate) fn new(settings: &Settings) -> Self {
        let policy = Policy::json(settings.strict, settings.all_values);
        Processor {
            engine: Engine::new(policy, settings.max_reply),
            params: Params::new(),
            strictness: match settings.strict {
                true => Strictness::Specification,
                false => Strictness::AsC,
            },
            form: settings.form(),
            max_reply: settings.max_reply,
            store: settings.store_dir.as_deref().map(Store::new),
        }
    }

    /// Answers all requests in a document, and returns whether it was JSON.
    pub(crate) fn answer(&mut self, bytes: &[u8], client: &mut dyn Client) -> bool {
        let mut document = Document::parse(bytes, self.strictness, MAX_LEN);
        if document.is_batch() {
            self.answer_batch(&mut document, client);
            return true;
        }
        let Some(request) = document.next_request(&mut self.params) else {
            return true;
        };
        self.answer_request(&request, client, Position::Alone);
        !matches!(
            request.verdict,
            Verdict::Refuse(Refusal::NotJson { .. } | Refusal::TooDeep | Refusal::TooLarge { .. })
        )
    }

    /// Reads a document without running anything, and returns the first result of
    /// `found` for one of its requests.
    pub(crate) fn find<R>(
        &mut self,
        bytes: &[u8],
        found: impl Fn(&Request<'_>, &Params) -> Option<R>,
    ) -> Option<R> {
        let mut document = Document::parse(bytes, self.strictness, MAX_LEN);
        while let Some(request) = document.next_request(&mut self.params) {
            let result = found(&request, &self.params);
            if result.is_some() {
                return result;
            }
        }
        None
    }

    fn answer_batch(&mut self, document: &mut Document<'_>, client: &mut dyn Client) {
        let start = client.buffer().len();
        let most = MAX_BATCH_ANSWER.min(self.max_reply.bytes());
        let mut batch = Some(Batch::new(self.form));
        let mut is_refused = false;
        while let Some(mut request) = document.next_request(&mut self.params) {
            // One error stands for all of them, because each would have many times the
            // bytes of what it answers.
            let has_no_id = request.id.is_none() && matches!(request.verdict, Verdict::Refuse(_));
            if has_no_id && client.may_be_forged() && std::mem::replace(&mut is_refused, true) {
                continue;
            }
            let written = client.buffer().len().saturating_sub(start);
            let is_full = written >= most || !can_grow(written);
            if is_full && matches!(request.verdict, Verdict::Run(_)) {
                request.verdict = Verdict::Refuse(Refusal::BatchFull);
            }
            let is_last = !document.is_batch();
            let batch = &mut batch;
            self.answer_request(
                &request,
                client,
                Position::Batch {
                    batch,
                    start,
                    is_last,
                },
            );
        }
        if let Some(batch) = batch {
            end_batch(batch, client, start, false, self.form);
        }
    }

    fn answer_request(
        &mut self,
        request: &Request<'_>,
        client: &mut dyn Client,
        position: Position<'_>,
    ) {
        if !client.admits(request, &self.params) {
            return;
        }
        let stored = self.file_for(request, client);
        let mut outcome = Outcome {
            client,
            id: request.answer_id(),
            form: self.form,
            max_reply: self.max_reply,
            is_wanted: request.wants_answer(),
            file: None,
            position,
        };
        match stored {
            Some(Ok(file)) => outcome.file = Some(file),
            Some(Err(reason)) => {
                log_limited!(Warning, "{}: {reason}", outcome.client.name());
                return outcome.fail(NOT_STORED, &reason);
            }
            None => {}
        }
        match request.verdict {
            Verdict::Run(method) => self.run(method, &mut outcome),
            Verdict::Ignore => outcome.put(&Reply::new(), false, false),
            Verdict::Refuse(refusal) => match request.method {
                // As in C, the engine's answer to an unknown command takes precedence.
                Some(method)
                    if refusal == Refusal::ParamsType && !rpc::exists(self.params.text(method)) =>
                {
                    self.run(method, &mut outcome);
                }
                _ => outcome.refuse(refusal),
            },
        }
    }

    fn run(&mut self, method: Span, outcome: &mut Outcome<'_>) {
        if !self.engine.run(method, &mut self.params, outcome) {
            // These are the C module's words, for which operators look.
            log_limited!(
                Error,
                "{}: method callback not found [{}]",
                outcome.client.name(),
                String::from_utf8_lossy(self.params.text(method))
            );
        }
    }

    /// The file into which the request wants its answer, if any. It is opened before
    /// the command runs, so that nothing is done whose answer could not be stored.
    fn file_for(
        &self,
        request: &Request<'_>,
        client: &dyn Client,
    ) -> Option<Result<StoredFile, Error>> {
        if !client.may_store() || !matches!(request.verdict, Verdict::Run(_)) {
            return None;
        }
        let path = match request.store_path {
            Name::Missing => return None,
            Name::NotText => return Some(Err("store_path is not a string".into())),
            Name::Text(path) => self.params.text(path),
        };
        if path.is_empty() {
            return None;
        }
        Some(match &self.store {
            Some(store) => store.file(path),
            None => Err("no file can be written: the parameter store_dir is not set".into()),
        })
    }
}

/// The position of a request's answer in the answer to the document.
enum Position<'a> {
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
struct Outcome<'a> {
    client: &'a mut dyn Client,
    id: Option<&'a Id<'a>>,
    form: Form,
    max_reply: MaxReply,
    is_wanted: bool,
    file: Option<StoredFile>,
    position: Position<'a>,
}

impl Outcome<'_> {
    fn put(&mut self, reply: &Reply, returns_array: bool, now: bool) {
        let (code, text) = http_status(reply);
        self.client.set_status(code, &text);
        self.write(now, |id, form, out| {
            encode_answer(reply, returns_array, id, form, out);
        });
    }

    fn refuse(&mut self, refusal: Refusal) {
        log_limited!(Warning, "{}: bad request: {refusal}", self.client.name());
        let (code, text) = refusal_status(refusal);
        self.client.set_status(code, &text);
        self.write(false, |id, form, out| {
            encode_refusal(refusal, id, form, out);
        });
    }

    fn fail(&mut self, message: &[u8], reason: &Error) {
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

/// Whether there is memory for the next answers of a batch that has `written` bytes
/// already. The system is only asked if they are many.
fn can_grow(written: usize) -> bool {
    /// The number of bytes from which the system is asked.
    const FEW: usize = 1024 * 1024;
    /// The bytes that the next request needs.
    const NEXT: usize = 4 * 1024 * 1024;
    written < FEW || process::can_have_memory(2 * written + NEXT)
}

fn end_batch(batch: Batch, client: &mut dyn Client, start: usize, now: bool, form: Form) {
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

/// Appends the answer if our own code has failed. Which of the requests it was, and the
/// id of that, is no longer known.
pub(crate) fn encode_failure(out: &mut Vec<u8>) {
    /// The code of "Internal Error" in the specification.
    const INTERNAL_ERROR: i32 = -32603;
    encode_error(INTERNAL_ERROR, b"", None, None, Form::Compact, out);
}

/// Appends the answer to a document that is given up for this reason before it is read.
pub(crate) fn encode_given_up(reason: &str, out: &mut Vec<u8>) {
    encode_error(
        NOT_DELIVERED,
        reason.as_bytes(),
        None,
        Some(&Id::NULL),
        Form::Compact,
        out,
    );
}

/// Appends the answer to half a document, which is the same as for any other that is
/// not JSON.
pub(crate) fn encode_not_json(out: &mut Vec<u8>) {
    encode_refusal(
        Refusal::NotJson { at: 0 },
        Some(&Id::NULL),
        Form::Compact,
        out,
    );
}
