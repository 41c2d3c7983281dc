//! Every character is sent to a command and back, as itself and escaped.

use harness::server::Server;
use serde_json::{Value, json};

use crate::transports::{JsonListeners, datagram};

/// All characters except NUL, some hundred at a time.
fn all_characters() -> Vec<String> {
    let all: Vec<char> = ('\u{1}'..=char::MAX).collect();
    all.chunks(3_000)
        .map(|some| some.iter().collect())
        .collect()
}

fn echo(server: &Server, document: &[u8]) -> Value {
    let answer = datagram(&server.path("rpc.socket"), document);
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer["id"], "x", "{answer}");
    answer["result"][0].clone()
}

fn document(text_in_json: &[u8]) -> Vec<u8> {
    [
        br#"{"jsonrpc":"2.0","method":"core.echo","params":["#,
        text_in_json,
        br#"],"id":"x"}"#,
    ]
    .concat()
}

#[test]
fn characters_as_themselves() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    for text in all_characters() {
        let asked = document(json!(text).to_string().as_bytes());
        assert_eq!(echo(&server, &asked), json!(text));
    }
}

#[test]
fn characters_as_escapes() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    for text in all_characters() {
        let escapes: String = text
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        let asked = document(format!("\"{escapes}\"").as_bytes());
        assert_eq!(echo(&server, &asked), json!(text));
    }
}

#[test]
fn what_is_no_character() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    for (text, told) in [
        // It is left out, as in C, because commands take text that ends with a NUL.
        (&br#""a\u0000b""#[..], "ab"),
        (br#""a\ud800b""#, "ab"),
        (br#""a\udc00b""#, "ab"),
        // Commands get it as it is; in answers it is replaced.
        (b"\"a\xffb\"", "a\u{fffd}b"),
        (b"\"a\xc3\"", "a\u{fffd}"),
        // Half a surrogate pair is not valid UTF-8.
        (b"\"\xed\xa0\x80\"", "\u{fffd}\u{fffd}\u{fffd}"),
        // This is an overlong slash.
        (b"\"\xc0\xaf\"", "\u{fffd}\u{fffd}"),
    ] {
        assert_eq!(echo(&server, &document(text)), json!(told));
    }
    let nul = datagram(&server.path("rpc.socket"), &document(b"\"a\0b\""));
    assert!(nul.contains(r#""code":-32700"#), "{nul}");
}

#[test]
fn with_strict_only_utf8_is_json() {
    let listeners = JsonListeners::new();
    let server = listeners.start(r#"modparam("jsonrpcs", "strict", 1)"#);
    for text in [
        &b"\"a\xffb\""[..],
        b"\"a\tb\"",
        b"\"\\q\"",
        b"\"\xed\xa0\x80\"",
    ] {
        let answer = datagram(&server.path("rpc.socket"), &document(text));
        assert!(answer.contains(r#""code":-32700"#), "{answer}");
    }
}
