//! Documents that no client should send. After each the server still runs, and every
//! client that can be answered is answered in JSON.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;

use harness::datagram::NamedSocket;
use harness::modules;
use harness::server::Server;
use rpc_wire::answers::is_answer;
use serde_json::value::RawValue;

use crate::transports::{ECHO, ECHOED, JsonListeners, JsonTransport, connect, datagram};

/// The length that a Unix datagram carries.
const DATAGRAM: usize = 100_000;

#[test]
fn every_datagram_is_answered_and_the_server_lives() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let socket = server.path("rpc.socket");
    for document in corpus() {
        if document.len() > DATAGRAM || is_answer(&document) {
            continue;
        }
        let answer = datagram(&socket, &document);
        assert_is_an_answer(&answer, &document);
        assert_eq!(datagram(&socket, ECHO.as_bytes()), ECHOED);
    }
    assert_no_panic(&server);
}

#[test]
fn every_document_over_tcp_is_answered_and_the_server_lives() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    for document in corpus() {
        let mut stream = connect(listeners.tcp());
        // The server may have closed before all of it is sent.
        let _ = stream.write_all(&document);
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).expect("UTF-8");
        let answers = serde_json::Deserializer::from_str(&answer).into_iter::<Box<RawValue>>();
        for one in answers {
            let one = one.unwrap_or_else(|error| panic!("{answer} is no JSON: {error}"));
            assert_is_an_answer(one.get(), &document);
        }
        assert_eq!(listeners.ask(&server, JsonTransport::Tcp, ECHO), ECHOED);
    }
    assert_no_panic(&server);
}

#[test]
fn every_document_over_http_is_answered_and_the_server_lives() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    for document in corpus() {
        // The core reads no larger request, and none without a body.
        if document.is_empty() || document.len() > 16_000 {
            continue;
        }
        let mut client = harness::http::Client::connect(server.port());
        let answer = client.post(&document);
        assert!(answer.status.starts_with("HTTP/1.1 "), "{answer:?}");
        assert_is_an_answer(&answer.body, &document);
    }
    assert!(
        listeners
            .ask(&server, JsonTransport::Http, ECHO)
            .ends_with(ECHOED)
    );
    assert_no_panic(&server);
}

/// A client that names no pipe is not answered; the next one matters.
#[test]
fn the_named_pipe_gets_over_all_of_them() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let mut pipe = fs::File::options()
        .write(true)
        .open(server.path("rpc.fifo"))
        .expect("the server listens");
    for document in corpus() {
        if looks_unfinished(&document) {
            continue;
        }
        pipe.write_all(&document).expect("the server reads");
        assert_eq!(listeners.ask(&server, JsonTransport::Pipe, ECHO), ECHOED);
    }
    assert_no_panic(&server);
}

#[test]
fn size_and_depth_have_bounds_and_errors_past_them() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"jsonrpc":"2.0","method":"core.version","params":[{open}{close}],"id":7}}"#)
    };
    // These are the request, its parameters and sixty-two levels in them.
    assert!(
        listeners
            .ask(&server, JsonTransport::Datagram, &nested(62))
            .contains("\"result\"")
    );
    let too_deep = r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse Error","data":"objects and arrays are nested deeper than 64"},"id":7}"#;
    assert_eq!(
        listeners.ask(&server, JsonTransport::Datagram, &nested(63)),
        too_deep
    );
    assert_eq!(
        listeners.ask(&server, JsonTransport::Tcp, &nested(100_000)),
        too_deep
    );

    let long = |len: usize| {
        let frame = r#"{"jsonrpc":"2.0","method":"core.echo","params":[""],"id":7}"#;
        frame.replace("\"\"", &format!("\"{}\"", "x".repeat(len - frame.len())))
    };
    let largest = listeners.ask(&server, JsonTransport::Tcp, &long(1 << 20));
    assert!(largest.len() > 1_000_000 && largest.contains("\"result\""));
    let answer = listeners.ask(&server, JsonTransport::Tcp, &long((1 << 20) + 1));
    assert!(
        answer.contains("1048577 bytes, 1048576 are allowed"),
        "{answer}"
    );

    let batch = |requests: usize| format!("[1{}]", ",1".repeat(requests - 1));
    let answer = listeners.ask(&server, JsonTransport::Tcp, &batch(10_000));
    assert_eq!(answer.matches("-32600").count(), 10_000);
    let answer = listeners.ask(&server, JsonTransport::Tcp, &batch(10_001));
    assert!(
        answer.contains("a batch has at most 10000 requests"),
        "{answer}"
    );
}

/// Two servers that take each other for clients would talk for ever.
#[test]
fn the_answer_of_a_server_is_not_answered() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let client = NamedSocket::new();
    for document in [
        &br#"{"jsonrpc":"2.0","error":{"code":-32600},"id":"method"}"#[..],
        br#"[{"jsonrpc":"2.0","result":["method"],"id":"method"}]"#,
        b"500 command not available\n",
        b"\xa1\x30\x00\x00",
        ECHO.as_bytes(),
    ] {
        let socket = server.path("rpc.socket");
        client.send_to(document, socket).expect("it listens");
    }
    let mut buffer = [0; 1000];
    let len = client.recv(&mut buffer).expect("an answer");
    assert_eq!(String::from_utf8_lossy(&buffer[..len]), ECHOED);
}

fn assert_no_panic(server: &Server) {
    let log = server.log();
    assert!(!log.contains("panic"), "{log}");
}

/// Asserts that an answer is JSON. It does not read the numbers, because an id may be
/// larger than any of Rust's.
fn assert_is_an_answer(answer: &str, document: &[u8]) {
    let shown = document[..document.len().min(300)].escape_ascii();
    if let Err(error) = serde_json::from_str::<&RawValue>(answer) {
        panic!("{shown} gets {answer}: {error}");
    }
    let one = answer.trim_start_matches('[');
    let is_one = ["\"result\":", "\"error\":{\"code\":"]
        .iter()
        .any(|outcome| one.starts_with(&format!("{{\"jsonrpc\":\"2.0\",{outcome}")));
    assert!(is_one, "{shown} gets {answer}");
}

/// Whether a pipe takes it for the start of the next document.
fn looks_unfinished(document: &[u8]) -> bool {
    use rpc_wire::jsonrpc::{Found, find};
    let mut rest = document;
    while !rest.is_empty() {
        match find(rest) {
            Found::Other(len) | Found::Document(len) => rest = &rest[len..],
            Found::More => return true,
        }
    }
    false
}

/// All documents: those that were written down, a good document cut off and changed at
/// every place, and the corpus of the fuzzer.
fn corpus() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = THOUGHT_OF.iter().map(|text| text.to_vec()).collect();
    all.extend((0..=255_u8).map(|byte| vec![byte]));
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        for depth in [65, 1_000, 20_000] {
            all.push(open.repeat(depth).into_bytes());
            all.push(format!("{}1{}", open.repeat(depth), close.repeat(depth)).into_bytes());
        }
    }
    let good = br#"{"jsonrpc":"2.0","method":"core.echo","params":{"a":[1,-2.5e3],"b":"\u00e4\n"},"id":"x"}"#;
    all.extend((0..good.len()).map(|end| good[..end].to_vec()));
    for at in 0..good.len() {
        for byte in [0, b'"', b'\\', b'{', b']', b'9', 0xff] {
            let mut changed = good.to_vec();
            changed[at] = byte;
            all.push(changed);
        }
    }
    all.push(vec![b'x'; 3 << 20]);
    all.push([b"{\"a\":\"".as_slice(), &vec![b'x'; 3 << 20]].concat());
    let kept = fs::read_dir(modules::workspace().join("fuzz/corpus/jsonrpc"));
    for file in kept.into_iter().flatten().flatten() {
        all.push(fs::read(file.path()).expect("a file of the workspace"));
    }
    all
}

const THOUGHT_OF: &[&[u8]] = &[
    b"",
    b" ",
    b"\0\0\0\0",
    b"\xef\xbb\xbf{}",
    b"{}",
    b"[[]]",
    b"[[[{}]]]",
    b"[{},{},{}]",
    b"null",
    b"{\"jsonrpc\":2.0,\"method\":\"core.version\",\"id\":1}",
    b"{\"jsonrpc\":null,\"method\":\"core.version\",\"id\":1}",
    b"{\"jsonrpc\":{},\"method\":\"core.version\",\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":5,\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":null,\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":[\"core.version\"],\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"\",\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.\\u0000version\",\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"%s%n%s\",\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":5,\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":[{}],\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":[null,true,[]],\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.printi\",\"params\":[1e999,-1e999],\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.printi\",\"params\":[99999999999999999999],\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":[\"\xff\xfe\xed\xa0\x80\"],\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":[\"\\ud800\\udc00\\ud800\"],\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":[\"\\u\"],\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"id\":{}}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"id\":[1]}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"id\":true}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"id\":\"\xff\"}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"id\":1,\"store_path\":7}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"id\":1,\"store_path\":\"/etc/passwd\"}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"reply_name\":{},\"id\":1}",
    b"{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"reply_name\":\"../etc/passwd\",\"id\":1}",
    b"POST / HTTP/1.1\r\n\r\n{\"jsonrpc\":2.0}",
];
