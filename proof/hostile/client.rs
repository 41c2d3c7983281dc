//! A client that sends bursts, in all the ways in which clients can be bad.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use harness::linefifo::{ReplyPipe, make_pipe};
use harness::own_path::OwnPath;

use super::burst::{Burst, End};
use crate::kinds::answered_through;
use crate::link::Link;
use crate::probe::is_quiet;
use crate::protocol::Protocol;
use crate::subject::Listener;

/// The time without input after which a client expects no more.
const QUIET: Duration = Duration::from_millis(3);

/// The time for which a client waits that reads to the end.
const TO_THE_END: Duration = Duration::from_millis(300);

/// The number of clients that stay and never read.
const IGNORANT: usize = 6;

/// The most that is read after a burst.
const ENOUGH: usize = 4 << 20;

/// The clients of one listener.
pub(crate) struct Clients<'a> {
    listener: &'a Listener,
    link: Option<Link>,
    /// The clients that never read.
    ignorant: VecDeque<Link>,
    /// A pipe that nobody has opened to read.
    closed_pipe: Option<OwnPath>,
}

impl<'a> Clients<'a> {
    pub(crate) fn new(listener: &'a Listener) -> Self {
        let closed_pipe = listener.address.is_pipe().then(|| {
            let path = OwnPath::new();
            make_pipe(path.path());
            path
        });
        Self {
            listener,
            link: None,
            ignorant: VecDeque::new(),
            closed_pipe,
        }
    }

    /// Closes everything that is open, because the server has ended.
    pub(crate) fn forget(&mut self) {
        self.link = None;
        self.ignorant.clear();
    }

    /// Sends a burst and returns how many answers came.
    pub(crate) fn play(&mut self, burst: &Burst) -> io::Result<usize> {
        let address = &self.listener.address;
        if address.is_pipe() {
            return self.through_pipes(burst);
        }
        let mut link = match burst.end {
            End::Nameless => Link::open_without_name(address)?,
            End::Ignore if self.ignorant.len() == IGNORANT => {
                let oldest = self.ignorant.pop_front();
                match oldest {
                    // The answers pile up in its socket. A connection is used only
                    // once.
                    Some(link) if !address.is_stream() => link,
                    _ => Link::open(address)?,
                }
            }
            End::Ignore => Link::open(address)?,
            _ => match self.link.take() {
                Some(link) => link,
                None => Link::open(address)?,
            },
        };
        let sent = match address.is_stream() {
            true => send_in_pieces(&mut link, burst),
            false => send_each(&mut link, burst),
        };
        self.end(link, burst, sent)
    }

    fn end(&mut self, mut link: Link, burst: &Burst, sent: io::Result<()>) -> io::Result<usize> {
        let end = burst.end;
        match end {
            End::Ignore => {
                if sent.is_ok() {
                    self.ignorant.push_back(link);
                }
                return Ok(0);
            }
            End::Leave | End::Nameless => return Ok(0),
            End::Reset => {
                link.reset();
                return Ok(0);
            }
            End::Begin => {
                // It does not matter whether an answer has begun or none comes.
                let _ = link.receive(QUIET);
                return Ok(0);
            }
            End::Finish => link.finish()?,
            End::Read => {}
        }
        let patience = if end == End::Finish {
            TO_THE_END
        } else {
            QUIET
        };
        let (answers, goes_on) = self.read(&mut link, burst.requests.len(), patience);
        if goes_on && sent.is_ok() && end == End::Read {
            self.link = Some(link);
        }
        Ok(answers)
    }

    /// The number of answers until none comes for a while, and whether the server keeps
    /// the connection. No more than `most` datagrams are waited for.
    fn read(&self, link: &mut Link, most: usize, patience: Duration) -> (usize, bool) {
        let mut all = Vec::new();
        let mut datagrams = 0;
        let is_datagram = !self.listener.address.is_stream() && !self.listener.address.is_pipe();
        let goes_on = loop {
            if is_datagram && datagrams == most {
                break true;
            }
            match link.receive(patience) {
                Ok(piece) if piece.is_empty() && self.listener.address.is_stream() => break false,
                Ok(piece) => {
                    datagrams += 1;
                    all.extend(piece);
                    if all.len() > ENOUGH {
                        break false;
                    }
                }
                Err(error) => break is_quiet(&error),
            }
        };
        let answers = match is_datagram {
            true => datagrams,
            false => self.listener.protocol.answers_in(&all),
        };
        (answers, goes_on)
    }

    fn through_pipes(&mut self, burst: &Burst) -> io::Result<usize> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => Link::open(&self.listener.address)?,
        };
        let mut leaving = (burst.end == End::Begin).then(ReplyPipe::new);
        let unread = (burst.end == End::Ignore).then(ReplyPipe::without_end);
        let name = match burst.end {
            End::Nameless => "ksr-pipe-that-is-not-there".to_owned(),
            End::Leave => self
                .closed_pipe
                .as_ref()
                .map_or("", OwnPath::name)
                .to_owned(),
            _ => {
                let own = leaving.as_ref().or(unread.as_ref()).map(ReplyPipe::name);
                own.or(link.reply_pipe()).unwrap_or_default().to_owned()
            }
        };
        for request in &burst.requests {
            let mut request = answered_through(request, Some(&name));
            if self.listener.protocol == Protocol::Lines {
                request.extend(b"\n\n");
            }
            link.send(&request)?;
        }
        if let Some(pipe) = &mut leaving {
            let _ = pipe.read_some_within(QUIET, 100);
        }
        let (answers, _) = self.read(&mut link, burst.requests.len(), QUIET);
        self.link = Some(link);
        Ok(answers)
    }
}

/// Sends each request in a datagram. One that does not fit into the socket, or into any
/// datagram, is not sent.
fn send_each(link: &mut Link, burst: &Burst) -> io::Result<()> {
    for request in &burst.requests {
        match link.send(request) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => return Err(error),
            _ => (),
        }
    }
    Ok(())
}

fn send_in_pieces(link: &mut Link, burst: &Burst) -> io::Result<()> {
    let all = burst.requests.concat();
    let len = all.len().div_ceil(burst.pieces).max(1);
    all.chunks(len).try_for_each(|piece| link.send(piece))
}
