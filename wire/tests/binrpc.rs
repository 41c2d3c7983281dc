//! What holds for every BINRPC packet.

use proptest::collection::vec;
use proptest::prelude::*;
use rpc_wire::binrpc::client::{
    Answer, Arg, Node, decode_answer, encode_request, encode_request_padded,
};
use rpc_wire::binrpc::{Header, Kind, Widths, decode_request, encode_answer, encode_fault};
use rpc_wire::value::{Container, Param, Params, Parent, Reply, Scalar};

/// A value as a command adds it.
#[derive(Clone, Debug)]
enum Added {
    Int(i32),
    Float(f64),
    Text(Vec<u8>),
    Null,
    Members(Container, Vec<(Option<Vec<u8>>, Added)>),
}

impl Added {
    fn add(&self, reply: &mut Reply, parent: Parent, name: Option<&[u8]>) {
        let scalar = match self {
            Self::Int(number) => Scalar::Int(*number),
            Self::Float(number) => Scalar::Float(*number),
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

    /// What a client reads of it.
    fn received(&self) -> Node {
        match self {
            Self::Int(number) => Node::Int(*number),
            Self::Float(number) => Node::Double((number * 1000.0).trunc() / 1000.0),
            Self::Text(text) => Node::Str(text.clone()),
            Self::Null => Node::Str(b"<null string>".to_vec()),
            Self::Members(_, members) => Node::Struct(
                members
                    .iter()
                    .map(|(name, member)| (name.clone(), member.received()))
                    .collect(),
            ),
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..12), vec(any::<u8>(), 250..260)]
}

fn added() -> impl Strategy<Value = Added> {
    let scalar = prop_oneof![
        any::<i32>().prop_map(Added::Int),
        (-1e12..1e12).prop_map(Added::Float),
        text().prop_map(Added::Text),
        Just(Added::Null),
    ];
    scalar.prop_recursive(6, 64, 8, |member| {
        let members = vec((proptest::option::of(text()), member), 0..8);
        let kind = prop_oneof![Just(Container::Struct), Just(Container::Array)];
        (kind, members).prop_map(|(kind, members)| Added::Members(kind, members))
    })
}

fn arg() -> impl Strategy<Value = Arg> {
    let scalar = prop_oneof![
        any::<i32>().prop_map(Arg::Int),
        // Thousandths survive the journey; other fractions do not.
        any::<i32>().prop_map(|thousandths| Arg::Double(f64::from(thousandths) / 1000.0)),
        text().prop_map(Arg::Str),
        text().prop_map(Arg::Bytes),
    ];
    scalar.prop_recursive(6, 64, 8, |member| {
        prop_oneof![
            vec(member.clone(), 0..8).prop_map(Arg::Array),
            vec(("[a-z]{0,9}", member), 0..8).prop_map(Arg::Struct),
        ]
    })
}

fn widths() -> impl Strategy<Value = Widths> {
    (2..=4_usize, 1..=4_usize).prop_map(|(body_len, cookie)| Widths { body_len, cookie })
}

/// Whether the server read what the client sent.
fn arrived(sent: &Arg, param: &Param, params: &Params) -> bool {
    match (sent, param) {
        (Arg::Int(sent), Param::Int(got)) => i64::from(*sent) == *got,
        (Arg::Double(sent), Param::Float(got)) => (sent - got).abs() < 0.0011,
        (Arg::Str(sent), Param::Text(got)) | (Arg::Bytes(sent), Param::Bytes(got)) => {
            sent == params.text(*got)
        }
        (Arg::Array(sent), Param::Array(got)) => all_arrived(sent, got, params),
        (Arg::Struct(sent), Param::Struct(got)) => {
            sent.len() == got.len()
                && sent.iter().zip(got).all(|((name, sent), member)| {
                    member.name.map(|name| params.text(name)) == Some(name.as_bytes())
                        && arrived(sent, &member.value, params)
                })
        }
        _ => false,
    }
}

fn all_arrived(sent: &[Arg], got: &[Param], params: &Params) -> bool {
    sent.len() == got.len()
        && sent
            .iter()
            .zip(got)
            .all(|(sent, got)| arrived(sent, got, params))
}

proptest! {
    #[test]
    fn no_bytes_break_the_server(body in vec(any::<u8>(), 0..200)) {
        let mut params = Params::new();
        match decode_request(&body, &mut params) {
            Ok(method) => prop_assert!(params.text(method).len() < body.len()),
            Err(malformed) => prop_assert!(!malformed.c_text().is_empty()),
        }
        prop_assert!(params.items().len() <= body.len());
    }

    #[test]
    fn no_bytes_break_the_client(mut packet in vec(any::<u8>(), 2..200), is_fault: bool) {
        packet[0] = 0xa1;
        packet[1] = if is_fault { 0x30 } else { 0x10 };
        // All that is left to check is that it returns.
        let _ = decode_answer(&packet);
    }

    #[test]
    fn a_request_arrives_as_it_was_sent(
        method in text(),
        args in vec(arg(), 0..6),
        cookie in 0..=0xff_u32,
        widths in widths(),
    ) {
        let packet = encode_request_padded(&method, &args, cookie, widths);
        let packet = match packet {
            Ok(packet) => packet,
            Err(_) => encode_request(&method, &args, cookie).expect("a short request"),
        };
        let header = Header::parse(&packet).expect("a good header").expect("a whole header");
        prop_assert_eq!(header.kind, Kind::Request);
        prop_assert_eq!(header.cookie, cookie);
        prop_assert_eq!(header.packet_len(), packet.len());

        let mut params = Params::new();
        let got = decode_request(&packet[header.header_len..], &mut params);
        prop_assert_eq!(got.map(|method| params.text(method)), Ok(&method[..]));
        prop_assert!(all_arrived(&args, params.items(), &params));
    }

    #[test]
    fn a_reply_arrives_as_it_was_added(values in vec(added(), 0..6), cookie: u32) {
        let mut reply = Reply::new();
        for value in &values {
            value.add(&mut reply, Parent::Top, None);
        }
        let mut packet = Vec::new();
        encode_answer(&reply, cookie, &mut packet).expect("a short reply");

        let (header, answer) = decode_answer(&packet).expect("a good packet").expect("a whole one");
        prop_assert_eq!(header.packet_len(), packet.len());
        prop_assert_eq!(header.cookie, cookie);
        let received = values.iter().map(Added::received).collect();
        prop_assert_eq!(answer, Answer::Reply(received));
    }

    #[test]
    fn a_fault_arrives_as_it_was_given(code: i32, reason in text(), cookie: u32) {
        let mut packet = Vec::new();
        encode_fault(code, &reason, cookie, &mut packet).expect("a short fault");
        let arrived = decode_answer(&packet).expect("a good packet").expect("a whole one");
        prop_assert_eq!(arrived.1, Answer::Fault { code, reason });
    }

    #[test]
    fn a_packet_cut_short_wants_more(values in vec(added(), 0..4), cookie: u32, cut: prop::sample::Index) {
        let mut reply = Reply::new();
        for value in &values {
            value.add(&mut reply, Parent::Top, None);
        }
        let mut packet = Vec::new();
        encode_answer(&reply, cookie, &mut packet).expect("a short reply");
        prop_assert_eq!(decode_answer(&packet[..cut.index(packet.len())]), Ok(None));
    }

    #[test]
    fn a_header_is_as_narrow_as_it_can_be(reason in text(), cookie: u32) {
        let mut packet = Vec::new();
        encode_fault(400, &reason, cookie, &mut packet).expect("a short fault");
        let header = Header::parse(&packet).expect("a good header").expect("a whole header");
        let bytes = |number: u32| (number.checked_ilog(256).unwrap_or(0) + 1) as usize;
        prop_assert_eq!(header.header_len, 2 + bytes(header.body_len as u32) + bytes(cookie));
    }
}
