//! Comparing the answers of two servers to the same request.

use rpc_wire::binrpc::client::{Answer, Node};

use crate::additions;
use crate::binrpc::decode;
use crate::volatile::{self, Volatile};

/// The difference between two answers to `method`, or `None` if they are alike.
///
/// They are alike if the packets are equal byte for byte. Packets that are not are
/// decoded only if the method is in the table of [`volatile`] values. Then everything
/// but those values must be equal, and those must have the same type. The list of
/// commands is decoded, too, and compared without the commands that our modules
/// [add](additions).
#[must_use]
pub fn difference(method: &str, theirs: &[u8], ours: &[u8]) -> Option<String> {
    if theirs == ours {
        return None;
    }
    let masks = volatile::of(method);
    let lists = method == additions::LIST;
    let (their_text, mut our_text) = (masked(theirs, &masks), masked(ours, &masks));
    if let (true, Ok((_, Answer::Reply(values)))) = (lists, &mut our_text) {
        additions::take_out(values);
    }
    let alike = (lists || !masks.is_empty()) && their_text.is_ok() && their_text == our_text;
    (!alike).then(|| lines_that_differ(&their_text, &our_text) + &bytes_that_differ(theirs, ours))
}

/// The cookie, and the answer without its volatile values. For a malformed packet it is
/// the defect, and such a packet is never alike.
type Masked = Result<(u32, Answer), String>;

fn masked(packet: &[u8], masks: &[&Volatile]) -> Masked {
    let (header, mut answer) = decode(packet).map_err(|error| error.to_string())?;
    if let Answer::Reply(values) = &mut answer {
        for mask in masks {
            mask.each(values, &mut blank);
        }
    }
    Ok((header.cookie, answer))
}

/// Removes everything of a value but its type.
fn blank(node: &mut Node) {
    match node {
        Node::Int(number) => *number = 0,
        Node::Double(number) => *number = 0.0,
        Node::Str(text) | Node::Bytes(text) => text.clear(),
        Node::Struct(members) => members.clear(),
        Node::Array(values) => values.clear(),
    }
}

fn lines_that_differ(theirs: &Masked, ours: &Masked) -> String {
    let (theirs, ours) = (shown(theirs), shown(ours));
    let (theirs, ours): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    let middle = Middle::of(&theirs, &ours);
    format!(
        "--- theirs, line {}\n{}\n--- ours\n{}\n",
        middle.head,
        cut(&theirs[middle.range(&theirs)].join("\n")),
        cut(&ours[middle.range(&ours)].join("\n")),
    )
}

fn bytes_that_differ(theirs: &[u8], ours: &[u8]) -> String {
    let middle = Middle::of(theirs, ours);
    format!(
        "--- theirs, byte {}\n{}\n--- ours\n{}\n",
        middle.head,
        cut(&hex(&theirs[middle.range(theirs)])),
        cut(&hex(&ours[middle.range(ours)])),
    )
}

/// The part between an equal start and an equal end.
struct Middle {
    head: usize,
    tail: usize,
}

impl Middle {
    fn of<T: PartialEq>(left: &[T], right: &[T]) -> Self {
        let equal = |(left, right): &(&T, &T)| left == right;
        let head = left.iter().zip(right).take_while(equal).count();
        let rest = |whole: &[T]| whole.len() - head;
        let tail = left
            .iter()
            .rev()
            .zip(right.iter().rev())
            .take_while(equal)
            .count();
        Self {
            head,
            tail: tail.min(rest(left)).min(rest(right)),
        }
    }

    fn range<T>(&self, whole: &[T]) -> std::ops::Range<usize> {
        self.head..whole.len() - self.tail
    }
}

fn shown(packet: &Masked) -> String {
    match packet {
        Ok((cookie, answer)) => format!("cookie {cookie}\n{answer}"),
        Err(error) => format!("malformed: {error}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(1000) {
        Some((end, _)) => format!("{}... ({} characters)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two replies with cookie 1: `{uptime: N}`.
    fn uptime(seconds: u8) -> Vec<u8> {
        let body = [b"\x03\x75uptime\0".as_slice(), &[0x10, seconds], b"\x83"].concat();
        [&[0xa1, 0x10, body.len() as u8, 1], body.as_slice()].concat()
    }

    #[test]
    fn volatile_values_may_differ_only_where_the_table_says_so() {
        assert_eq!(difference("core.uptime", &uptime(1), &uptime(2)), None);
        assert!(difference("core.echo", &uptime(1), &uptime(2)).is_some());
    }

    #[test]
    fn volatile_values_have_one_type() {
        let text = b"\xa1\x10\x0b\x01\x03\x75uptime\0\x11\0\x83";
        assert!(difference("core.uptime", &uptime(1), text).is_some());
    }

    #[test]
    fn malformed_packets_are_alike_to_nothing() {
        let cut = &uptime(1)[..8];
        let other = &uptime(2)[..7];
        assert!(difference("core.uptime", cut, other).is_some());
    }

    #[test]
    fn only_what_differs_is_shown() {
        let shown = difference("core.echo", &uptime(1), &uptime(2)).expect("a difference");
        assert!(
            shown.contains("line 2\n  uptime: 1\n--- ours\n  uptime: 2\n"),
            "{shown}"
        );
        assert!(shown.contains("byte 14\n01\n--- ours\n02\n"), "{shown}");
    }

    #[test]
    fn the_cookie_counts() {
        let mut other = uptime(1);
        other[3] = 2;
        assert!(difference("core.uptime", &uptime(1), &other).is_some());
    }
}
