//! The choices of an operator: all values of a command, the size of a reply, and HTTP
//! in datagrams. Also tested is what the log says about requests for which nothing is
//! run.

use std::net::UdpSocket;
use std::time::Duration;

use harness::builder::Builder;
use harness::modules::Flavor;
use harness::server::Server;
use harness::wait::{self, patience};
use serde_json::{Value, json};

use crate::transports::{ECHO, ECHOED, JSON_TRANSPORTS, JsonListeners, JsonTransport, datagram};

fn ask(server: &Server, document: &str) -> Value {
    let answer = datagram(&server.path("rpc.socket"), document.as_bytes());
    serde_json::from_str(&answer).expect("JSON")
}

/// `dns.mem_info` adds the memory in use and the limit.
#[test]
fn all_values_are_answered_where_that_is_wanted() {
    let result = |parameters: &str, method: &str, params: &str| {
        let listeners = JsonListeners::new();
        let server = listeners.start(parameters);
        let params = format!(r#""method":"{method}","params":{params}"#);
        ask(&server, &format!(r#"{{"jsonrpc":"2.0",{params},"id":1}}"#))["result"].clone()
    };
    let dns = |parameters: &str| result(parameters, "dns.mem_info", "[]");
    let last = dns("");
    assert!(last.is_number(), "{last}");
    for strict in [0, 1] {
        let all = format!(
            "modparam(\"jsonrpcs\", \"all_values\", 1)\nmodparam(\"jsonrpcs\", \"strict\", {strict})"
        );
        let answer = dns(&all);
        let values = answer.as_array().expect("an array");
        assert_eq!(values.len(), 2, "{answer}");
        assert_eq!(values.last(), Some(&last));
        // One value stays a single value, and an array stays an array.
        assert!(result(&all, "core.version", "[]").is_string());
        assert_eq!(result(&all, "core.echo", "[1]"), json!(["1"]));
    }
}

const LIMITED: &str = r#"modparam("jsonrpcs", "max_reply", 65536)"#;
const FAULT: &str = "the reply is larger than 65536 bytes (max_reply)";

#[test]
fn a_reply_has_a_bound_in_every_way() {
    let listeners = JsonListeners::new();
    let server = listeners.start(LIMITED);
    let names = vec!["\"all\""; 100].join(",");
    let long =
        format!(r#"{{"jsonrpc":"2.0","method":"stats.get_statistics","params":[{names}],"id":1}}"#);
    for transport in JSON_TRANSPORTS {
        let answer = listeners.ask(&server, transport, &long);
        let fault = format!(r#""error":{{"code":500,"message":"{FAULT}"}},"id":1}}"#);
        assert!(answer.ends_with(&fault), "{transport:?}: {answer}");
        assert!(listeners.ask(&server, transport, ECHO).ends_with(ECHOED));
    }
}

#[test]
fn a_batch_has_the_same_bound_as_a_whole() {
    let listeners = JsonListeners::new();
    let server = listeners.start(LIMITED);
    // Each is well below the limit, but text that must be escaped grows.
    let text = r"\u0001".repeat(1000);
    let one = format!(r#"{{"jsonrpc":"2.0","method":"core.echo","params":["{text}"],"id":1}}"#);
    let batch = format!("[{}]", vec![one; 30].join(","));
    let answer = listeners.ask(&server, JsonTransport::Tcp, &batch);
    assert!(answer.len() < 65536 + 30 * 200, "{} bytes", answer.len());
    let answers: Value = serde_json::from_str(&answer).expect("JSON");
    let answers = answers.as_array().expect("an array");
    assert_eq!(answers.len(), 30);
    let has_result = |answer: &&Value| answer.get("result").is_some();
    let whole = answers.iter().filter(has_result).count();
    assert!((8..12).contains(&whole), "{whole}");
    assert_eq!(answers[29]["error"]["message"], FAULT);
}

#[test]
fn a_bound_below_everyday_replies_is_refused() {
    for module in ["jsonrpcs", "ctl", "mi_datagram"] {
        let config = format!("modparam(\"{module}\", \"max_reply\", 1000)");
        let ended = Server::builder(Flavor::Rust)
            .modules([module])
            .config(&config)
            .check();
        let told = "parameter max_reply: 1000 bytes are too few for a reply; it is 65536 or more";
        assert!(ended.log.contains(told), "{}", ended.log);
    }
}

/// The text is the C module's, at its level.
#[test]
fn an_unknown_command_is_a_line_in_the_log() {
    let start = |flavor| {
        Server::builder(flavor)
            .modules(["ctl", "tm", "sl", "pv", "xlog", "kex", "rtimer", "jsonrpcs"])
            .config(
                r#"
                modparam("jsonrpcs", "transport", 4)
                modparam("jsonrpcs", "dgram_socket", "{dir}/rpc.socket")
                modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
                modparam("rtimer", "exec", "timer=soon;route=SOON")
                route[SOON] {
                    jsonrpc_exec('{"jsonrpc":"2.0","method":"no.such.either","id":1}');
                }
                "#,
            )
            .start()
    };
    for flavor in [Flavor::C, Flavor::Rust] {
        let server = start(flavor);
        ask(&server, r#"{"jsonrpc":"2.0","method":"no.such","id":1}"#);
        for name in ["no.such", "no.such.either"] {
            let told = format!("method callback not found [{name}]");
            let is_told = || {
                let log = server.log();
                let mut lines = log.lines();
                lines.any(|line| line.contains("ERROR: jsonrpcs [") && line.contains(&told))
            };
            wait::until("the log has it", is_told);
        }
    }
}

/// Sends a request in one datagram to the server's SIP port, and returns what comes
/// back within a moment.
fn post_in_a_datagram(server: &Server) -> Option<String> {
    let client = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let request = format!(
        "POST /RPC HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{ECHO}",
        ECHO.len()
    );
    client
        .send_to(request.as_bytes(), ("127.0.0.1", server.port()))
        .expect("the server listens");
    wait::until("the route ends", || server.log().contains("told"));
    // Everything is sent before the route ends.
    let is_answered = server.log().contains("told 1");
    let patience = if is_answered {
        patience()
    } else {
        Duration::from_millis(1)
    };
    client
        .set_read_timeout(Some(patience))
        .expect("a time limit");
    let mut answer = [0; 4096];
    let len = client.recv(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..len]).into_owned())
}

fn over_http(flavor: Flavor, parameters: &str) -> Builder {
    Server::builder(flavor)
        .tcp()
        .modules(["ctl", "sl", "pv", "xlog", "kex", "xhttp", "jsonrpcs"])
        .config(&format!(
            r#"
            modparam("jsonrpcs", "transport", 1)
            modparam("jsonrpcs", "pretty_format", 0)
            {parameters}
            tcp_accept_no_cl=yes
            request_route {{ exit; }}
            event_route[xhttp:request] {{
                jsonrpc_dispatch();
                xlog("L_NOTICE", "told $rc\n");
            }}
            "#
        ))
}

#[test]
fn http_in_a_datagram_is_refused_unless_it_is_allowed() {
    let theirs = post_in_a_datagram(&over_http(Flavor::C, "").start()).expect("C answers");
    assert!(theirs.ends_with(ECHOED), "{theirs}");

    let server = over_http(Flavor::Rust, "").start();
    assert_eq!(post_in_a_datagram(&server), None);
    let log = server.log();
    assert!(log.contains("told -1"), "{log}");
    assert!(log.contains("(parameter http_over_udp)"), "{log}");
    // A request over a connection is answered as usual.
    let mut client = harness::http::Client::connect(server.port());
    assert_eq!(client.post(ECHO.as_bytes()).body, ECHOED);

    let allowed = r#"modparam("jsonrpcs", "http_over_udp", 1)"#;
    let ours = post_in_a_datagram(&over_http(Flavor::Rust, allowed).start());
    let body = |answer: &str| answer.split("\r\n\r\n").nth(1).map(str::to_owned);
    assert_eq!(ours.as_deref().and_then(body), body(&theirs));
}

#[test]
fn a_byte_order_mark_before_a_document_is_skipped() {
    for strict in [0, 1] {
        let listeners = JsonListeners::new();
        let server = listeners.start(&format!("modparam(\"jsonrpcs\", \"strict\", {strict})"));
        for transport in [
            JsonTransport::Datagram,
            JsonTransport::Tcp,
            JsonTransport::Http,
        ] {
            let answer = listeners.ask(&server, transport, &format!("\u{feff}{ECHO}"));
            assert!(answer.ends_with(ECHOED), "{transport:?}: {answer}");
        }
        let answer = crate::transports::pipe(&server.path("rpc.fifo"), &format!("\u{feff}{ECHO}"));
        assert_eq!(answer, ECHOED);
        // The document comes in pieces, and before each of two documents.
        let mut stream = crate::transports::connect(listeners.tcp());
        for byte in "\u{feff}".bytes() {
            std::io::Write::write_all(&mut stream, &[byte]).expect("the server reads");
        }
        let document = format!("{ECHO}\u{feff}{ECHO}");
        std::io::Write::write_all(&mut stream, document.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).expect("answers");
        assert_eq!(answer, format!("{ECHOED}\n{ECHOED}\n"));
    }
}
