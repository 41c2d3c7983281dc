//! The rule by which the line protocol writes values. The lines are derived from
//! BINRPC's values and the documented format, independently of the codec.

use rpc_wire::binrpc::client::Node;

/// A value whose text follows from BINRPC's, as far as that is possible.
#[derive(Debug)]
enum Cell<'a> {
    Text(&'a [u8]),
    /// An integer of 32 bits. BINRPC does not tell whether it is signed.
    Int(i32),
    /// A float, of which BINRPC has three decimals.
    Double(f64),
    /// A value that differs each time.
    Any,
}

/// A line of a reply.
#[derive(Debug)]
enum Line<'a> {
    /// A value that is not a structure.
    Value(Cell<'a>),
    /// A structure or an array, with its name if it is inside another.
    Members {
        within: Option<&'a [u8]>,
        members: Vec<(Option<&'a [u8]>, Cell<'a>)>,
    },
    /// A structure that differs each time, even in its members.
    Any,
}

/// The first difference between `reply` and the way in which these values must be
/// written, or `None`. [`volatile`] values may be anything.
pub(crate) fn fault_of(reply: &[u8], values: &[Node]) -> Option<String> {
    let mut expected = Vec::new();
    for value in values {
        put_lines(value, None, &mut expected);
    }
    let Some(text) = reply.strip_suffix(b"\n") else {
        return Some("the last line has no end".to_owned());
    };
    let mut lines = text.split(|byte| *byte == b'\n');
    if lines.next() != Some(b"200 OK") {
        return Some("it does not begin with 200 OK".to_owned());
    }
    let lines: Vec<&[u8]> = lines.collect();
    let wrong = expected
        .iter()
        .zip(&lines)
        .find(|(line, text)| !line.is(text));
    if let Some((line, text)) = wrong {
        return Some(format!("{} is no {line:?}", text.escape_ascii()));
    }
    let (wanted, found) = (expected.len(), lines.len());
    (wanted != found).then(|| format!("{wanted} lines were expected, not {found}"))
}

/// The placeholder of a value that differs each time. No command answers with bytes
/// that are not text.
pub(crate) fn volatile() -> Node {
    Node::Bytes(Vec::new())
}

/// Adds the line of a value, and the lines of the values inside it.
fn put_lines<'a>(value: &'a Node, within: Option<&'a [u8]>, lines: &mut Vec<Line<'a>>) {
    let members = match value {
        Node::Bytes(_) => return lines.push(Line::Any),
        Node::Struct(members) => members
            .iter()
            .map(|(name, value)| (name.as_deref(), value))
            .collect(),
        Node::Array(values) => values.iter().map(|value| (None, value)).collect(),
        scalar => return lines.extend(cell(scalar).map(Line::Value)),
    };
    let members: Vec<(Option<&[u8]>, &Node)> = members;
    let own = |(name, value): &(Option<&'a [u8]>, &'a Node)| Some((*name, cell(value)?));
    lines.push(Line::Members {
        within,
        members: members.iter().filter_map(own).collect(),
    });
    for (name, value) in members {
        if cell(value).is_none() {
            put_lines(value, Some(name.unwrap_or_default()), lines);
        }
    }
}

/// A value without members.
fn cell(value: &Node) -> Option<Cell<'_>> {
    match value {
        Node::Int(number) => Some(Cell::Int(*number)),
        Node::Double(number) => Some(Cell::Double(*number)),
        Node::Str(text) => Some(Cell::Text(text)),
        Node::Bytes(_) => Some(Cell::Any),
        Node::Struct(_) | Node::Array(_) => None,
    }
}

impl Line<'_> {
    fn is(&self, text: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::Value(cell) => cell.is(text, escaped),
            Self::Members { within, members } => {
                let rest = match within {
                    None => Some(text),
                    Some(name) => after_name(name, text),
                };
                rest.is_some_and(|rest| are_members(members, rest))
            }
        }
    }
}

fn are_members(members: &[(Option<&[u8]>, Cell<'_>)], text: &[u8]) -> bool {
    // A comma behind the last member shows an empty text without a name.
    let ends_empty = matches!(members, [.., (None, Cell::Text(b""))]);
    let text = match text.strip_suffix(b",") {
        Some(before) if ends_empty => before,
        None if ends_empty => return false,
        _ => text,
    };
    if members.is_empty() {
        return text.is_empty();
    }
    let parts: Vec<&[u8]> = text.split(|byte| *byte == b',').collect();
    let is_member = |((name, cell), part): (&(Option<&[u8]>, Cell<'_>), &&[u8])| {
        let value = match name {
            None => Some(*part),
            Some(name) => after_name(name, part),
        };
        value.is_some_and(|value| cell.is(value, escaped_member))
    };
    parts.len() == members.len() && members.iter().zip(&parts).all(is_member)
}

/// The text behind the name and its colon.
fn after_name<'a>(name: &[u8], text: &'a [u8]) -> Option<&'a [u8]> {
    text.strip_prefix(&*escaped_member(name))?
        .strip_prefix(b":")
}

impl Cell<'_> {
    fn is(&self, text: &[u8], escape: fn(&[u8]) -> Vec<u8>) -> bool {
        let ascii = std::str::from_utf8(text).unwrap_or_default();
        match self {
            Self::Any => true,
            Self::Text(expected) => escape(expected) == text,
            Self::Int(number) => {
                let unsigned = (*number as u32).to_string();
                ascii == number.to_string() || ascii == unsigned
            }
            Self::Double(number) => is_number(ascii) && is_near(ascii, *number),
        }
    }
}

/// Whether it is a whole number, or has six decimals.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.trim_start_matches('-').split_once('.') {
        None => digits(text.trim_start_matches('-')),
        Some((whole, decimals)) => digits(whole) && digits(decimals) && decimals.len() == 6,
    }
}

fn is_near(text: &str, number: f64) -> bool {
    let told: f64 = text.parse().unwrap_or(f64::NAN);
    (told - number).abs() <= 0.001
}

fn escaped(text: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b'\\' => br"\\".to_vec(),
        b'\n' => br"\n".to_vec(),
        b'\r' => br"\r".to_vec(),
        b'\t' => br"\t".to_vec(),
        0 => br"\0".to_vec(),
        other => vec![*other],
    };
    text.iter().flat_map(escape).collect()
}

fn escaped_member(text: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b':' => br"\o".to_vec(),
        b',' => br"\c".to_vec(),
        other => escaped(&[*other]),
    };
    text.iter().flat_map(escape).collect()
}
