//! TCP, and the status and headers of HTTP.

use std::io::{Read, Write};
use std::net::Shutdown;

use harness::http;

use crate::transports::{ECHO, ECHOED, JsonListeners, JsonTransport, connect, tcp, tcp_to_the_end};

#[test]
fn tcp_answers_what_has_come_and_closes() {
    let listeners = JsonListeners::new();
    let _server = listeners.start("");
    let line = format!("{ECHOED}\n");
    assert_eq!(tcp(listeners.tcp(), ECHO.as_bytes()), line);
    assert_eq!(tcp_to_the_end(listeners.tcp(), ECHO.as_bytes()), line);
    let two = format!(" {ECHO}\n{ECHO}");
    assert_eq!(tcp(listeners.tcp(), two.as_bytes()), line.repeat(2));
}

#[test]
fn tcp_answers_half_a_document_with_an_error() {
    let listeners = JsonListeners::new();
    let _server = listeners.start("");
    for half in [&ECHO[..20], "no document", "5"] {
        let answer = tcp_to_the_end(listeners.tcp(), half.as_bytes());
        assert!(
            answer.contains(r#""error":{"code":-32"#),
            "{half}: {answer}"
        );
    }
}

#[test]
fn tcp_keep_leaves_the_connection_open() {
    let listeners = JsonListeners::new();
    let _server = listeners.start(r#"modparam("jsonrpcs", "tcp_keep", 1)"#);
    let mut stream = connect(listeners.tcp());
    for _ in 0..3 {
        stream.write_all(ECHO.as_bytes()).expect("the server reads");
        let mut answer = vec![0; ECHOED.len() + 1];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), format!("{ECHOED}\n"));
    }
    stream.shutdown(Shutdown::Write).expect("it is open");
    assert_eq!(stream.read(&mut [0; 64]).expect("the end"), 0);
}

/// If the document were searched from its start each time, this would take a hundred
/// times as long as all other tests.
#[test]
fn a_document_may_come_byte_by_byte() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let text = "[{\\\"".repeat(10_000);
    let document =
        format!(r#"{{"jsonrpc":"2.0","method":"core.echo","params":["{text}"],"id":1}}"#);
    let mut stream = connect(listeners.tcp());
    stream.set_nodelay(true).expect("a socket takes it");
    for byte in document.as_bytes() {
        stream.write_all(&[*byte]).expect("the server reads");
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let echoed = format!(r#"{{"jsonrpc":"2.0","result":["{text}"],"id":1}}"#);
    assert_eq!(answer, echoed + "\n");
    assert_eq!(
        listeners.ask(&server, JsonTransport::Datagram, ECHO),
        ECHOED
    );
}

#[test]
fn http_answers_with_a_status_and_a_content_type() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let mut client = http::Client::connect(server.port());
    let answer = client.post(ECHO.as_bytes());
    assert_eq!(answer.status, "HTTP/1.1 200 OK");
    let json = "Content-Type: application/json".to_owned();
    assert!(answer.headers.contains(&json), "{answer:?}");
    assert_eq!(answer.body, ECHOED);
    for (document, status) in [
        (
            r#"{"jsonrpc":"2.0","method":"no.such","id":1}"#,
            "500 Method Not Found",
        ),
        (
            r#"{"jsonrpc":"2.0","method":"htable.get","params":["a","b"],"id":1}"#,
            "500 No such htable",
        ),
        ("no json", "500 byte 0 cannot be read as JSON"),
        ("[]", "500 the batch is empty"),
    ] {
        let answer = client.post(document.as_bytes());
        assert_eq!(answer.status, format!("HTTP/1.1 {status}"), "{document}");
        assert!(answer.headers.contains(&json), "{answer:?}");
        assert!(answer.body.contains(r#""error":{"#), "{answer:?}");
    }
}
