//! Fuzzes documents as a server receives them, under both rules. What was read is
//! answered with the same values, and each answer must be JSON with the same id.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpc_wire::ScanState;
use rpc_wire::jsonrpc::{
    BYTE_ORDER_MARK, Document, Form, Found, Id, MAX_LEN, Request, Strictness, Verdict,
    encode_answer, encode_refusal, find, find_on, http_status, is_answer, is_request,
};
use rpc_wire::value::{Params, Reply};
use serde_json::value::RawValue;

#[path = "../../wire/tests/jsonrpc/echo.rs"]
mod echo;

use echo::echo_all;

fuzz_target!(|bytes: &[u8]| {
    comes_in_pieces(bytes);
    assert!(!(is_request(bytes) && is_answer(bytes)));
    let document = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let is_json = serde_json::from_slice::<&RawValue>(document).is_ok();
    let lenient = all(bytes, Strictness::AsC);
    let strict = all(bytes, Strictness::Specification);
    // If all of it is JSON, only names in another case are read differently.
    let may_differ = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'\\');
    if !is_json {
        assert!(strict.is_empty());
    } else if !bytes.iter().any(may_differ) {
        assert_eq!(strict, lenient);
    }
});

/// Checks that the end of a document is found at the same place when it comes byte by
/// byte.
fn comes_in_pieces(bytes: &[u8]) {
    let mut scan = ScanState::default();
    let found = (1..=bytes.len())
        .map(|end| find_on(&bytes[..end], &mut scan))
        .find(|found| *found != Found::More);
    if let Some(Found::Document(len)) = found {
        assert_eq!(find(bytes), Found::Document(len));
    }
}

/// The answers to those requests of a document that may run.
fn all(bytes: &[u8], strictness: Strictness) -> Vec<Vec<u8>> {
    let mut document = Document::parse(bytes, strictness, MAX_LEN);
    let is_batch = document.is_batch();
    let mut params = Params::new();
    let mut answers = Vec::new();
    let mut count = 0;
    while let Some(request) = document.next_request(&mut params) {
        count += 1;
        // A request that may run is answered over UDP, too.
        assert!(is_request(bytes) || !matches!(request.verdict, Verdict::Run(_)));
        if let Some(answer) = one(&request, &params) {
            answers.push(answer);
        }
    }
    assert!(if is_batch { count > 0 } else { count == 1 });
    answers
}

fn one(request: &Request<'_>, params: &Params) -> Option<Vec<u8>> {
    let id = request.answer_id();
    let mut out = Vec::new();
    let method = match request.verdict {
        Verdict::Run(method) => method,
        Verdict::Ignore => return None,
        Verdict::Refuse(refusal) => {
            encode_refusal(refusal, id, Form::Compact, &mut out);
            check(&out, id);
            return None;
        }
    };
    let mut reply = Reply::new();
    echo_all(params, &mut reply);
    for form in [Form::Compact, Form::Pretty, Form::PrettyLines] {
        out.clear();
        encode_answer(&reply, true, id, form, &mut out);
        check(&out, id);
    }
    reply.set_fault(500, params.text(method));
    let (code, text) = http_status(&reply);
    assert!(code == 500 && !text.contains(['\r', '\n']));
    Some(out)
}

fn check(answer: &[u8], id: Option<&Id<'_>>) {
    let answer: &RawValue = serde_json::from_slice(answer).expect("JSON");
    if let Some(id) = id {
        let id = std::str::from_utf8(id.as_json()).expect("text");
        let end = answer.get().trim_end_matches(['\n', '}']);
        assert!(end.ends_with(id));
    }
}
