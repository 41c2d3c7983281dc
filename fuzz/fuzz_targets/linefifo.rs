//! Fuzzes bytes as a server and as a client receive them in the line protocol. What was
//! read as a request is written again and must be read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpc_wire::linefifo::client::{Answer, Arg, Unsendable, encode_request};
use rpc_wire::linefifo::{
    Decoded, NamedText, Request, decode, decode_datagram, is_request, parse_struct,
};
use rpc_wire::value::{Param, Params};

fuzz_target!(|bytes: &[u8]| {
    stream(bytes);
    let mut params = Params::new();
    match decode_datagram(bytes, &mut params) {
        Ok(request) => {
            assert!(request.used <= bytes.len());
            let method = params.text(request.method);
            assert!(is_request(bytes) || method.iter().any(|byte| *byte <= b' '));
        }
        Err(malformed) => assert_eq!(malformed.skip, bytes.len()),
    }
    if let Ok(answer) = Answer::parse(bytes) {
        for line in answer.lines {
            let _ = (line.text(), line.members(), line.named_members());
        }
    }
});

fn stream(mut input: &[u8]) {
    while !input.is_empty() {
        let mut params = Params::new();
        let used = match decode(input, &mut params) {
            Ok(Decoded::More) => break,
            Ok(Decoded::Blank(len)) => len,
            Ok(Decoded::Request(request)) => {
                again(&request, &params);
                request.used
            }
            Err(malformed) => malformed.skip,
        };
        assert!(used > 0);
        input = &input[used..];
    }
}

fn again(request: &Request, params: &Params) {
    let args: Vec<Arg> = texts(params).map(|text| Arg::Text(text.to_vec())).collect();
    for param in params.items() {
        if let Param::Line { raw, .. } = param {
            if let Ok(members) = parse_struct(params.text(*raw)) {
                structure(members);
            }
        }
    }
    let method = params.text(request.method);
    let reply_file = request.reply_file.map(|name| params.text(name));
    let bytes = match encode_request(method, reply_file, &args) {
        Ok(bytes) => bytes,
        // A lone CR is read in a name, but never written.
        Err(Unsendable::Method | Unsendable::ReplyFile) => return,
        Err(error) => panic!("{error}"),
    };
    let mut params_again = Params::new();
    let request = decode_datagram(&bytes, &mut params_again).expect("a request of ours");
    assert_eq!(params_again.text(request.method), method);
    assert!(texts(&params_again).eq(texts(params)));
}

fn structure(members: Vec<NamedText>) {
    let arg = Arg::Struct(members.clone());
    let bytes = encode_request(b"m", None, &[arg]).expect("a structure is sendable");
    let mut params = Params::new();
    decode_datagram(&bytes, &mut params).expect("a request of ours");
    let [Param::Line { raw, .. }] = params.items() else {
        panic!("one line was sent");
    };
    assert_eq!(parse_struct(params.text(*raw)), Ok(members));
}

fn texts(params: &Params) -> impl Iterator<Item = &[u8]> {
    params.items().iter().map(|param| match param {
        Param::Line { text, .. } => params.text(*text),
        other => panic!("{other:?} is no text"),
    })
}
