//! Requests and replies at their limits, over every kind of socket.

use std::net::SocketAddr;
use std::path::Path;

use harness::datagram::{NamedSocket, ask, ask_udp, send};
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg};
use rpc_wire::mi::MAX_LEN;

const WITH_A_TABLE: &str = r#"modparam("htable", "htable", "t=>size=4;")"#;

fn start(config: &str) -> Server {
    Server::builder(Flavor::Rust)
        .modules(["ctl", "pv", "htable", "mi_datagram"])
        .config(WITH_A_TABLE)
        .config(r#"modparam("pv", "shvset", "x=s:abc")"#)
        .config(config)
        .start()
}

fn on_a_unix_socket() -> Server {
    start(r#"modparam("mi_datagram", "socket_name", "{dir}/mi")"#)
}

fn reply(socket: &Path, request: &[u8]) -> String {
    String::from_utf8_lossy(&ask(socket, request)).into_owned()
}

#[test]
fn udp_over_ipv4_and_ipv6() {
    for host in ["127.0.0.1", "[::1]"] {
        let port = free_port();
        let server = start(&format!(
            r#"modparam("mi_datagram", "socket_name", "udp:{host}:{port}")"#
        ));
        let address: SocketAddr = format!("{host}:{port}").parse().expect("an address");
        assert_eq!(ask_udp(address, b":core.echo:\na b\n"), b"200 OK\na b\n");
        let echo = echo_of(MAX_LEN);
        assert_eq!(ask_udp(address, &echo).len(), reply_len(&echo));
        drop(server);
    }
}

#[test]
fn a_reply_has_a_bound_in_memory() {
    let server = start(
        r#"
        modparam("mi_datagram", "socket_name", "{dir}/mi")
        modparam("mi_datagram", "max_reply", 65536)
        "#,
    );
    let socket = server.path("mi");
    let many = format!(":core.echo:\n{}", "a\n".repeat(4000));
    let told = reply(&socket, many.as_bytes());
    assert_eq!(
        told,
        "500 the reply is larger than 65536 bytes (max_reply)\n"
    );
    assert_eq!(reply(&socket, b":core.echo:\na\n"), "200 OK\na\n");
}

#[test]
fn lines_may_end_in_any_way() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    for (request, told) in [
        (":core.echo:", ""),
        (":core.echo:\r", ""),
        (":core.echo:\r\n", ""),
        (":core.echo:\r\na b\r\n", "a b\n"),
        (":core.echo:\r\na b\r\n\"c \"\r\nd", "a b\nc \nd\n"),
    ] {
        let expected = format!("200 OK\n{told}");
        assert_eq!(reply(&socket, request.as_bytes()), expected, "{request:?}");
    }
    for request in [":core.echo", ":core.echo:a\n", ":core.echo: \n"] {
        let told = reply(&socket, request.as_bytes());
        assert_eq!(told, "500 command not available\n", "{request:?}");
    }
}

/// A request of this length, which is `core.echo` with one long argument.
fn echo_of(len: usize) -> Vec<u8> {
    let mut request = b":core.echo:\n".to_vec();
    request.resize(len - 1, b'x');
    request.push(b'\n');
    request
}

/// The length of its reply.
fn reply_len(echo: &[u8]) -> usize {
    echo.len() - ":core.echo:\n".len() + "200 OK\n".len()
}

#[test]
fn the_longest_request_is_read_whole_and_a_longer_one_is_refused() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    let longest = echo_of(MAX_LEN);
    assert_eq!(ask(&socket, &longest).len(), reply_len(&longest));
    let refused = format!(
        "400 the request has {} bytes and may have {MAX_LEN}\n",
        MAX_LEN + 1
    );
    assert_eq!(reply(&socket, &echo_of(MAX_LEN + 1)), refused);
    assert!(server.log().contains("the request has 65458 bytes"));
}

/// Adds keys of these names, each with a value of this many bytes.
fn fill_table(socket: &Path, keys: &[&str], len: usize) {
    for key in keys {
        let value = "x".repeat(len);
        let request = format!(":htable.sets:\nt\n{key}\n{value}\n");
        assert!(reply(socket, request.as_bytes()).starts_with("200 "));
    }
}

/// Only the system limits such a request over a Unix socket.
#[test]
fn a_unix_datagram_has_what_the_system_takes() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    fill_table(&socket, &["a", "b", "c", "d", "e"], 40_000);
    for command in [":sht_dump:\nt\n", ":htable.dump:\nt\n"] {
        let told = reply(&socket, command.as_bytes());
        assert!(told.starts_with("200 OK\n") && told.len() > 200_000);
        assert_eq!(told.matches('x').count(), 200_000);
    }
}

#[test]
fn a_reply_that_does_not_fit_is_an_error_with_its_size() {
    /// The largest UDP datagram over IPv4.
    const LIMIT: usize = 65_507;
    let port = free_port();
    let server = start(&format!(
        r#"modparam("mi_datagram", "socket_name", "udp:127.0.0.1:{port}")"#
    ));
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    for key in ["a", "b"] {
        let args = ["t".into(), key.into(), Arg::from(&*"x".repeat(40_000))];
        let answer = server.client().call("htable.sets", &args);
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    }
    for command in [":sht_dump:\nt\n", ":htable.dump:\nt\n"] {
        let told = ask_udp(address, command.as_bytes());
        let told = String::from_utf8_lossy(&told);
        let end = format!(" bytes, and at most {LIMIT} can be sent by datagram\n");
        let size = told
            .strip_prefix("500 the reply has ")
            .and_then(|rest| rest.strip_suffix(&end))
            .unwrap_or_else(|| panic!("{command} answers {told}"));
        assert!(size.parse::<usize>().expect("a number") > 80_000, "{told}");
    }
    assert_eq!(ask_udp(address, b":core.echo:\na\n"), b"200 OK\na\n");
}

#[test]
fn a_nul_ends_a_value_cleanly() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    assert_eq!(reply(&socket, b":core.echo:\na\0b\nc\n"), "200 OK\na\nc\n");
    for request in [&b":core.echo\0:\na\n"[..], b"\0", b":\0:\n"] {
        assert_eq!(reply(&socket, request), "500 command not available\n");
    }
}

#[test]
fn a_value_with_newlines_stays_on_its_line() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    assert_eq!(
        reply(&socket, b":shv_set:\nx\nstr\n\"two\nlines\"\n"),
        "200 OK\n"
    );
    assert_eq!(
        reply(&socket, b":shv_get:\nx\n"),
        "200 OK\nVAR:: x type=string value=two\\nlines\n"
    );
}

#[test]
fn text_is_any_type_that_a_command_wants() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    assert_eq!(
        reply(&socket, b":htable.seti:\nt\nk\n0042\n"),
        "200 OK\nOk. Key set to new value.\n"
    );
    let got = reply(&socket, b":htable.get:\nt\nk\n");
    assert!(got.contains("value:: 42\n"), "{got}");
    let wrong = reply(&socket, b":htable.seti:\nt\nk\nforty\n");
    assert!(wrong.starts_with("500 "), "{wrong}");
    assert_eq!(
        reply(&socket, b":core.kill:\nnow\n"),
        "400 Bad parameter 1: it is no whole number\n"
    );
}

#[test]
fn errors_are_logged_with_their_sender() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    assert_eq!(
        reply(&socket, b":core.echo:\n\"open\n"),
        "400 parse error in command\n"
    );
    let log = server.log();
    assert!(log.contains("argument 1 has no closing quote"), "{log}");
}

/// The client chooses the name, and the line has more to say.
#[test]
fn a_long_name_is_cut_in_the_log() {
    let server = on_a_unix_socket();
    let name = "\u{e9}".repeat(1000);
    let request = format!(":{name}:\n");
    let answer = reply(&server.path("mi"), request.as_bytes());
    assert_eq!(answer, "500 command not available\n");
    let shown = "\\xc3\\xa9".repeat(32);
    let told = format!("no command \"{shown}...\" (2000 bytes): the server does not have it");
    let log = server.log();
    assert!(log.contains(&told), "{log}");
}

/// Two servers that take each other for clients would talk for ever.
#[test]
fn the_reply_of_a_server_is_not_answered() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    let client = NamedSocket::new();
    for request in [
        &b"500 command not available\n"[..],
        b"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700},\"id\":null}",
        b"\xa1\x30\x00\x00",
        b":core.echo:\na\n",
    ] {
        client.send_to(request, &socket).expect("it listens");
    }
    let mut buffer = [0; 100];
    let len = client.recv(&mut buffer).expect("a reply");
    assert_eq!(&buffer[..len], b"200 OK\na\n");
}

#[test]
fn several_processes_share_the_socket() {
    let server = start(
        r#"modparam("mi_datagram", "socket_name", "{dir}/mi")
        modparam("mi_datagram", "children_count", 3)"#,
    );
    let processes = reply(&server.path("mi"), b":ps:\n");
    assert_eq!(
        processes.matches("Type=MI DATAGRAM").count(),
        3,
        "{processes}"
    );
    let socket = server.path("mi");
    std::thread::scope(|scope| {
        for client in 0..8 {
            let socket = &socket;
            scope.spawn(move || {
                for number in 0..50 {
                    let request = format!(":core.echo:\n{client}.{number}\n");
                    let expected = format!("200 OK\n{client}.{number}\n");
                    assert_eq!(reply(socket, request.as_bytes()), expected);
                }
            });
        }
    });
}

/// The number of requests of one client that does not read, which is more than the
/// system keeps for it.
const UNREAD: usize = 2_000;

fn silent_client(socket: &Path) -> NamedSocket {
    let client = NamedSocket::new();
    for number in 0..UNREAD {
        let request = format!(":core.echo:\n{number}\n");
        client
            .send_to(request.as_bytes(), socket)
            .expect("the server reads");
    }
    client
}

#[test]
fn a_client_that_does_not_read_holds_nobody_up() {
    let server = start(
        r#"modparam("mi_datagram", "socket_name", "{dir}/mi")
        modparam("mi_datagram", "socket_timeout", 60000)"#,
    );
    let socket = server.path("mi");
    let client = silent_client(&socket);
    assert_eq!(reply(&socket, b":core.echo:\na\n"), "200 OK\na\n");
    // Its replies are kept for it as long as `socket_timeout` says.
    let mut buffer = [0; 100];
    for number in 0..UNREAD {
        let len = client.recv(&mut buffer).expect("a reply");
        assert_eq!(buffer[..len], *format!("200 OK\n{number}\n").as_bytes());
    }
}

#[test]
fn after_socket_timeout_the_replies_are_given_up() {
    let server = start(
        r#"modparam("mi_datagram", "socket_name", "{dir}/mi")
        modparam("mi_datagram", "socket_timeout", 0)"#,
    );
    let socket = server.path("mi");
    let _client = silent_client(&socket);
    wait::until("replies are given up", || {
        server
            .log()
            .contains("is lost, for its client did not take it")
    });
    assert_eq!(reply(&socket, b":core.echo:\na\n"), "200 OK\na\n");
}

#[test]
fn a_request_from_a_socket_without_a_name_runs() {
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    send(&socket, b":shv_set:\nx\nstr\nnobody\n");
    wait::until("the command has run", || {
        reply(&socket, b":shv_get:\nx\n").ends_with("value=nobody\n")
    });
}

/// Every byte of a request is removed, doubled or changed. Each such request has one
/// answer, and the server survives.
#[test]
fn damaged_requests_are_answered() {
    const REQUEST: &[u8] = b":core.echo:\na b\nn:: v\n\"q \\\" ::\"\n\n  \"\"  \nlast";
    let server = on_a_unix_socket();
    let socket = server.path("mi");
    for at in 0..REQUEST.len() {
        let (before, rest) = REQUEST.split_at(at);
        for with in [
            &b""[..],
            b"\"",
            b"\\",
            b":",
            b"\n",
            b"\0",
            b"\xff",
            &rest[..1].repeat(2),
        ] {
            let damaged = [before, with, &rest[1..]].concat();
            let answer = reply(&socket, &damaged);
            let code = answer.split(' ').next().unwrap_or_default();
            assert!(
                ["200", "400", "500"].contains(&code) && answer.ends_with('\n'),
                "{:?}: {answer:?}",
                damaged.escape_ascii().to_string()
            );
        }
        assert!(!reply(&socket, REQUEST[..=at].as_ref()).is_empty());
    }
    assert_eq!(reply(&socket, b":core.echo:\na\n"), "200 OK\na\n");
}
