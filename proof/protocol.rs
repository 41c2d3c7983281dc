//! The protocols: requests, and answers as far as they must be understood.

use harness::binrpc;
use harness::linefifo;
use memchr::memmem;
use rpc_wire::binrpc::Header;
use rpc_wire::binrpc::client::{Answer, Arg};

/// The protocol of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Binrpc,
    Lines,
    Json,
    Http,
    Mi,
    Sip,
}

/// The word that stands for the name of the pipe for an answer.
pub(crate) const REPLY_PIPE: &str = "ksr-pipe-that-is-read";

impl Protocol {
    /// The folder of its corpus for the fuzzer.
    pub(crate) fn corpus(self) -> Option<&'static str> {
        match self {
            Self::Binrpc => Some("binrpc"),
            Self::Lines => Some("linefifo"),
            Self::Json | Self::Http => Some("jsonrpc"),
            Self::Mi => Some("mi"),
            Self::Sip => None,
        }
    }

    /// A request. Over SIP the words are those for which the script looks.
    pub(crate) fn request(
        self,
        method: &str,
        words: &[&str],
        id: u32,
        reply_pipe: Option<&str>,
    ) -> Vec<u8> {
        match self {
            Self::Binrpc => {
                let words: Vec<Arg> = words.iter().map(|word| (*word).into()).collect();
                binrpc::request(method, &words, id)
            }
            Self::Lines => {
                let words: Vec<_> = words.iter().map(|word| (*word).into()).collect();
                linefifo::request(method, reply_pipe.unwrap_or_default(), &words)
            }
            Self::Json => document(method, words, id, reply_pipe).into_bytes(),
            Self::Http => post(document(method, words, id, None).as_bytes()),
            Self::Mi => {
                let words: String = words.iter().map(|word| format!("{word}\n")).collect();
                format!(":{method}:\n{words}").into_bytes()
            }
            Self::Sip => sip(words, id),
        }
    }

    /// A request that every server answers, with an answer that belongs to no other.
    pub(crate) fn known(self, word: &str, id: u32, reply_pipe: Option<&str>) -> Vec<u8> {
        match self {
            // The C module has no parameters for core.echo here, but its answer to an
            // unknown command has the command's name.
            Self::Lines => self.request(word, &[], id, reply_pipe),
            _ => self.request("core.echo", &[word], id, reply_pipe),
        }
    }

    /// Whether the answer to that request is the last of what has come.
    pub(crate) fn has_come(self, all: &[u8], word: &str, id: u32) -> bool {
        let end = match self {
            Self::Binrpc => format!("{word}\0"),
            Self::Mi => format!("{word}\n"),
            // The C module sends stray bytes behind it.
            Self::Lines => return holds(all, unknown(word).as_bytes()),
            Self::Json | Self::Http => format!(r#""result":["{word}"],"id":{id}}}"#),
            // The headers behind it are the core's.
            Self::Sip => {
                let name = format!("X-Word: {word}\r\n");
                return all.ends_with(b"\r\n\r\n") && holds(all, name.as_bytes());
            }
        };
        all.trim_ascii_end()
            .ends_with(end.trim_ascii_end().as_bytes())
    }

    /// Whether this is exactly the answer to that request.
    pub(crate) fn is_right(self, answer: &[u8], word: &str, id: u32) -> bool {
        match self {
            Self::Binrpc => match binrpc::decode(answer) {
                Ok((header, Answer::Reply(values))) => {
                    header.cookie == id && values.len() == 1 && values[0].as_str() == Some(word)
                }
                _ => false,
            },
            Self::Lines => answer.starts_with(format!("500 {}", unknown(word)).as_bytes()),
            Self::Json => {
                let right = format!(r#"{{"jsonrpc":"2.0","result":["{word}"],"id":{id}}}"#);
                answer.trim_ascii_end() == right.as_bytes()
            }
            Self::Http => answer.starts_with(b"HTTP/1.1 200 ") && self.has_come(answer, word, id),
            Self::Mi => answer == format!("200 OK\n{word}\n").as_bytes(),
            Self::Sip => answer.starts_with(b"SIP/2.0 200 ") && self.has_come(answer, word, id),
        }
    }

    /// The number of answers in what a stream or a pipe has brought. An answer is
    /// counted by its start.
    pub(crate) fn answers_in(self, all: &[u8]) -> usize {
        match self {
            Self::Binrpc => packets(all),
            Self::Lines => all
                .split(|byte| *byte == b'\n')
                .filter(|it| is_status(it))
                .count(),
            Self::Json => count(all, b"{\"jsonrpc\":\"2.0\","),
            Self::Http => count(all, b"HTTP/1.1 "),
            Self::Mi => usize::from(!all.is_empty()),
            Self::Sip => count(all, b"SIP/2.0 "),
        }
    }
}

fn unknown(command: &str) -> String {
    format!("Command '{command}' not found")
}

fn document(method: &str, words: &[&str], id: u32, reply_pipe: Option<&str>) -> String {
    let reply_name =
        reply_pipe.map_or_else(String::new, |name| format!(r#""reply_name":"{name}","#));
    format!(r#"{{"jsonrpc":"2.0",{reply_name}"method":"{method}","params":{words:?},"id":{id}}}"#)
}

/// Puts a document into an HTTP request.
pub(crate) fn post(document: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /RPC HTTP/1.1\r\nHost: localhost\r\nUser-Agent: proof\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        document.len()
    );
    [head.as_bytes(), document].concat()
}

/// An OPTIONS request with a word, and up to three values for the script.
pub(crate) fn sip(words: &[&str], id: u32) -> Vec<u8> {
    let names = ["X-Word", "X-Conid", "X-Value", "X-Address", "X-Do"];
    let headers: String = names
        .iter()
        .zip(words)
        .map(|(name, word)| format!("{name}: {word}\r\n"))
        .collect();
    format!(
        "OPTIONS sip:server@127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{id};rport\r\n\
         Max-Forwards: 10\r\n\
         From: <sip:proof@127.0.0.1>;tag={id}\r\n\
         To: <sip:server@127.0.0.1>\r\n\
         Call-ID: {id}@proof\r\n\
         CSeq: {id} OPTIONS\r\n\
         {headers}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn packets(mut all: &[u8]) -> usize {
    let mut count = 0;
    while let Ok(Some(header)) = Header::parse(all) {
        let Some(rest) = all.get(header.packet_len()..) else {
            break;
        };
        all = rest;
        count += 1;
    }
    count
}

/// Whether a line can be the first one of an answer.
fn is_status(line: &[u8]) -> bool {
    matches!(line, [a, b, c, b' ', ..] if [a, b, c].iter().all(|it| it.is_ascii_digit()))
}

fn count(all: &[u8], part: &[u8]) -> usize {
    memmem::find_iter(all, part).count()
}

/// Whether `part` occurs in `all`.
pub(crate) fn holds(all: &[u8], part: &[u8]) -> bool {
    memmem::find(all, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_is_right() {
        for (protocol, right) in [
            (Protocol::Json, r#"{"jsonrpc":"2.0","result":["w"],"id":7}"#),
            (Protocol::Lines, "500 Command 'w' not found\n"),
            (Protocol::Mi, "200 OK\nw\n"),
            (
                Protocol::Http,
                "HTTP/1.1 200 OK\r\n\r\n{\"jsonrpc\":\"2.0\",\"result\":[\"w\"],\"id\":7}",
            ),
            (Protocol::Sip, "SIP/2.0 200 Done\r\nX-Word: w\r\n\r\n"),
        ] {
            let is_right = |answer: &str| protocol.is_right(answer.as_bytes(), "w", 7);
            assert!(is_right(right), "{protocol:?}");
            assert!(protocol.has_come(right.as_bytes(), "w", 7), "{protocol:?}");
            for wrong in ["", "500 no\n", &right.replace('w', "v"), &right[2..]] {
                assert!(!is_right(wrong), "{protocol:?} {wrong}");
            }
            let half = &right.as_bytes()[..right.len() - 4];
            assert!(!protocol.has_come(half, "w", 7), "{protocol:?}");
        }
    }

    #[test]
    fn packets_are_told_apart() {
        let right = b"\xa1\x10\x03\x07\x21w\0";
        assert!(Protocol::Binrpc.is_right(right, "w", 7));
        assert!(!Protocol::Binrpc.is_right(right, "w", 8));
        assert!(!Protocol::Binrpc.is_right(&right.repeat(2)[..9], "v", 7));
        assert_eq!(Protocol::Binrpc.answers_in(&right.repeat(3)), 3);
        assert_eq!(Protocol::Binrpc.answers_in(&right[..6]), 0);
    }

    #[test]
    fn answers_are_counted() {
        let lines = b"200 OK\n5\n\n500 command not found\n400\n";
        assert_eq!(Protocol::Lines.answers_in(lines), 2);
        let json = br#"{"jsonrpc":"2.0","result":{},"id":1}{"jsonrpc":"2.0","error":1}"#;
        assert_eq!(Protocol::Json.answers_in(json), 2);
    }
}
