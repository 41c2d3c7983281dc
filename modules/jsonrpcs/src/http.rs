//! Documents in HTTP requests, which the module `xhttp` receives.

use std::sync::OnceLock;

use kamailio::core::Error;
use kamailio::core::args::Args;
use kamailio::core::message::{Message, SharedMessage};
use kamailio::core::xhttp::Xhttp;
use kamailio::{log, log_limited};

use crate::config::Settings;
use crate::document::Client;
use crate::places::HTTP;
use crate::script::with_processor;

const CONTENT_TYPE: &str = "application/json";

static XHTTP: OnceLock<Xhttp> = OnceLock::new();

/// Finds `xhttp` if HTTP is to be served.
pub(crate) fn bind(settings: &Settings) -> Result<(), Error> {
    if !settings.offers(HTTP) {
        return Ok(());
    }
    match Xhttp::bind() {
        Ok(xhttp) => {
            XHTTP.get_or_init(|| xhttp);
            Ok(())
        }
        Err(error) if settings.demands(HTTP) => {
            Err(Error::new(format!("cannot serve HTTP: {error}")))
        }
        Err(_) => Ok(()),
    }
}

/// `jsonrpc_dispatch()`, in `event_route[xhttp:request]`, and KEMI `dispatch`:
/// 1 when the request is answered.
pub(crate) fn dispatch(message: &mut Message<'_>, _args: &Args<'_>) -> i32 {
    if !message.is_http() {
        // As in C: other messages go on through the script.
        return 1;
    }
    let document = message.body().to_vec();
    let Some(mut client) = HttpClient::new(message) else {
        return -1;
    };
    with_processor(|processor| processor.answer(&document, &mut client));
    if client.is_answered || client.is_answered_later || client.send_nothing() {
        1
    } else {
        -1
    }
}

/// Who waits for an HTTP reply.
pub(crate) struct HttpClient<'a, 'b> {
    xhttp: Xhttp,
    request: &'a mut Message<'b>,
    status: (u16, String),
    body: Vec<u8>,
    is_answered: bool,
    is_answered_later: bool,
}

impl<'a, 'b> HttpClient<'a, 'b> {
    /// The client that sent this, if HTTP is served.
    pub(crate) fn new(request: &'a mut Message<'b>) -> Option<Self> {
        let Some(xhttp) = XHTTP.get() else {
            log!(
                Error,
                "HTTP is not served: the parameter transport needs the bit 1"
            );
            return None;
        };
        Some(HttpClient {
            xhttp: *xhttp,
            request,
            status: (200, "OK".to_owned()),
            body: Vec::new(),
            is_answered: false,
            is_answered_later: false,
        })
    }

    /// Nobody waits for an answer to notifications, but for a reply to the
    /// HTTP request.
    fn send_nothing(&mut self) -> bool {
        let sent = self.xhttp.reply(self.request, 204, "No Content", "", b"");
        if let Err(error) = &sent {
            log!(Error, "{}: {error}", self.name());
        }
        sent.is_ok()
    }
}

impl Client for HttpClient<'_, '_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.body
    }

    fn deliver(&mut self, _start: usize, _now: bool) -> Result<(), Error> {
        let (code, text) = &self.status;
        self.xhttp
            .reply(self.request, *code, text, CONTENT_TYPE, &self.body)?;
        self.is_answered = true;
        Ok(())
    }

    fn set_status(&mut self, code: u16, text: &str) {
        self.status = (code, text.to_owned());
    }

    fn share(&mut self) -> Option<SharedMessage> {
        match self.request.share() {
            Ok(message) => {
                self.is_answered_later = true;
                Some(message)
            }
            Err(error) => {
                log_limited!(Error, "{}: {error}", self.name());
                None
            }
        }
    }

    fn name(&self) -> String {
        "an HTTP client".to_owned()
    }
}
