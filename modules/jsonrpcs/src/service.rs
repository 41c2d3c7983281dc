//! Documents on the module's own sockets and pipe.

use std::path::{Path, PathBuf};

use kamailio::core::Error;
use kamailio::core::log::Shown;
use kamailio::log_limited;
use kamailio::net::{Incoming, Outbox, ScanState, Service, Step, pipe_in, report_unanswered};
use rpc_wire::answers::is_answer;
use rpc_wire::jsonrpc::{
    BYTE_ORDER_MARK, Found, MAX_LEN, Name, Request, abandoned, find, find_on, is_request,
    reply_name_in, skip_on,
};
use rpc_wire::listen::Transport;
use rpc_wire::value::Params;

use crate::config::{STREAM_PROTOCOL, Settings};
use crate::document::{Client, Processor, encode_failure, encode_given_up, encode_not_json};

/// The service of a handler process.
#[derive(Debug)]
pub(crate) struct Documents {
    processor: Processor,
    reply_dir: PathBuf,
    keeps_tcp: bool,
}

impl Documents {
    pub(crate) fn new(settings: &Settings) -> Self {
        Documents {
            processor: Processor::new(settings),
            reply_dir: settings.fifo_reply_dir.clone(),
            keeps_tcp: settings.keeps_tcp,
        }
    }

    /// Serves the pipe, which all clients share. What is not a document is skipped, and
    /// a document that cannot be read is no reason to stop.
    fn serve_pipe(
        &mut self,
        incoming: Incoming<'_>,
        scan: &mut ScanState,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        let input = incoming.bytes;
        match find_on(input, scan) {
            Found::Other(count) => Step::Done(count),
            Found::More => Step::More,
            Found::Document(len) => {
                let document = &input[..len];
                let mut client = PipeClient {
                    incoming,
                    outbox,
                    reply_dir: &self.reply_dir,
                    reply_to: ReplyTo::NotNamed,
                };
                if document.starts_with(b"[") {
                    client.find_pipe_of_batch(&mut self.processor, document);
                }
                self.processor.answer(document, &mut client);
                Step::Done(len)
            }
        }
    }

    fn serve_stream(
        &mut self,
        incoming: Incoming<'_>,
        scan: &mut ScanState,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        let input = incoming.bytes;
        let space = blanks(input);
        if space > 0 {
            return Step::Done(space);
        }
        if is_part_of_mark(input) {
            return Step::More;
        }
        let mut client = SocketClient { incoming, outbox };
        let len = match find_on(input, scan) {
            Found::Document(len) => len,
            Found::More if input.len() <= MAX_LEN => return Step::More,
            // It is too long, or not a document at all. A client that writes what we do
            // not understand is told so, and nothing more is read from it.
            Found::More | Found::Other(_) => {
                self.processor.answer(input, &mut client);
                return Step::Close;
            }
        };
        self.processor.answer(&input[..len], &mut client);
        if self.keeps_tcp || incoming.listener.protocol == STREAM_PROTOCOL {
            return Step::Done(len);
        }
        // As in C the client is closed after it was answered, by which it sees the end
        // of the answer. Further documents that have arrived are answered, other bytes
        // are not.
        match find(&input[len..]) {
            Found::Other(count) if len + count == input.len() => Step::Close,
            Found::Other(count) => Step::Done(len + count),
            Found::Document(_) | Found::More => Step::Done(len),
        }
    }
}

/// The number of bytes at the start that are a byte order mark, or space where the C
/// module's parser expects a value.
fn blanks(input: &[u8]) -> usize {
    if input.starts_with(BYTE_ORDER_MARK) {
        return BYTE_ORDER_MARK.len();
    }
    let is_blank = |byte: &&u8| (1..=b' ').contains(*byte);
    input.iter().take_while(is_blank).count()
}

/// Whether more bytes could make a byte order mark of it.
fn is_part_of_mark(input: &[u8]) -> bool {
    input.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(input)
}

impl Service for Documents {
    fn serve(
        &mut self,
        incoming: Incoming<'_>,
        scan: &mut ScanState,
        outbox: &mut Outbox<'_>,
    ) -> Step {
        match incoming.listener.listen.transport {
            Transport::Fifo => self.serve_pipe(incoming, scan, outbox),
            _ => self.serve_stream(incoming, scan, outbox),
        }
    }

    fn skip(&mut self, bytes: &[u8], scan: &mut ScanState) -> Option<usize> {
        skip_on(bytes, scan)
    }

    fn serve_refusal(&mut self, incoming: Incoming<'_>, reason: &str, outbox: &mut Outbox<'_>) {
        encode_given_up(reason, outbox.buffer());
        end_line(incoming, outbox);
    }

    fn serve_failure(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        encode_failure(outbox.buffer());
        end_line(incoming, outbox);
    }

    fn abandoned(&mut self, incoming: Incoming<'_>) -> Option<usize> {
        abandoned(incoming.bytes)
    }

    /// Answers half a document from a client that still listens.
    fn serve_rest(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        if incoming.listener.listen.transport != Transport::Fifo {
            return self.serve_datagram(incoming, outbox);
        }
        let name = reply_name_in(incoming.bytes);
        let pipe = name.and_then(|name| pipe_in(&self.reply_dir, &name));
        if let Some(pipe) = pipe {
            outbox.send_through(pipe);
            encode_not_json(outbox.buffer());
        }
    }

    fn serve_datagram(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        let is_answered = match incoming.listener.listen.transport {
            Transport::Udp => is_request(incoming.bytes),
            _ => !is_answer(incoming.bytes),
        };
        if !is_answered {
            return report_unanswered(incoming);
        }
        self.processor
            .answer(incoming.bytes, &mut SocketClient { incoming, outbox });
    }
}

/// Ends an answer on a connection with a line feed, for which clients that read line by
/// line would wait otherwise.
fn end_line(incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
    if incoming.listener.listen.transport.is_stream() {
        outbox.buffer().push(b'\n');
    }
}

/// A client that is answered over the socket on which the request came.
struct SocketClient<'a, 'b> {
    incoming: Incoming<'a>,
    outbox: &'a mut Outbox<'b>,
}

impl Client for SocketClient<'_, '_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        self.outbox.buffer()
    }

    fn deliver(&mut self, start: usize, now: bool) -> Result<(), Error> {
        self.outbox.check_reply(start).map_err(|too_large| {
            Error::new(format!(
                "{too_large}; ask through stream_socket, tcp_socket or fifo_name"
            ))
        })?;
        end_line(self.incoming, self.outbox);
        if now {
            self.outbox.flush();
        }
        Ok(())
    }

    fn may_store(&self) -> bool {
        true
    }

    fn may_be_forged(&self) -> bool {
        self.incoming.listener.listen.transport == Transport::Udp
    }

    fn name(&self) -> String {
        self.incoming.to_string()
    }
}

/// A client that is answered through a named pipe.
struct PipeClient<'a, 'b> {
    incoming: Incoming<'a>,
    outbox: &'a mut Outbox<'b>,
    reply_dir: &'a Path,
    reply_to: ReplyTo,
}

#[derive(PartialEq)]
enum ReplyTo {
    /// No request of the document has named a pipe.
    NotNamed,
    /// The question is settled, and the outbox knows the pipe if there is one.
    Settled,
}

impl PipeClient<'_, '_> {
    /// Finds the pipe for a batch, which is answered as a whole through the first pipe
    /// that is named in it.
    fn find_pipe_of_batch(&mut self, processor: &mut Processor, document: &[u8]) {
        let name = processor.find(document, |request, params| match request.reply_name {
            Name::Text(name) => Some(params.text(name).to_vec()),
            _ => None,
        });
        if let Some(name) = name {
            self.use_pipe(&name);
        }
    }

    /// Uses the pipe of this name. As in C, a name that cannot be used loses the reply,
    /// but the command runs.
    fn use_pipe(&mut self, name: &[u8]) {
        self.reply_to = ReplyTo::Settled;
        match pipe_in(self.reply_dir, name) {
            Some(pipe) => self.outbox.send_through(pipe),
            None => log_limited!(
                Warning,
                "a request on {} names the reply pipe {}; it must be a plain name in {}, \
                 without dots and slashes",
                self.incoming.listener,
                Shown(name),
                self.reply_dir.display()
            ),
        }
    }
}

impl Client for PipeClient<'_, '_> {
    fn buffer(&mut self) -> &mut Vec<u8> {
        self.outbox.buffer()
    }

    fn deliver(&mut self, _start: usize, now: bool) -> Result<(), Error> {
        if now {
            self.outbox.flush();
        }
        Ok(())
    }

    /// As in C, a request that names no pipe is not run, unless it is one for which
    /// nobody waits.
    fn admits(&mut self, request: &Request<'_>, params: &Params) -> bool {
        if self.reply_to == ReplyTo::Settled || !request.wants_answer() {
            return true;
        }
        match request.reply_name {
            Name::Text(name) => {
                self.use_pipe(params.text(name));
                return true;
            }
            Name::NotText => log_limited!(
                Warning,
                "a request on {} is not run: its reply_name is not a string",
                self.incoming.listener
            ),
            Name::Missing => log_limited!(
                Warning,
                "a request on {} is not run: it has no reply_name, the pipe for the answer",
                self.incoming.listener
            ),
        }
        false
    }

    fn may_store(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        match self.outbox.pipe() {
            Some(pipe) => format!(
                "the reader of {} on {}",
                pipe.display(),
                self.incoming.listener
            ),
            None => self.incoming.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{blanks, is_part_of_mark};

    #[test]
    fn control_characters_are_blanks_and_nul_is_none() {
        assert_eq!(blanks(b" \t\r\n\x01{"), 5);
        assert_eq!(blanks(b"\0{"), 0);
        assert_eq!(blanks(b"{ "), 0);
    }

    #[test]
    fn a_byte_order_mark_is_a_blank_however_it_comes() {
        assert_eq!(blanks(b"\xef\xbb\xbf {"), 3);
        for end in 1..3 {
            assert_eq!(blanks(&b"\xef\xbb\xbf"[..end]), 0);
            assert!(is_part_of_mark(&b"\xef\xbb\xbf"[..end]));
        }
        assert!(!is_part_of_mark(b"\xef{"));
    }
}
