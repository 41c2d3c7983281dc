//! Requests that are sent together, and the way in which they are sent.

use rpc_wire::jsonrpc::{Found, find};

use crate::mutate::Mutator;
use crate::protocol::{Protocol, post, sip};
use crate::seeds::is_allowed;
use crate::subject::Listener;

/// The actions of one client.
pub(crate) struct Burst {
    pub(crate) requests: Vec<Vec<u8>>,
    /// The number of pieces into which a stream is cut.
    pub(crate) pieces: usize,
    pub(crate) end: End,
}

/// What a client does after it has sent everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It reads while something comes, and continues with the same socket.
    Read,
    /// It says that it sends no more, and reads to the end.
    Finish,
    /// It leaves without reading. On a named pipe, the pipe for the answers has no
    /// reader.
    Leave,
    /// It leaves in a way that the system reports as a broken connection.
    Reset,
    /// It never reads, and stays. On a named pipe, nobody reads the answers.
    Ignore,
    /// It has a socket without a name, or names a pipe for the answers that does not
    /// exist.
    Nameless,
    /// It leaves when the answer has begun.
    Begin,
}

impl Burst {
    /// The next burst. It does not depend on what any server did.
    pub(crate) fn next(listener: &Listener, mutator: &mut Mutator) -> Self {
        let most = match &listener.address {
            address if address.is_stream() => 16,
            address if address.is_pipe() => 4,
            _ => 8,
        };
        let count = mutator.rng().usize(1..=most);
        let requests = (0..count).map(|_| request(listener, mutator)).collect();
        let pieces = match mutator.rng().u8(..4) {
            0 => mutator.rng().usize(2..=12),
            _ => 1,
        };
        Self {
            requests,
            pieces,
            end: end(listener, mutator.rng().u8(..64)),
        }
    }
}

fn end(listener: &Listener, chance: u8) -> End {
    let address = &listener.address;
    match chance {
        0 => End::Ignore,
        1 => End::Nameless,
        2 => End::Begin,
        3 if address.is_pipe() => End::Leave,
        3..=9 if address.is_stream() => End::Leave,
        10..=14 if address.is_stream() => End::Reset,
        15..=44 if address.is_stream() => End::Finish,
        _ => End::Read,
    }
}

fn request(listener: &Listener, mutator: &mut Mutator) -> Vec<u8> {
    loop {
        let request = match listener.protocol {
            Protocol::Http => over_http(mutator),
            Protocol::Sip => over_sip(mutator),
            _ => mutator.next(),
        };
        if is_allowed(&request) && !(listener.address.is_pipe() && stays_open(listener, &request)) {
            return request;
        }
    }
}

/// A request over HTTP. Its header is mostly good, because behind a bad one nothing
/// reaches the module.
fn over_http(mutator: &mut Mutator) -> Vec<u8> {
    let document = mutator.next();
    let request = post(&document);
    match mutator.rng().u8(..8) {
        0 => mutator.changed(request),
        _ => request,
    }
}

/// A SIP message that is mostly good. Its headers have the values for the script.
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

/// Removes whatever ends a header.
fn header_value(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars()
        .filter(|it| !"\r\n".contains(*it))
        .take(500)
        .collect()
}

/// An address that needs no name server, because that is not what is tried here.
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

/// Whether what follows on the pipe would count as the rest of this request. By design
/// nobody is answered until it is complete, or 30 seconds old.
fn stays_open(listener: &Listener, request: &[u8]) -> bool {
    // Empty lines end whatever it was.
    if listener.protocol == Protocol::Lines {
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
