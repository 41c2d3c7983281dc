//! What holds for every JSON-RPC document.

mod echo;
mod server;
mod specification;

use proptest::collection::vec;
use proptest::prelude::*;
use rpc_wire::jsonrpc::Strictness::{AsC, Specification};
use rpc_wire::jsonrpc::{
    Document, Form, Id, MAX_LEN, Name, Verdict, encode_answer, http_status, refusal_status,
};
use rpc_wire::value::{Container, Param, Params, Parent, Reply, Scalar};
use serde_json::{Map, Value, json};

use server::{parsed, result, serve};

const FORMS: [Form; 3] = [Form::Compact, Form::Pretty, Form::PrettyLines];

#[test]
fn a_megabyte_of_anything_is_answered() {
    let text = "x".repeat(MAX_LEN - 100);
    let document = format!(r#"{{"jsonrpc":"2.0","method":"echo","params":["{text}"],"id":1}}"#);
    let answer = serve(document.as_bytes(), Specification, Form::Compact).expect("an answer");
    assert_eq!(parsed(&answer)["result"], text);
    for (document, code) in [
        ("[".repeat(MAX_LEN), -32700),
        (r#"{"a":"#.repeat(MAX_LEN / 5), -32700),
        ("\\".repeat(MAX_LEN), -32700),
        ("\"".repeat(MAX_LEN), -32600),
        (
            "[1".to_owned() + &",1".repeat(MAX_LEN / 2 - 2) + "]",
            -32600,
        ),
        ("9".repeat(MAX_LEN), -32600),
        (" ".repeat(MAX_LEN), -32700),
        (" ".repeat(MAX_LEN + 1), -32700),
    ] {
        let answer = serve(document.as_bytes(), AsC, Form::Compact).expect("an answer");
        assert_eq!(parsed(&answer)["error"]["code"], code, "{}", &document[..5]);
    }
}

/// Any JSON value without floats, which are not written exactly.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    scalar.prop_recursive(8, 64, 8, |member| {
        prop_oneof![
            vec(member.clone(), 0..8).prop_map(Value::from),
            vec((text(), member), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Texts without NULs, which do not arrive.
fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..12).prop_map(|text| text.into_iter().filter(|c| *c != '\0').collect())
}

fn id() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

/// Bytes among which the troublesome ones are frequent.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b":",
        b",",
        b"\\",
        b"\\u",
        b"d800",
        b"-",
        b"0",
        b"1.",
        b"e",
        b"null",
        b"tru",
        b" ",
        b"\0",
        b"\xff",
        b"\x01",
        b"\"id\":",
        b"\"method\":\"echo\",",
        b"\"params\":[",
        b"\"jsonrpc\":\"2.0\",",
    ];
    vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

/// Whether an answer is JSON with the members of an answer.
fn is_answer(answer: &Value) -> bool {
    let Value::Object(members) = answer else {
        return false;
    };
    answer["jsonrpc"] == "2.0"
        && members.contains_key("result") != members.contains_key("error")
        && (answer.get("error").is_none() || answer["error"]["code"].is_i64())
}

fn all_answers(json: &[u8]) -> bool {
    match parsed(json) {
        Value::Array(answers) => !answers.is_empty() && answers.iter().all(is_answer),
        answer => is_answer(&answer),
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_server(document in prop_oneof![vec(any::<u8>(), 0..200), hostile()]) {
        for strictness in [AsC, Specification] {
            let answer = serve(&document, strictness, Form::Compact);
            prop_assert!(answer.is_none_or(|answer| all_answers(&answer)));
        }
    }

    #[test]
    fn a_good_request_that_is_damaged_is_answered(
        params in value(),
        id in id(),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let document = json!({"jsonrpc": "2.0", "method": "echo", "params": [params], "id": id});
        let mut document = document.to_string().into_bytes();
        let at = at.index(document.len());
        document[at] = byte;
        for form in FORMS {
            let answer = serve(&document, AsC, form).expect("an answer");
            prop_assert!(all_answers(&answer));
        }
    }

    #[test]
    fn values_and_ids_come_back_as_they_were_sent(params in value(), id in id()) {
        let document = json!({"jsonrpc": "2.0", "method": "echo", "params": [params], "id": id});
        for strictness in [AsC, Specification] {
            for form in FORMS {
                let answer = serve(document.to_string().as_bytes(), strictness, form);
                let answer = answer.expect("an answer");
                prop_assert_eq!(parsed(&answer), result(&params, &id));
            }
        }
    }

    #[test]
    fn the_id_has_the_same_bytes(id in id()) {
        let id = id.to_string();
        let document = format!(r#"{{"id":{id},"method":"m","jsonrpc":"2.0"}}"#);
        let mut params = Params::new();
        let request = Document::parse(document.as_bytes(), AsC, MAX_LEN).next_request(&mut params);
        let request = request.expect("a request");
        prop_assert_eq!(request.id.as_ref().map(Id::as_json), Some(id.as_bytes()));
        prop_assert_eq!((request.reply_name, request.store_path), (Name::Missing, Name::Missing));
    }

    #[test]
    fn floats_arrive_exactly(number: f64) {
        let document = json!({"jsonrpc": "2.0", "method": "m", "params": [number]}).to_string();
        let mut params = Params::new();
        Document::parse(document.as_bytes(), Specification, MAX_LEN).next_request(&mut params);
        let expected = if number.is_finite() { Param::Float(number) } else { Param::Null };
        prop_assert_eq!(params.items(), &[expected][..]);
    }

    #[test]
    fn floats_are_written_to_six_digits(number: f64) {
        let mut reply = Reply::new();
        reply.push(Parent::Top, None, Scalar::Float(number)).expect("room");
        let mut out = Vec::new();
        encode_answer(&reply, false, None, Form::Compact, &mut out);
        let written = &parsed(&out)["result"];
        match written.as_f64() {
            None => prop_assert!(written.is_null() && !number.is_finite()),
            Some(written) => {
                let error = (written - number).abs();
                prop_assert!(error <= 5e-7 * number.abs().max(1.0), "{number:e} as {written}");
            }
        }
    }

    #[test]
    fn what_is_json_is_read_by_both_rules_alike(value in value(), members in vec((text(), value()), 0..4)) {
        let mut document: Map<String, Value> = members.into_iter().collect();
        document.insert("params".to_owned(), value);
        document.insert("method".to_owned(), json!("echo"));
        document.insert("jsonrpc".to_owned(), json!("2.0"));
        document.insert("id".to_owned(), json!(1));
        let document = Value::Object(document).to_string();
        let read = |strictness| serve(document.as_bytes(), strictness, Form::Compact);
        prop_assert_eq!(read(AsC), read(Specification));
    }

    #[test]
    fn any_reply_is_json(texts in vec(vec(any::<u8>(), 0..20), 1..8), time: i64, number: f64, array: bool) {
        let mut reply = Reply::new();
        let mut parent = Parent::Top;
        for text in &texts {
            let name = (parent != Parent::Top).then_some(&text[..]);
            reply.push(parent, name, Scalar::Text(text)).expect("room");
            reply.push(parent, None, Scalar::Time(time)).expect("room");
            reply.push(parent, name, Scalar::Float(number)).expect("room");
            let kind = if text.len() % 2 == 0 { Container::Struct } else { Container::Array };
            parent = Parent::Node(reply.open(parent, name, kind).expect("room"));
        }
        for form in FORMS {
            let mut out = Vec::new();
            encode_answer(&reply, array, None, form, &mut out);
            prop_assert!(all_answers(&out));
        }
        reply.set_fault(time as i32, &texts[0]);
        let mut out = Vec::new();
        encode_answer(&reply, array, Some(&Id::NULL), Form::Compact, &mut out);
        prop_assert!(all_answers(&out));
        let (code, text) = http_status(&reply);
        prop_assert!((101..=999).contains(&code) && !text.contains(['\r', '\n']));
    }

    #[test]
    fn a_refusal_has_a_status(document in hostile()) {
        let mut params = Params::new();
        let request = Document::parse(&document, AsC, MAX_LEN).next_request(&mut params);
        if let Verdict::Refuse(refusal) = request.expect("a request").verdict {
            prop_assert_eq!(refusal_status(refusal), (500, refusal.to_string().into()));
        }
    }
}
