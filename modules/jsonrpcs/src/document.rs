//! Answering documents, independently of the transport.

mod outcome;

use kamailio::core::Error;
use kamailio::core::message::SharedMessage;
use kamailio::log_limited;
use kamailio::rpc::{self, Engine, MaxReply, Policy};
use rpc_wire::jsonrpc::{
    Batch, Document, Form, Id, MAX_BATCH_ANSWER, MAX_LEN, Name, Refusal, Request, Strictness,
    Verdict, encode_error, encode_refusal,
};
use rpc_wire::value::{Params, Reply, Span, has_memory_for};

use self::outcome::{Outcome, Position, end_batch};
use crate::config::Settings;
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

/// Whether there is memory for the next answers of a batch that has `written` bytes
/// already. The system is only asked if they are many.
fn can_grow(written: usize) -> bool {
    /// The number of bytes from which the system is asked.
    const FEW: usize = 1024 * 1024;
    /// The bytes that the next request needs.
    const NEXT: usize = 4 * 1024 * 1024;
    written < FEW || has_memory_for(2 * written + NEXT)
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
