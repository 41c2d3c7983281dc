//! The kinds of requests in a long run, which take turns.

use memchr::memmem;

use crate::link::ServerAddress;
use crate::protocol::{Protocol, REPLY_PIPE, holds, post, sip};
use crate::seeds;
use crate::subject::Listener;

/// One in this many requests has a large reply.
const LARGE: usize = 200;

/// The number of functions that the script calls for a message.
const FUNCTIONS: u64 = 15;

/// One in this many bursts ends with a request that makes no sense.
const SPOILED: u32 = 10;

/// A client opens another connection after this many bursts.
const LEAVES: u32 = 7;

/// The requests for one listener.
pub(crate) struct Kinds {
    protocol: Protocol,
    is_datagram: bool,
    small: Vec<Vec<u8>>,
    large: Vec<Vec<u8>>,
    spoiled: Vec<Vec<u8>>,
    next: usize,
    in_burst: usize,
}

impl Kinds {
    pub(crate) fn new(listener: &Listener) -> Self {
        let mut good = match listener.protocol {
            Protocol::Sip => messages(),
            other => seeds::good(other),
        };
        good.retain(|request| !(listener.address.is_pipe() && loses_its_end(request)));
        let (large, small) = good.into_iter().partition(|it| is_large(it));
        Self {
            protocol: listener.protocol,
            is_datagram: matches!(
                listener.address,
                ServerAddress::UnixDatagram(_) | ServerAddress::Udp(_)
            ),
            small,
            large,
            spoiled: spoiled(listener.protocol),
            next: 0,
            in_burst: match &listener.address {
                _ if matches!(listener.protocol, Protocol::Sip | Protocol::Http) => 8,
                address if address.is_stream() => 32,
                _ => 7,
            },
        }
    }

    /// The number of requests for which a burst counts.
    pub(crate) fn in_burst(&self) -> u64 {
        let requests = self.in_burst as u64 + 1;
        match self.protocol {
            Protocol::Sip => requests * FUNCTIONS,
            _ => requests,
        }
    }

    /// The requests of the next burst.
    pub(crate) fn next(&mut self, reply_pipe: Option<&str>) -> Vec<Vec<u8>> {
        (0..self.in_burst)
            .map(|_| {
                self.next += 1;
                let request = match self.next % LARGE {
                    0 if !self.large.is_empty() => {
                        &self.large[self.next / LARGE % self.large.len()]
                    }
                    _ => &self.small[self.next % self.small.len()],
                };
                answered_through(request, reply_pipe)
            })
            .collect()
    }

    /// A request without sense that follows some bursts.
    pub(crate) fn spoiled(&self, burst: u32, reply_pipe: Option<&str>) -> Option<Vec<u8>> {
        let turn = burst / SPOILED;
        let request = &self.spoiled[turn as usize % self.spoiled.len()];
        (burst % SPOILED == 0).then(|| answered_through(request, reply_pipe))
    }

    /// Whether the connection is old enough to be closed, as it is after a request
    /// without sense.
    pub(crate) fn leaves_after(&self, burst: u32) -> bool {
        let after_spoiled = burst % SPOILED == 0 && !self.is_datagram;
        after_spoiled || burst % LEAVES == 0
    }
}

/// Whether the C module misses the end of a document on its pipe, after which the next
/// would be lost. It does so for a batch, and for a text whose last character is a
/// backslash.
fn loses_its_end(document: &[u8]) -> bool {
    document.starts_with(b"[") || holds(document, br#"\\""#)
}

fn is_large(request: &[u8]) -> bool {
    let is_dump = holds(request, b"htable.dump") || holds(request, b"sht_dump");
    is_dump && !holds(request, b"no such")
}

/// Requests that make no sense, of kinds that the C modules survive, too.
fn spoiled(protocol: Protocol) -> Vec<Vec<u8>> {
    match protocol {
        Protocol::Binrpc => vec![
            b"\xa1\x00\x00\x07".to_vec(),
            b"\xa1\x00\x03\x07\x41ab".to_vec(),
            b"{\"jsonrpc\":\"2.0\"}".to_vec(),
        ],
        Protocol::Lines => vec![b"no command at all\n\n".to_vec(), b":core.echo:\n".to_vec()],
        Protocol::Json => vec![
            format!(r#"{{"reply_name":"{REPLY_PIPE}","method":"core.echo","id":1}}"#).into_bytes(),
            format!(r#"{{"reply_name":"{REPLY_PIPE}","jsonrpc":"2.0" "id"}}"#).into_bytes(),
        ],
        Protocol::Http => vec![
            post(br#"{"jsonrpc":"2.0" "id"}"#),
            post(br#"{"method":"core.echo","id":1}"#),
        ],
        Protocol::Mi => vec![
            b"no command at all".to_vec(),
            b":core.echo:\n\"open\n".to_vec(),
        ],
        Protocol::Sip => vec![b"OPTIONS sip:server SIP/2.0\r\nVia: none\r\n\r\n".to_vec()],
    }
}

/// Messages that make the script do different things. The last of them end the
/// connection or the script.
fn messages() -> Vec<Vec<u8>> {
    let values = ["0", "1", "60", "100", "-1", "2147483647", "text", "17"];
    values
        .iter()
        .zip(1..)
        .map(|(value, id)| {
            let address = format!("127.0.0.1:{}", 9 + id);
            let action = ["", "", "lifetime", "event"][id as usize % 4];
            sip(&["a word", &id.to_string(), value, &address, action], id)
        })
        .collect()
}

/// The request with the name of the pipe for its answer.
pub(crate) fn answered_through(request: &[u8], reply_pipe: Option<&str>) -> Vec<u8> {
    let name = reply_pipe.unwrap_or(REPLY_PIPE).as_bytes();
    let mut out = Vec::with_capacity(request.len());
    let mut rest = 0;
    for at in memmem::find_iter(request, REPLY_PIPE) {
        out.extend_from_slice(&request[rest..at]);
        out.extend_from_slice(name);
        rest = at + REPLY_PIPE.len();
    }
    out.extend_from_slice(&request[rest..]);
    out
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn a_message_has_so_many_functions_called() {
        let script = include_str!("tcpops.cfg");
        let (route, _) = script.split_once("sl_send_reply").expect("it answers");
        assert_eq!(route.matches("if (tcp_").count() as u64, FUNCTIONS);
    }

    #[test]
    fn all_kinds_come_and_each_burst_is_as_long() {
        let address = ServerAddress::Udp(SocketAddr::from(([127, 0, 0, 1], 9)));
        for protocol in [
            Protocol::Binrpc,
            Protocol::Lines,
            Protocol::Json,
            Protocol::Mi,
        ] {
            let listener = Listener {
                name: "",
                protocol,
                address: address.clone(),
            };
            let mut kinds = Kinds::new(&listener);
            let all: Vec<Vec<u8>> = (0..100).flat_map(|_| kinds.next(None)).collect();
            assert_eq!(all.len() as u64, 100 * (kinds.in_burst() - 1));
            for kind in &kinds.small {
                assert!(all.contains(kind), "{protocol:?} {}", kind.escape_ascii());
            }
            let large = all.iter().filter(|it| is_large(it)).count();
            assert_eq!(large, all.len() / LARGE, "{protocol:?}");
        }
    }

    #[test]
    fn the_answer_goes_where_the_client_reads() {
        let request = answered_through(format!(":a:{REPLY_PIPE}\n").as_bytes(), Some("mine"));
        assert_eq!(request, b":a:mine\n");
    }
}
