//! A healthy client, which must get the right answer whatever others do.

use std::io;
use std::time::{Duration, Instant};

use crate::link::{Link, ServerAddress};
use crate::protocol::Protocol;
use crate::subject::Listener;

/// The time for which it waits. An answer usually takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The time after which it repeats a request that may have been lost.
const AGAIN: Duration = Duration::from_secs(2);

/// The outcome of a known request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Right,
    /// Something else came.
    Wrong(Vec<u8>),
    /// Nothing came.
    None,
    /// The server has ended.
    Gone,
}

/// Sends a known request until it is answered.
pub(crate) fn ask(listener: &Listener, id: u32, is_gone: &dyn Fn() -> bool) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    let mut outcome = Outcome::None;
    while Instant::now() < deadline {
        if is_gone() {
            return Outcome::Gone;
        }
        let left = deadline - Instant::now();
        let patience = if may_be_lost(listener) {
            left.min(AGAIN)
        } else {
            left
        };
        match once(listener, id, patience, is_gone) {
            Ok(answer) if listener.protocol.is_right(&answer, &word(id), id) => {
                return Outcome::Right;
            }
            Ok(answer) if !answer.is_empty() => return Outcome::Wrong(answer),
            // The server has closed without an answer, or nothing has come yet.
            Ok(_) => outcome = Outcome::None,
            // A server that is about to end accepts no connection, and the system takes
            // some time to report its end.
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    outcome
}

/// Whether a request may be lost. UDP drops datagrams if the receiver's buffer is full,
/// and other SIP clients may make the script do something to this connection.
fn may_be_lost(listener: &Listener) -> bool {
    matches!(listener.address, ServerAddress::Udp(_)) || listener.protocol == Protocol::Sip
}

fn word(id: u32) -> String {
    format!("known-{id}-")
}

fn once(
    listener: &Listener,
    id: u32,
    patience: Duration,
    is_gone: &dyn Fn() -> bool,
) -> io::Result<Vec<u8>> {
    const STEP: Duration = Duration::from_millis(200);
    let mut link = Link::open(&listener.address)?;
    let mut request = listener.protocol.known(&word(id), id, link.reply_pipe());
    if listener.address.is_pipe() && listener.protocol == Protocol::Lines {
        // An empty line ends what another client has begun.
        request.splice(0..0, *b"\n\n");
    }
    link.send(&request)?;
    let deadline = Instant::now() + patience;
    let mut answer = Vec::new();
    while !listener.protocol.has_come(&answer, &word(id), id) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || is_gone() {
            break;
        }
        match link.receive(left.min(STEP)) {
            Ok(piece) if piece.is_empty() => break,
            Ok(piece) => answer.extend(piece),
            Err(error) if is_quiet(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}

/// Whether the error only says that nothing has come yet.
pub(crate) fn is_quiet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
