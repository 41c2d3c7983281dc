//! Some requests that are sent together, and how.

use rpc_wire::jsonrpc::{Found, find};

use crate::mutate::Mutator;
use crate::protocol::{Protocol, post, sip};
use crate::seeds::is_allowed;
use crate::subject::Lane;

/// What one client does.
pub(crate) struct Burst {
    pub(crate) requests: Vec<Vec<u8>>,
    /// Into how many pieces a stream is cut.
    pub(crate) pieces: usize,
    pub(crate) end: End,
}

/// What a client does when it has sent everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It reads while something comes, and goes on with the same socket.
    Read,
    /// It says that it sends no more, and reads to the end.
    Finish,
    /// It leaves without reading. Of a named pipe: the one for the answers has no
    /// reader.
    Leave,
    /// It leaves in a way that the system reports as a broken connection.
    Reset,
    /// It never reads, and stays. Of a named pipe: nobody reads the answers.
    Ignore,
    /// A socket without a name; a pipe for the answers that is not there.
    Nameless,
    /// It leaves when the answer has begun.
    Begin,
}

impl Burst {
    /// The next one, and nothing of it depends on what a server did.
    pub(crate) fn next(lane: &Lane, mutator: &mut Mutator) -> Self {
        let most = match &lane.place {
            place if place.is_stream() => 16,
            place if place.is_pipe() => 4,
            _ => 8,
        };
        let count = mutator.rng().usize(1..=most);
        let requests = (0..count).map(|_| request(lane, mutator)).collect();
        let pieces = match mutator.rng().u8(..4) {
            0 => mutator.rng().usize(2..=12),
            _ => 1,
        };
        Self {
            requests,
            pieces,
            end: end(lane, mutator.rng().u8(..64)),
        }
    }
}

fn end(lane: &Lane, chance: u8) -> End {
    let place = &lane.place;
    match chance {
        0 => End::Ignore,
        1 => End::Nameless,
        2 => End::Begin,
        3 if place.is_pipe() => End::Leave,
        3..=9 if place.is_stream() => End::Leave,
        10..=14 if place.is_stream() => End::Reset,
        15..=44 if place.is_stream() => End::Finish,
        _ => End::Read,
    }
}

fn request(lane: &Lane, mutator: &mut Mutator) -> Vec<u8> {
    loop {
        let request = match lane.protocol {
            Protocol::Http => over_http(mutator),
            Protocol::Sip => over_sip(mutator),
            _ => mutator.next(),
        };
        if is_allowed(&request) && !(lane.place.is_pipe() && stays_open(lane, &request)) {
            return request;
        }
    }
}

/// Mostly with a good head, for behind another there is nothing of the module's.
fn over_http(mutator: &mut Mutator) -> Vec<u8> {
    let document = mutator.next();
    let request = post(&document);
    match mutator.rng().u8(..8) {
        0 => mutator.changed(request),
        _ => request,
    }
}

/// Mostly a good message, in whose headers the values for the script are.
fn over_sip(mutator: &mut Mutator) -> Vec<u8> {
    let [word, id, value] = [(); 3].map(|()| header_value(&mutator.next()));
    let address = address(mutator);
    let action = ["", "lifetime", "event"][mutator.rng().usize(..3)];
    let number = mutator.rng().u32(..1 << 30);
    let request = sip(&[&word, &id, &value, &address, action], number);
    match mutator.rng().u8(..8) {
        0 => mutator.changed(request),
        _ => request,
    }
}

/// Without what ends a header.
fn header_value(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .filter(|it| !"\r\n".contains(*it))
        .take(500)
        .collect()
}

/// One that needs no name server: that is not what is tried here.
fn address(mutator: &mut Mutator) -> String {
    const ADDRESSES: [&str; 7] = [
        "127.0.0.1:9",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:99999",
        "[::1]:5060",
        ":",
        "",
    ];
    let rng = mutator.rng();
    match rng.bool() {
        true => format!("127.0.0.1:{}", rng.u16(..)),
        false => ADDRESSES[rng.usize(..ADDRESSES.len())].to_owned(),
    }
}

/// Whether what follows on the pipe would count as the rest of this: by design
/// nobody is answered until it is complete, or 30 seconds old.
fn stays_open(lane: &Lane, request: &[u8]) -> bool {
    // Empty lines end whatever it was.
    if lane.protocol == Protocol::Lines {
        return false;
    }
    let mut rest = request;
    while !rest.is_empty() {
        match find(rest) {
            Found::Other(len) | Found::Document(len) => rest = &rest[len..],
            Found::More => return true,
        }
    }
    false
}
