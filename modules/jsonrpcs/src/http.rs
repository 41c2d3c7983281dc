//! Documents in HTTP requests, which the module `xhttp` receives.

use std::sync::OnceLock;

use kamailio::core::Error;
use kamailio::core::args::Args;
use kamailio::core::message::{Message, SharedMessage};
use kamailio::core::panic;
use kamailio::core::xhttp::Xhttp;
use kamailio::log_limited;

use crate::config::{self, Settings};
use crate::document::{Client, encode_failure};
use crate::endpoints::HTTP;
use crate::script::with_processor;

const CONTENT_TYPE: &str = "application/json";

/// The text of the status 500 in HTTP.
const INTERNAL_ERROR: &str = "Internal Server Error";

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

/// The script function `jsonrpc_dispatch()`, for `event_route[xhttp:request]`, and
/// KEMI's `dispatch`. It returns 1 if the request is answered.
pub(crate) fn dispatch(message: &mut Message<'_>, _args: &Args<'_>) -> i32 {
    if !message.is_http() {
        // As in C, other messages continue in the script.
        return 1;
    }
    if !message.is_over_stream() && !config::settings().http_over_udp {
        log_limited!(
            Warning,
            "an HTTP request did not come over a connection, so anybody may have sent it; it \
             is not answered (parameter http_over_udp)"
        );
        return -1;
    }
    let document = message.body().to_vec();
    let Some(mut client) = HttpClient::new(message) else {
        return -1;
    };
    let is_whole = panic::stop(false, || {
        with_processor(|processor| processor.answer(&document, &mut client));
        true
    });
    if !is_whole {
        client.tell_failure();
    }
    let is_done = client.is_answered || client.is_answered_later || client.send_nothing();
    if is_done { 1 } else { -1 }
}

/// The client that waits for an HTTP reply.
pub(crate) struct HttpClient<'a, 'b> {
    xhttp: Xhttp,
    request: &'a mut Message<'b>,
    status: (u16, String),
    body: Vec<u8>,
    is_answered: bool,
    is_answered_later: bool,
    /// Whether nothing more will be sent, although there was no answer.
    is_given_up: bool,
}

impl<'a, 'b> HttpClient<'a, 'b> {
    /// The client that sent this message, if HTTP is served.
    pub(crate) fn new(request: &'a mut Message<'b>) -> Option<Self> {
        let Some(xhttp) = XHTTP.get() else {
            log_limited!(
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
            is_given_up: false,
        })
    }

    /// Sends a reply to the HTTP request without an answer, because a notification has
    /// none.
    fn send_nothing(&mut self) -> bool {
        if self.is_given_up {
            return false;
        }
        let sent = self.xhttp.reply(self.request, 204, "No Content", "", b"");
        if let Err(error) = &sent {
            log_limited!(Error, "{}: {error}", self.name());
        }
        sent.is_ok()
    }
}

impl HttpClient<'_, '_> {
    /// Sends an error because our own code has failed before there was an answer.
    fn tell_failure(&mut self) {
        if self.is_answered || self.is_answered_later || self.is_given_up {
            return;
        }
        self.body.clear();
        encode_failure(&mut self.body);
        self.set_status(500, INTERNAL_ERROR);
        if let Err(error) = self.deliver(0, false) {
            log_limited!(Error, "{}: {error}", self.name());
            self.give_up();
        }
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

    fn give_up(&mut self) {
        self.is_given_up = true;
        let bare = self.xhttp.reply(self.request, 500, INTERNAL_ERROR, "", b"");
        self.is_answered = bare.is_ok();
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
