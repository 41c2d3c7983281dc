//! Reading answers, as a client does.

use std::fmt;

use crate::binrpc::reader::{Reader, Scalar};
use crate::binrpc::tree::{Assemble, next_value};
use crate::binrpc::{Defect, Header, Kind, Malformed};

/// The answer of a server.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The values of a reply in their order.
    Reply(Vec<Node>),
    /// The request failed.
    Fault {
        /// The command's code, such as 400 or 500.
        code: i32,
        /// The reason.
        reason: Vec<u8>,
    },
}

/// A value of a reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A whole number, or a truth value.
    Int(i32),
    /// Any other number.
    Double(f64),
    /// Text.
    Str(Vec<u8>),
    /// Bytes that are not text.
    Bytes(Vec<u8>),
    /// Members, most of them named.
    Struct(Vec<(Option<Vec<u8>>, Node)>),
    /// Values without names. Kamailio writes arrays as structs.
    Array(Vec<Node>),
}

/// Reads the answer at the start of `bytes`, and its header, which tells the cookie and
/// the size of the packet.
///
/// It returns `None` if the answer has not arrived in full.
///
/// # Errors
///
/// The packet is malformed, or is a request.
pub fn decode_answer(bytes: &[u8]) -> Result<Option<(Header, Answer)>, Malformed> {
    let Some(header) = Header::parse(bytes)? else {
        return Ok(None);
    };
    if header.kind == Kind::Request {
        return Err(Malformed::UnexpectedKind(header.kind));
    }
    let Some(body) = bytes.get(header.header_len..header.packet_len()) else {
        return Ok(None);
    };
    let values = decode_values(body)?;
    let answer = match header.kind {
        Kind::Fault => fault(values)?,
        _ => Answer::Reply(values),
    };
    Ok(Some((header, answer)))
}

fn decode_values(body: &[u8]) -> Result<Vec<Node>, Malformed> {
    let mut reader = Reader::new(body);
    std::iter::from_fn(|| next_value(&mut reader, &mut Nodes).transpose()).collect()
}

fn fault(values: Vec<Node>) -> Result<Answer, Malformed> {
    match <[Node; 2]>::try_from(values) {
        Ok([Node::Int(code), Node::Str(reason)]) => Ok(Answer::Fault { code, reason }),
        _ => Err(Defect::NotAFault.at(0)),
    }
}

struct Nodes;

impl Assemble for Nodes {
    type Name = Vec<u8>;
    type Value = Node;

    fn name(&mut self, name: &[u8]) -> Vec<u8> {
        name.to_vec()
    }

    fn scalar(&mut self, scalar: Scalar<'_>) -> Node {
        match scalar {
            Scalar::Int(number) => Node::Int(number),
            Scalar::Double(number) => Node::Double(number),
            Scalar::Str(text) => Node::Str(text.to_vec()),
            Scalar::Bytes(bytes) => Node::Bytes(bytes.to_vec()),
        }
    }

    fn structure(&mut self, members: Vec<(Option<Vec<u8>>, Node)>) -> Node {
        Node::Struct(members)
    }

    fn array(&mut self, values: Vec<Node>) -> Node {
        Node::Array(values)
    }
}

impl Answer {
    /// The values of a reply. A fault has none.
    #[must_use]
    pub fn values(&self) -> &[Node] {
        match self {
            Self::Reply(values) => values,
            Self::Fault { .. } => &[],
        }
    }
}

impl Node {
    /// The first member of a struct with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Struct(members) = self else {
            return None;
        };
        members
            .iter()
            .find(|(member, _)| member.as_deref() == Some(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The members of a struct or an array, without their names.
    pub fn members(&self) -> impl Iterator<Item = &Self> {
        let (named, unnamed): (&[_], &[_]) = match self {
            Self::Struct(members) => (members, &[]),
            Self::Array(values) => (&[], values),
            _ => (&[], &[]),
        };
        named.iter().map(|(_, value)| value).chain(unnamed)
    }

    /// The text of a str that is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// The number of an int.
    #[must_use]
    pub fn as_int(&self) -> Option<i32> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The number of a double.
    #[must_use]
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }
}

/// Writes a line for each value, with members indented below their struct.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(values) => values.iter().try_for_each(|value| writeln!(f, "{value}")),
            Self::Fault { code, reason } => {
                writeln!(f, "fault {code}: {}", String::from_utf8_lossy(reason))
            }
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.indented(0, f)
    }
}

impl Node {
    /// Writes the value. It recurses as deep as the answer is nested, which decoding
    /// has limited.
    fn indented(&self, level: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = "  ".repeat(level + 1);
        let outer = &inner[2..];
        match self {
            Self::Int(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number:.3}"),
            Self::Str(text) => write!(f, "{}", String::from_utf8_lossy(text)),
            Self::Bytes(bytes) => write!(f, "{}", bytes.escape_ascii()),
            Self::Struct(members) => {
                writeln!(f, "{{")?;
                for (name, value) in members {
                    write!(f, "{inner}")?;
                    if let Some(name) = name {
                        write!(f, "{}: ", String::from_utf8_lossy(name))?;
                    }
                    value.indented(level + 1, f)?;
                    writeln!(f)?;
                }
                write!(f, "{outer}}}")
            }
            Self::Array(values) => {
                writeln!(f, "[")?;
                for value in values {
                    write!(f, "{inner}")?;
                    value.indented(level + 1, f)?;
                    writeln!(f)?;
                }
                write!(f, "{outer}]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(packet: &[u8]) -> Answer {
        let (header, answer) = decode_answer(packet)
            .expect("a good packet")
            .expect("a whole packet");
        assert_eq!(header.packet_len(), packet.len());
        answer
    }

    #[test]
    fn a_reply_with_a_struct() {
        let answer = answer(
            b"\xa1\x10\x18\x07\x31ok\0\x03\x25n\0\x10\x2a\x25d\0\x22\x05\xdc\x25s\0\x04\x10\x01\x84\x83",
        );
        let [ok, members] = answer.values() else {
            panic!("two values, not {answer:?}");
        };
        assert_eq!(ok.as_str(), Some("ok"));
        assert_eq!(members.get("n").and_then(Node::as_int), Some(42));
        assert_eq!(members.get("d").and_then(Node::as_double), Some(1.5));
        assert_eq!(members.get("s"), Some(&Node::Array(vec![Node::Int(1)])));
        assert_eq!(members.get("x"), None);
        assert_eq!(members.members().count(), 3);
    }

    #[test]
    fn values_without_names_in_a_struct() {
        assert_eq!(
            answer(b"\xa1\x10\x07\x00\x03\x10\x01\x15\0\x00\x83"),
            Answer::Reply(vec![Node::Struct(vec![
                (None, Node::Int(1)),
                (Some(Vec::new()), Node::Int(0)),
            ])])
        );
    }

    #[test]
    fn a_fault() {
        assert_eq!(
            answer(b"\xa1\x30\x07\x09\x20\x01\x90\x31no\0"),
            Answer::Fault {
                code: 400,
                reason: b"no".to_vec()
            }
        );
    }

    #[test]
    fn a_fault_of_something_else() {
        let no_fault = Err(Defect::NotAFault.at(0));
        assert_eq!(decode_answer(b"\xa1\x30\x00\x09"), no_fault);
        assert_eq!(decode_answer(b"\xa1\x30\x01\x09\x00"), no_fault);
        assert_eq!(decode_answer(b"\xa1\x30\x05\x09\x31no\0\x00"), no_fault);
    }

    #[test]
    fn every_start_of_an_answer_wants_more() {
        let whole = b"\xa1\x10\x04\x07\x31ok\0";
        for len in 0..whole.len() {
            assert_eq!(decode_answer(&whole[..len]), Ok(None), "{len} bytes");
        }
    }

    #[test]
    fn the_next_answer_is_left_alone() {
        let two = b"\xa1\x10\x01\x07\x00\xa1\x10\x00\x08";
        let (header, answer) = decode_answer(two)
            .expect("a good packet")
            .expect("a whole packet");
        assert_eq!(answer, Answer::Reply(vec![Node::Int(0)]));
        assert_eq!(header.packet_len(), 5);
    }

    #[test]
    fn a_request_is_no_answer() {
        assert_eq!(
            decode_answer(b"\xa1\x00\x00\x07"),
            Err(Malformed::UnexpectedKind(Kind::Request))
        );
    }

    #[test]
    fn an_answer_is_shown_a_line_a_value() {
        let shown =
            answer(b"\xa1\x10\x13\x07\x31ok\0\x03\x25n\0\x03\x25d\0\x22\x05\xdc\x10\x01\x83\x83")
                .to_string();
        assert_eq!(shown, "ok\n{\n  n: {\n    d: 1.500\n    1\n  }\n}\n");
        assert_eq!(
            answer(b"\xa1\x30\x07\x09\x20\x01\x90\x31no\0").to_string(),
            "fault 400: no\n"
        );
    }
}
