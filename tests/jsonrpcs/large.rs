//! Answers of millions of bytes.

use std::fmt::Write as _;
use std::io::{Read, Write as _};

use harness::process::private_kib;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg};
use serde_json::Value;

use crate::transports::{ECHO, ECHOED, JsonListeners, JsonTransport, connect};

const ENTRIES: usize = 100_000;
const DUMP: &str = r#"{"jsonrpc":"2.0","method":"htable.dump","params":["t"],"id":1}"#;

fn start(listeners: &JsonListeners, entries: usize) -> Server {
    let server = listeners.builder("").memory(256, 8).start();
    let calls = (0..entries).map(|number| {
        let mut value = String::new();
        let _ = write!(value, "the value of entry {number:06}");
        vec![
            Arg::from("t"),
            Arg::from(format!("key-{number:06}").as_str()),
            Arg::from(value.as_str()),
        ]
    });
    server.client().call_many("htable.sets", calls, |answer| {
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    });
    server
}

fn entries(answer: &str) -> usize {
    let answer: Value = serde_json::from_str(answer).expect("the whole answer");
    let slots = answer["result"].as_array().expect("slots");
    let count = |slot: &Value| slot["slot"].as_array().map_or(0, Vec::len);
    slots.iter().map(count).sum()
}

#[test]
fn streams_carry_any_size_and_the_memory_comes_back() {
    /// C keeps sixty megabytes for the same answer.
    const ALLOWED_KIB: u64 = 16 * 1024;
    let listeners = JsonListeners::new();
    let server = start(&listeners, ENTRIES);
    for (transport, name) in [
        (JsonTransport::Pipe, "JSONRPCS FIFO"),
        (JsonTransport::Tcp, "JSONRPCS TCP"),
    ] {
        let handler = server.process(name);
        let before = private_kib(handler);
        let answer = listeners.ask(&server, transport, DUMP);
        assert!(answer.len() > 7_000_000);
        assert_eq!(entries(&answer), ENTRIES);
        wait::until("the memory comes back", || {
            private_kib(handler) < before + ALLOWED_KIB
        });
    }
}

/// One client asks for three of them and takes nothing for a while; another leaves in
/// the middle of one.
#[test]
fn a_tcp_client_that_does_not_read_harms_nobody() {
    let listeners = JsonListeners::new();
    let server = start(&listeners, ENTRIES);
    let mut lazy = connect(listeners.tcp());
    lazy.write_all(DUMP.repeat(3).as_bytes())
        .expect("the server reads");
    let mut gone = connect(listeners.tcp());
    gone.write_all(DUMP.as_bytes()).expect("the server reads");
    gone.read_exact(&mut [0; 100_000]).expect("a part");
    drop(gone);
    for _ in 0..20 {
        assert_eq!(listeners.ask(&server, JsonTransport::Tcp, ECHO), ECHOED);
    }
    let mut all = String::new();
    lazy.read_to_string(&mut all).expect("all answers");
    let answers: Vec<&str> = all.lines().collect();
    assert_eq!(answers.len(), 3);
    for answer in answers {
        assert_eq!(entries(answer), ENTRIES);
    }
}

/// The batch has a hundred answers of nearly a megabyte, which are all in memory before
/// the first is sent.
#[test]
fn a_batch_is_run_until_its_answers_have_64_mebibytes() {
    const REQUESTS: usize = 100;
    let listeners = JsonListeners::new();
    let server = start(&listeners, 10_000);
    let batch = format!("[{DUMP}{},7]", format!(",{DUMP}").repeat(REQUESTS - 1));
    let answer = listeners.ask(&server, JsonTransport::Tcp, &batch);
    let refused = answer.matches(r#""code":-32000,"#).count();
    let dumped = answer.matches(r#""result":["#).count();
    assert_eq!(refused + dumped, REQUESTS);
    // A defect of a request takes precedence.
    assert_eq!(answer.matches(r#""code":-32600,"#).count(), 1);
    assert!(answer.contains("the answers before have reached 67108864 bytes"));
    let bytes = (64 << 20)..(68 << 20);
    assert!(bytes.contains(&answer.len()), "{} bytes", answer.len());
    assert_eq!(listeners.ask(&server, JsonTransport::Tcp, ECHO), ECHOED);
}

#[test]
fn where_it_does_not_fit_an_error_says_so() {
    let listeners = JsonListeners::new();
    let server = start(&listeners, ENTRIES);
    let answer = listeners.ask(&server, JsonTransport::Datagram, DUMP);
    assert!(
        answer.starts_with(r#"{"jsonrpc":"2.0","error":{"code":500,"message":"the reply has 7"#)
            && answer.contains(
                "can be sent by datagram; ask through stream_socket, tcp_socket or fifo_name"
            ),
        "{answer}"
    );
    // The private memory of a process, 8 MB here and by default, cannot hold it twice.
    let answer = listeners.ask(&server, JsonTransport::Http, DUMP);
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(
        answer.contains(r#""message":"xhttp did not send the reply""#),
        "{answer}"
    );
    assert!(
        listeners
            .ask(&server, JsonTransport::Http, ECHO)
            .ends_with(ECHOED)
    );
    assert_eq!(
        listeners.ask(&server, JsonTransport::Datagram, ECHO),
        ECHOED
    );
}

#[test]
fn http_carries_what_the_server_has_room_for() {
    let listeners = JsonListeners::new();
    let server = start(&listeners, 10_000);
    let answer = listeners.ask(&server, JsonTransport::Http, DUMP);
    let (_, body) = answer.split_once("\n\n").expect("a head");
    assert_eq!(entries(body), 10_000);
}

/// C's sockets take 131,038 bytes.
#[test]
fn a_datagram_carries_what_the_system_takes() {
    for entries in [900, 1_500, 2_500] {
        let listeners = JsonListeners::new();
        let server = start(&listeners, entries);
        let answer = listeners.ask(&server, JsonTransport::Datagram, DUMP);
        assert!(answer.len() > 65_535, "{} bytes", answer.len());
        assert_eq!(answer, listeners.ask(&server, JsonTransport::Tcp, DUMP));
    }
}
