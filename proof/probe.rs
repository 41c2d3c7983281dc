//! A healthy client, which has to get the right answer whatever others do.

use std::io;
use std::time::{Duration, Instant};

use crate::link::{Link, Place};
use crate::protocol::Protocol;
use crate::subject::Lane;

/// How long it waits. It takes milliseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// After so long it asks again, where its question may be lost on the way.
const AGAIN: Duration = Duration::from_secs(2);

/// What came of a known request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Right,
    /// Something else came.
    Wrong(Vec<u8>),
    /// Nothing came.
    None,
    /// The server is not there any more.
    Gone,
}

/// Sends a known request until it is answered.
pub(crate) fn ask(lane: &Lane, id: u32, is_gone: &dyn Fn() -> bool) -> Outcome {
    let deadline = Instant::now() + PATIENCE;
    let mut outcome = Outcome::None;
    while Instant::now() < deadline {
        if is_gone() {
            return Outcome::Gone;
        }
        let left = deadline - Instant::now();
        let patience = if may_be_lost(lane) {
            left.min(AGAIN)
        } else {
            left
        };
        match once(lane, id, patience, is_gone) {
            Ok(answer) if lane.protocol.is_right(&answer, &word(id), id) => return Outcome::Right,
            Ok(answer) if !answer.is_empty() => return Outcome::Wrong(answer),
            // Closed without an answer, or nothing yet.
            Ok(_) => outcome = Outcome::None,
            // A server that is about to end takes no connection, and the system
            // takes some time to say that it has ended.
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
    outcome
}

/// UDP drops datagrams for which there is no room. Other SIP clients may have
/// the script do something to this connection.
fn may_be_lost(lane: &Lane) -> bool {
    matches!(lane.place, Place::Udp(_)) || lane.protocol == Protocol::Sip
}

fn word(id: u32) -> String {
    format!("known-{id}-")
}

fn once(
    lane: &Lane,
    id: u32,
    patience: Duration,
    is_gone: &dyn Fn() -> bool,
) -> io::Result<Vec<u8>> {
    const STEP: Duration = Duration::from_millis(200);
    let mut link = Link::open(&lane.place)?;
    let mut request = lane.protocol.known(&word(id), id, link.reply_pipe());
    if lane.place.is_pipe() && lane.protocol == Protocol::Lines {
        // An empty line ends what somebody else has begun.
        request.splice(0..0, *b"\n\n");
    }
    link.send(&request)?;
    let deadline = Instant::now() + patience;
    let mut answer = Vec::new();
    while !lane.protocol.has_come(&answer, &word(id), id) {
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

/// Whether it only says that nothing has come yet.
pub(crate) fn is_quiet(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}
