//! What holds for every request and reply of the line protocol.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use rpc_wire::linefifo::client::{Answer, Arg, encode_request};
use rpc_wire::linefifo::{
    Decoded, Request, decode, decode_datagram, encode_answer, encode_fault, parse_struct,
};
use rpc_wire::value::{Container, Param, Params, Parent, Reply, Scalar};

/// A value as a command adds it.
#[derive(Clone, Debug)]
enum Added {
    Int(i32),
    Text(Vec<u8>),
    Null,
    Members(Container, Vec<Member>),
}

type Member = (Option<Vec<u8>>, Added);

impl Added {
    fn add(&self, reply: &mut Reply, parent: Parent, name: Option<&[u8]>) {
        let scalar = match self {
            Self::Int(number) => Scalar::Int(*number),
            Self::Text(text) => Scalar::Text(text),
            Self::Null => Scalar::Null,
            Self::Members(kind, members) => {
                let node = reply.open(parent, name, *kind).expect("room");
                for (name, member) in members {
                    member.add(reply, Parent::Node(node), name.as_deref());
                }
                return;
            }
        };
        reply.push(parent, name, scalar).expect("room");
    }

    fn text(&self) -> Option<Vec<u8>> {
        match self {
            Self::Int(number) => Some(number.to_string().into_bytes()),
            Self::Text(text) => Some(text.clone()),
            Self::Null => Some(b"<null string>".to_vec()),
            Self::Members(..) => None,
        }
    }
}

/// A line and what it must say.
#[derive(Debug, PartialEq)]
enum Told {
    Text(Vec<u8>),
    Outer(Vec<(Option<Vec<u8>>, Vec<u8>)>),
    Inner(Vec<u8>, Vec<(Option<Vec<u8>>, Vec<u8>)>),
}

/// Writes the lines of a reply the plain way.
fn told(values: &[Added]) -> Vec<Told> {
    let mut lines = Vec::new();
    for value in values {
        match value {
            Added::Members(_, members) => {
                lines.push(Told::Outer(own(members)));
                tell_inner(members, &mut lines);
            }
            scalar => lines.extend(scalar.text().map(Told::Text)),
        }
    }
    lines
}

fn own(members: &[Member]) -> Vec<(Option<Vec<u8>>, Vec<u8>)> {
    let scalar = |(name, value): &Member| value.text().map(|text| (name.clone(), text));
    members.iter().filter_map(scalar).collect()
}

fn tell_inner(members: &[Member], lines: &mut Vec<Told>) {
    for (name, value) in members {
        if let Added::Members(_, inner) = value {
            lines.push(Told::Inner(name.clone().unwrap_or_default(), own(inner)));
            tell_inner(inner, lines);
        }
    }
}

/// Texts that often have the characters with a meaning.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let special = proptest::sample::select(b":,\\\n\r\t\0co ".to_vec());
    vec(prop_oneof![special, any::<u8>()], 0..10)
}

fn added() -> impl Strategy<Value = Added> {
    let scalar = prop_oneof![
        any::<i32>().prop_map(Added::Int),
        text().prop_map(Added::Text),
        Just(Added::Null),
    ];
    scalar.prop_recursive(6, 64, 8, |member| {
        let members = vec((option::of(text()), member), 0..8);
        let kind = prop_oneof![Just(Container::Struct), Just(Container::Array)];
        (kind, members).prop_map(|(kind, members)| Added::Members(kind, members))
    })
}

fn name(characters: &'static str) -> impl Strategy<Value = Vec<u8>> {
    characters.prop_map(String::into_bytes)
}

fn arg() -> impl Strategy<Value = Arg> {
    let non_empty = text().prop_filter("an empty line", |text| !text.is_empty());
    prop_oneof![
        non_empty.prop_map(Arg::Text),
        vec((text(), text()), 1..5).prop_map(Arg::Struct),
    ]
}

#[derive(Clone, Debug)]
struct Sent {
    method: Vec<u8>,
    reply_file: Option<Vec<u8>>,
    args: Vec<Arg>,
    has_cr: bool,
}

fn sent() -> impl Strategy<Value = Sent> {
    let reply_file = option::of(name("[a-z:\\\\. ]{1,9}"));
    let parts = (
        name("[a-z._ ]{1,9}"),
        reply_file,
        vec(arg(), 0..4),
        any::<bool>(),
    );
    parts.prop_map(|(method, reply_file, args, has_cr)| Sent {
        method,
        reply_file,
        args,
        has_cr,
    })
}

impl Sent {
    fn bytes(&self) -> Vec<u8> {
        let request = encode_request(&self.method, self.reply_file.as_deref(), &self.args);
        let request = request.expect("a request");
        let end: &[u8] = if self.has_cr { b"\r\n" } else { b"\n" };
        let lines = request.split_inclusive(|byte| *byte == b'\n');
        lines.fold(Vec::new(), |out, line| {
            [&out, &line[..line.len() - 1], end].concat()
        })
    }

    fn arrived(&self, request: &Request, params: &Params) -> bool {
        let reply_file = request.reply_file.map(|name| params.text(name));
        let arrived = |(index, arg): (usize, &Arg)| match (arg, params.items().get(index)) {
            (Arg::Text(sent), Some(Param::Line { text, .. })) => sent == params.text(*text),
            (Arg::Struct(sent), Some(Param::Line { raw, .. })) => {
                parse_struct(params.text(*raw)).as_ref() == Ok(sent)
            }
            _ => false,
        };
        params.text(request.method) == self.method
            && reply_file == self.reply_file.as_deref()
            && params.items().len() == self.args.len()
            && self.args.iter().enumerate().all(arrived)
    }
}

/// Passes each request in `bytes` on as soon as a reader that gets `step` bytes at a
/// time has all of it.
fn receive(bytes: &[u8], step: usize, mut each: impl FnMut(&Request, &Params)) {
    let mut input = Vec::new();
    for piece in bytes.chunks(step) {
        input.extend_from_slice(piece);
        loop {
            let mut params = Params::new();
            let used = match decode(&input, &mut params).expect("good requests") {
                Decoded::More => break,
                Decoded::Blank(len) => len,
                Decoded::Request(request) => {
                    each(&request, &params);
                    request.used
                }
            };
            input.drain(..used);
        }
    }
    assert!(input.is_empty(), "left: {:?}", input.escape_ascii());
}

proptest! {
    #[test]
    fn requests_arrive_however_they_are_cut(
        sent in vec((0..3_usize, sent()), 0..5),
        step in 1..40_usize,
    ) {
        let mut bytes = Vec::new();
        for (blank, request) in &sent {
            bytes.extend(std::iter::repeat_n(b'\n', *blank));
            bytes.extend(request.bytes());
        }
        let mut expected = sent.iter();
        receive(&bytes, step, |request, params| {
            let (_, sent) = expected.next().expect("no more requests than were sent");
            assert!(sent.arrived(request, params), "{sent:?} {params:?}");
        });
        prop_assert!(expected.next().is_none());
    }

    #[test]
    fn a_datagram_arrives_as_it_was_sent(sent in sent(), rest in text()) {
        let datagram = sent.bytes();
        let whole = datagram.len();
        let mut params = Params::new();
        let request = decode_datagram(&[datagram, rest].concat(), &mut params);
        let request = request.expect("a good request");
        prop_assert_eq!(request.used, whole);
        prop_assert!(sent.arrived(&request, &params));
    }

    #[test]
    fn what_follows_a_request_does_not_change_it(
        start in prop_oneof![Just(b"".to_vec()), Just(b":m:f\n".to_vec())],
        lines in vec((text(), prop_oneof![Just("\n"), Just("\r\n")]), 0..8),
    ) {
        let mut input = start;
        for (line, end) in lines {
            input.extend(line);
            input.extend(end.bytes());
        }
        match decode(&input, &mut Params::new()) {
            Ok(Decoded::Request(request)) => {
                let alone = decode(&input[..request.used], &mut Params::new());
                prop_assert_eq!(alone, Ok(Decoded::Request(request.clone())));
                for len in 0..request.used {
                    let part = decode(&input[..len], &mut Params::new());
                    prop_assert_eq!(part, Ok(Decoded::More));
                }
            }
            Ok(Decoded::Blank(len)) => prop_assert!(0 < len && len <= input.len()),
            Ok(Decoded::More) => {}
            Err(malformed) => prop_assert!(0 < malformed.skip && malformed.skip <= input.len()),
        }
    }

    #[test]
    fn no_bytes_break_the_server(input in vec(any::<u8>(), 0..200)) {
        let mut params = Params::new();
        if let Err(malformed) = decode_datagram(&input, &mut params) {
            prop_assert_eq!(malformed.skip, input.len());
            prop_assert!(!malformed.to_string().contains(char::is_control));
        }
        if let Ok(members) = parse_struct(&input) {
            let line = encode_request(b"m", None, &[Arg::Struct(members.clone())]);
            let line = line.expect("a request");
            prop_assert_eq!(parse_struct(&line[4..line.len() - 2]), Ok(members));
        }
    }

    #[test]
    fn no_bytes_break_the_client(mut answer in vec(any::<u8>(), 0..200)) {
        answer.splice(..0, *b"200 ");
        answer.push(b'\n');
        for line in Answer::parse(&answer).map(|answer| answer.lines).unwrap_or_default() {
            // All that is left to check is that they return.
            let _ = (line.text(), line.members(), line.named_members());
        }
    }

    #[test]
    fn a_reply_arrives_as_it_was_added(values in vec(added(), 0..6)) {
        let mut reply = Reply::new();
        for value in &values {
            value.add(&mut reply, Parent::Top, None);
        }
        let mut bytes = Vec::new();
        encode_answer(&reply, &mut bytes);

        let answer = Answer::parse(&bytes).expect("a good answer");
        prop_assert_eq!(answer.code, 200);
        prop_assert_eq!(&answer.reason, b"OK");
        let expected = told(&values);
        prop_assert_eq!(answer.lines.len(), expected.len());
        for (line, told) in answer.lines.iter().zip(expected) {
            let read = match told {
                Told::Text(_) => line.text().map(Told::Text),
                Told::Outer(_) => line.members().map(Told::Outer),
                Told::Inner(..) => line.named_members().map(|(name, own)| Told::Inner(name, own)),
            };
            prop_assert_eq!(read, Ok(told));
        }
    }

    #[test]
    fn a_fault_is_one_line(code: i32, reason in text()) {
        let mut bytes = Vec::new();
        encode_fault(code, &reason, &mut bytes);
        let answer = Answer::parse(&bytes).expect("a good fault");
        prop_assert_eq!(answer, Answer { code, reason, lines: Vec::new() });
    }
}
