//! Documents from the routing script, and the variables in which it finds the answer.

use std::cell::Cell;

use kamailio::core::Error;
use kamailio::core::args::Args;
use kamailio::core::command::{Call, Fault};
use kamailio::core::message::Message;
use kamailio::core::panic;
use kamailio::core::variables::Value;
use kamailio::log_limited;
use parking_lot::Mutex;

use crate::config::{self, Settings};
use crate::document::{Client, Processor, encode_failure};

/// The last answer that the script got in this process.
#[derive(Debug)]
struct Last {
    code: u16,
    text: Option<String>,
    body: Option<Vec<u8>>,
}

static LAST: Mutex<Last> = Mutex::new(Last {
    code: 0,
    text: None,
    body: None,
});

thread_local! {
    static PROCESSOR: Cell<Option<Processor>> = const { Cell::new(None) };
}

/// Lends the processor of this process to `work`. It is taken out of its place for that
/// time, because a command may run a part of the script that comes here again.
pub(crate) fn with_processor<R>(work: impl FnOnce(&mut Processor) -> R) -> R {
    let kept = PROCESSOR.take();
    let mut processor = kept.unwrap_or_else(|| {
        Processor::new(&Settings {
            // As in C these documents cannot name files.
            store_dir: None,
            ..config::settings()
        })
    });
    let result = work(&mut processor);
    PROCESSOR.set(Some(processor));
    result
}

/// The script function `jsonrpc_exec("{...}")`, and KEMI's `exec` and `execx`. They
/// return 1 if the document was answered, even with an error, and -1 if it is not JSON.
pub(crate) fn exec(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    let document = match args.text(0) {
        Ok(document) if !document.is_empty() => document,
        Ok(_) => {
            log_limited!(Error, "jsonrpc_exec: the document is empty");
            return -1;
        }
        Err(error) => {
            log_limited!(Error, "jsonrpc_exec: {error}");
            return -1;
        }
    };
    let mut client = ScriptClient::default();
    let is_json = panic::stop(None, || {
        Some(with_processor(|processor| {
            processor.answer(&document, &mut client)
        }))
    });
    let is_json = is_json.unwrap_or_else(|| {
        client = ScriptClient::failed();
        true
    });
    client.keep();
    if is_json { 1 } else { -1 }
}

/// The script as the client that is answered.
#[derive(Debug, Default)]
struct ScriptClient {
    status: Option<(u16, String)>,
    body: Vec<u8>,
}

impl ScriptClient {
    /// The answer if our own code has failed.
    fn failed() -> Self {
        let mut client = Self::default();
        client.set_status(500, "Internal Error");
        encode_failure(client.buffer());
        client
    }

    /// Makes this the answer that the script reads.
    fn keep(self) {
        let (code, text) = self.status.unwrap_or_else(|| (200, "OK".to_owned()));
        *LAST.lock() = Last {
            code,
            text: Some(text),
            body: Some(self.body).filter(|body| !body.is_empty()),
        };
    }
}

impl Client for ScriptClient {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.body
    }

    fn deliver(&mut self, _start: usize, _now: bool) -> Result<(), Error> {
        Ok(())
    }

    fn set_status(&mut self, code: u16, text: &str) {
        self.status = Some((code, text.to_owned()));
    }

    fn name(&self) -> String {
        "the script".to_owned()
    }
}

/// Gives the parts of `$jsonrpl` their numbers.
pub(crate) fn parse_reply(part: &[u8]) -> Option<i32> {
    match part {
        b"code" => Some(0),
        b"text" => Some(1),
        b"body" => Some(2),
        _ => None,
    }
}

/// The values of `$jsonrpl(code)`, `$jsonrpl(text)` and `$jsonrpl(body)`. As in C the
/// code is 0 before the first document, and the others are null.
pub(crate) fn reply(_message: &mut Message<'_>, part: i32) -> Value {
    let last = LAST.lock();
    let text = |text: Option<&[u8]>| text.map_or(Value::Null, |text| Value::Text(text.to_vec()));
    match part {
        0 => Value::Int(last.code.into()),
        1 => text(last.text.as_deref().map(str::as_bytes)),
        _ => text(last.body.as_deref()),
    }
}

/// KEMI's `response`, which is the body of the last answer.
pub(crate) fn response(message: &mut Message<'_>, _args: &Args<'_>) -> Value {
    reply(message, 2)
}

/// Answers `jsonrpc.echo` with its two parameters, a text and a number.
pub(crate) fn echo(call: &mut Call<'_>) -> Result<(), Fault> {
    let Some(text) = call.next_text() else {
        return Ok(());
    };
    call.add_text(text)?;
    match call.next_int() {
        Some(number) => call.add_int(number),
        None => Ok(()),
    }
}
