//! The syntax of requests in the line protocol, and the replies to wrong ones.

use std::net::TcpStream;

use harness::binrpc;
use harness::linefifo::{Address, Client, ReplyPipe, ask, ask_raw, request};
use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;
use harness::wait::patience;
use rpc_wire::binrpc::client::Answer;
use rpc_wire::linefifo::client::Arg;

use crate::listeners::{CtlListeners, STREAM};

/// A server that serves the line protocol.
pub(crate) struct LineServer {
    server: Server,
    listeners: CtlListeners,
}

impl LineServer {
    pub(crate) fn new() -> Self {
        let listeners = CtlListeners::new();
        let server = Server::builder(Flavor::Rust)
            .modules(["ctl", "cfg_rpc", "htable"])
            .config(r#"modparam("htable", "htable", "t=>size=2")"#)
            .config(&listeners.config())
            .socket(STREAM)
            .start();
        Self { server, listeners }
    }

    pub(crate) fn addresses(&self) -> [Address; 3] {
        self.listeners.lines(&self.server)
    }

    pub(crate) fn connect_tcp(&self) -> TcpStream {
        let [_, _, Address::Tcp(address)] = self.addresses() else {
            unreachable!("that is the third one");
        };
        let stream = TcpStream::connect(address).expect("the server listens");
        stream
            .set_read_timeout(Some(patience()))
            .expect("a time limit");
        stream
    }
}

/// Asserts the reply of each transport to these bytes, in which `{pipe}` stands for the
/// name of the reply pipe.
#[track_caller]
fn assert_replies(lines: &LineServer, request: &str, reply: &str) {
    for address in lines.addresses() {
        let sent = |pipe: &str| request.replace("{pipe}", pipe).into_bytes();
        let told = ask_raw(&address, sent);
        assert_eq!(String::from_utf8_lossy(&told), reply, "over {address:?}");
    }
}

#[test]
fn lines_may_end_in_crlf() {
    let lines = LineServer::new();
    assert_replies(
        &lines,
        ":core.echo:{pipe}\r\none\r\ntwo\r\n\r\n",
        "200 OK\none\ntwo\n",
    );
    // Some of the lines may end in CR LF.
    assert_replies(
        &lines,
        ":core.echo:{pipe}\none\r\ntwo\n\r\n",
        "200 OK\none\ntwo\n",
    );
}

#[test]
fn empty_lines_before_a_request_mean_nothing() {
    let lines = LineServer::new();
    assert_replies(&lines, "\n\r\n\n:core.echo:{pipe}\nx\n\n", "200 OK\nx\n");
}

#[test]
fn every_escape_is_read_and_written() {
    let lines = LineServer::new();
    assert_replies(
        &lines,
        ":core.echo:{pipe}\na\\tb\\\\c\\nd\\re\\cf\\og:h,i\n\n",
        "200 OK\na\\tb\\\\c\\nd\\re:f,g:h,i\n",
    );
    // The command gets the text for which the escapes stand, because BINRPC has no
    // escapes.
    let text = "a\tb\\c\nd\re:f,g";
    let echo = lines.server.client().call("core.echo", &[text.into()]);
    assert_eq!(echo.values()[0].as_str(), Some(text));
    for address in lines.addresses() {
        let reply = ask(&address, "core.echo", &[Arg::from(text)]);
        assert_eq!(reply, b"200 OK\na\\tb\\\\c\\nd\\re:f,g\n", "{address:?}");
    }
}

/// A structure in a reply has `\o` where a request has `\c`.
#[test]
fn colons_and_commas_of_structures_are_escaped() {
    let lines = LineServer::new();
    for address in lines.addresses() {
        let set = ask_raw(&address, |pipe| {
            format!(":htable.sets:{pipe}\nt\na\\cb,c\nx\\cy:z\\o,\\t\\\\\n\n").into_bytes()
        });
        assert_eq!(set, b"200 OK\nOk. Key set to new value.\n");

        let get = ["t".into(), "a:b,c".into()];
        let known = lines.server.client().call("htable.get", &get);
        let item = known.values()[0].get("item").expect("an item");
        let value = item.get("value").and_then(|value| value.as_str());
        assert_eq!(value, Some("x:y:z,,\t\\"));

        let reply = ask(
            &address,
            "htable.get",
            &[Arg::from("t"), Arg::from("a:b,c")],
        );
        let reply = String::from_utf8_lossy(&reply);
        assert!(
            reply.starts_with("200 OK\n\nitem:name:a\\ob\\cc,value:x\\oy\\oz\\c\\c\\t\\\\,flags:"),
            "{reply}"
        );
    }
}

#[test]
fn a_wrong_escape_is_refused() {
    let lines = LineServer::new();
    let fault = "400 bad request: on line 3 of the request is a backslash that starts no escape\n";
    assert_replies(&lines, ":core.echo:{pipe}\nx\na\\qb\n\n", fault);
    assert_replies(&lines, ":core.echo:{pipe}\nx\nab\\\n\n", fault);
}

#[test]
fn numbers_are_read_as_in_c() {
    let lines = LineServer::new();
    for (line, number) in [
        ("42", "42"),
        ("-7", "-7"),
        ("0x1f", "31"),
        ("017", "15"),
        ("  8", "8"),
    ] {
        let reply = format!("200 OK\n{number}\n");
        assert_replies(
            &lines,
            &format!(":core.printi:{{pipe}}\n{line}\n\n"),
            &reply,
        );
    }
}

#[test]
fn faults_are_a_code_and_a_reason() {
    let lines = LineServer::new();
    assert_replies(
        &lines,
        ":no.such.command:{pipe}\n\n",
        "500 Command 'no.such.command' not found\n",
    );
    let fault = lines.server.client().call("htable.dump", &["none".into()]);
    let Answer::Fault { code, reason } = fault else {
        panic!("there is no such table, but\n{fault}");
    };
    let line = format!("{code} {}\n", String::from_utf8_lossy(&reason));
    assert_replies(&lines, ":htable.dump:{pipe}\nnone\n\n", &line);
}

/// Bytes that are not a request, and the errors for them.
const WRONG: [(&[u8], &str); 3] = [
    (b"core.echo:\nx\n\n", "does not start with a colon"),
    (b":core.echo\nx\n\n", "no colon follows"),
    (b"::\n\n", "name of the method is missing"),
];

#[test]
fn what_is_no_request_is_refused() {
    let lines = LineServer::new();
    let [_, udp, tcp] = lines.addresses();
    for (request, reason) in WRONG {
        let reply = ask_raw(&tcp, |_| request.to_vec());
        let reply = String::from_utf8_lossy(&reply);
        assert!(reply.starts_with("400 bad request: "), "{reply}");
        assert!(reply.contains(reason), "{reply}");
        // The sender of a UDP datagram may be forged.
        let mut client = Client::connect(&udp);
        client.send(request).expect("the server reads");
        client
            .send(b":core.echo:\nnext\n\n")
            .expect("the server reads");
        let reply = client.receive_all().expect("a reply");
        assert_eq!(String::from_utf8_lossy(&reply), "200 OK\nnext\n");
    }
}

/// What a browser or another program was made to send here is not searched for
/// commands.
#[test]
fn a_connection_that_begins_with_no_request_is_closed() {
    let lines = LineServer::new();
    let [_, _, tcp] = lines.addresses();
    let set = [Arg::from("t"), Arg::from("name"), Arg::from("smuggled")];
    let hidden = request("htable.sets", "", &set);
    for start in [
        "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "no request\n\n",
        "no request\n",
    ] {
        let reply = ask_raw(&tcp, |_| [start.as_bytes(), &hidden].concat());
        let reply = String::from_utf8_lossy(&reply);
        assert!(reply.starts_with("400 bad request: "), "{reply}");
        assert_eq!(reply.lines().count(), 1, "{reply}");
    }
    let get = ["t".into(), "name".into()];
    let answer = lines.server.client().call("htable.get", &get);
    assert!(matches!(answer, Answer::Fault { .. }), "{answer}");
}

/// Nobody can know where the client waits.
#[test]
fn what_is_no_request_on_the_pipe_is_logged() {
    let lines = LineServer::new();
    let [pipe, ..] = lines.addresses();
    for (request, _) in WRONG {
        Client::connect(&pipe).send(request).expect("it reads");
    }
    let reply = ask(&pipe, "core.echo", &[Arg::from("works")]);
    assert_eq!(reply, b"200 OK\nworks\n");
    let log = lines.server.log();
    for (_, reason) in WRONG {
        let told = |line: &str| line.contains("/pipe") && line.contains(reason);
        assert!(log.lines().any(told), "no {reason:?} in\n{log}");
    }
}

/// A client in the network cannot make the server write into a pipe.
#[test]
fn over_sockets_a_reply_file_is_not_used() {
    let lines = LineServer::new();
    let [_, udp, tcp] = lines.addresses();
    let mut pipe = ReplyPipe::new();
    for address in [udp, tcp] {
        let reply = ask_raw(&address, |_| {
            request("core.echo", pipe.name(), &[Arg::from("hello")])
        });
        assert_eq!(reply, b"200 OK\nhello\n");
    }
    // This is the first reply that comes through the pipe.
    let [own, ..] = lines.addresses();
    let last = request("core.echo", pipe.name(), &[Arg::from("last")]);
    Client::connect(&own).send(&last).expect("the server reads");
    assert_eq!(pipe.read_all().expect("a reply"), b"200 OK\nlast\n");
}

#[test]
fn over_unix_sockets_it_is_the_same() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(
            r#"
            modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")
            modparam("ctl", "fifo", "unix:{dir}/stream")
            modparam("ctl", "fifo", "unixd:{dir}/datagram")
            "#,
        )
        .start();
    for address in [
        binrpc::Address::UnixStream(server.path("stream")),
        binrpc::Address::UnixDatagram(server.path("datagram")),
    ] {
        // BINRPC carries any bytes in both directions.
        let mut client = binrpc::Client::connect(address);
        for word in ["first", "second"] {
            let request = request("core.echo", "", &[Arg::from(word)]);
            client.send(&request).expect("the server reads");
            let mut reply = Vec::new();
            while !reply.ends_with(format!("{word}\n").as_bytes()) {
                reply.extend(client.read_some(1024).expect("a reply"));
            }
            assert_eq!(reply, format!("200 OK\n{word}\n").as_bytes());
        }
    }
}

#[test]
fn without_a_reply_file_the_command_runs_all_the_same() {
    let lines = LineServer::new();
    let [pipe, ..] = lines.addresses();
    let set = [Arg::from("t"), Arg::from("name"), Arg::from("silent")];
    let mut client = Client::connect(&pipe);
    client
        .send(&request("htable.sets", "", &set))
        .expect("the server reads");
    let mut witness = lines.server.client();
    wait::until("the command has run", || {
        let answer = witness.call("htable.get", &["t".into(), "name".into()]);
        matches!(answer, Answer::Reply(_))
    });
}
