//! Clients that behave well but unusually: many at once, requests in pieces or sent
//! ahead, answers that are not taken.

use harness::binrpc::{Client, decode, request};
use harness::modules::Flavor;
use harness::process::open_files;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::Widths;
use rpc_wire::binrpc::client::{Answer, Arg, Node, encode_request_padded};

fn start() -> Server {
    Server::builder(Flavor::Rust).modules(["ctl"]).start()
}

fn echo(word: &str, cookie: u32) -> Vec<u8> {
    request("core.echo", &[word.into()], cookie)
}

fn echoed(word: &str) -> Answer {
    Answer::Reply(vec![Node::Str(word.as_bytes().to_vec())])
}

/// The next answer, which must belong to the request with this cookie.
fn answer_to(client: &mut Client, cookie: u32) -> Answer {
    let packet = client.receive().expect("an answer");
    let (header, answer) = decode(&packet).expect("a good answer");
    assert_eq!(header.cookie, cookie);
    answer
}

#[test]
fn many_connections_are_served_at_once() {
    let server = start();
    let mut clients: Vec<Client> = (0..200).map(|_| server.client()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client
            .send(&echo(&number.to_string(), number as u32))
            .expect("the server reads");
    }
    // This goes from the last to the first, so that the order is not that of the
    // requests.
    for (number, client) in clients.iter_mut().enumerate().rev() {
        assert_eq!(
            answer_to(client, number as u32),
            echoed(&number.to_string())
        );
    }
    wait_for_connections(&mut clients[0], 200);
}

#[test]
fn requests_in_one_write_are_answered_in_their_order() {
    let server = start();
    let mut client = server.client();
    let numbers = 0..500;
    let requests: Vec<u8> = numbers
        .clone()
        .flat_map(|number| echo(&number.to_string(), number))
        .collect();
    client.send(&requests).expect("the server reads");
    for number in numbers {
        assert_eq!(answer_to(&mut client, number), echoed(&number.to_string()));
    }
}

#[test]
fn a_request_may_arrive_byte_by_byte() {
    let server = start();
    let mut client = server.client();
    for byte in echo("slowly", 7) {
        client.send(&[byte]).expect("the server reads");
    }
    assert_eq!(answer_to(&mut client, 7), echoed("slowly"));
}

/// The write ends at every position in the second of two requests.
#[test]
fn requests_may_be_cut_anywhere() {
    let server = start();
    let mut client = server.client();
    let (first, second) = (echo("first", 1), echo("second", 0x1_0000));
    for cut in 0..second.len() {
        let (start, end) = second.split_at(cut);
        client
            .send(&[&first, start].concat())
            .expect("the server reads");
        // Its answer shows that the server has read up to the cut.
        assert_eq!(answer_to(&mut client, 1), echoed("first"), "cut at {cut}");
        client.send(end).expect("the server reads");
        assert_eq!(
            answer_to(&mut client, 0x1_0000),
            echoed("second"),
            "cut at {cut}"
        );
    }
}

#[test]
fn half_a_request_keeps_nobody_waiting() {
    let server = start();
    let (mut slow, mut other) = (server.client(), server.client());
    let request = echo("at last", 9);
    let (start, end) = request.split_at(request.len() / 2);
    slow.send(start).expect("the server reads");
    assert_eq!(other.call("core.echo", &["now".into()]), echoed("now"));
    slow.send(end).expect("the server reads");
    assert_eq!(answer_to(&mut slow, 9), echoed("at last"));
}

/// The answers are far more than a socket holds, so the server must keep them without
/// waiting for this client.
#[test]
fn a_client_that_takes_no_answers_keeps_nobody_waiting() {
    const REQUESTS: u32 = 200;
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "pv"])
        .config(r#"modparam("pv", "shvset", "long=s:")"#)
        .start();
    let (mut deaf, mut other) = (server.client(), server.client());
    let long = "many words ".repeat(4_000);
    deaf.call(
        "pv.shvSet",
        &["long".into(), "str".into(), Arg::from(&*long)],
    );

    let get = |cookie| request("pv.shvGet", &["long".into()], cookie);
    let requests: Vec<u8> = (0..REQUESTS).flat_map(get).collect();
    deaf.send(&requests).expect("the server reads");
    for _ in 0..20 {
        assert_eq!(other.call("core.echo", &["now".into()]), echoed("now"));
    }
    for cookie in 0..REQUESTS {
        let answer = answer_to(&mut deaf, cookie);
        let value = answer.values()[0].get("value").and_then(Node::as_str);
        assert_eq!(value, Some(&*long));
    }
}

#[test]
fn cookies_and_lengths_may_be_written_in_any_width() {
    let server = start();
    let mut client = server.client();
    for cookie in [
        0,
        1,
        0xff,
        0x100,
        0xffff,
        0x1_0000,
        0xff_ffff,
        0x100_0000,
        u32::MAX,
    ] {
        assert_eq!(
            decoded(&client.call_raw(&echo("a", cookie))),
            (cookie, echoed("a"))
        );
    }
    for body_len in 1..=4 {
        for cookie in 1..=4 {
            let widths = Widths { body_len, cookie };
            let request = encode_request_padded(b"core.echo", &["a".into()], 5, widths)
                .expect("both fit into one byte");
            // The answer has the same bytes as that to the narrowest request.
            assert_eq!(client.call_raw(&request), client.call_raw(&echo("a", 5)));
        }
    }
}

fn decoded(packet: &[u8]) -> (u32, Answer) {
    let (header, answer) = decode(packet).expect("a good answer");
    (header.cookie, answer)
}

#[test]
fn requests_before_the_end_of_the_stream_are_answered() {
    let server = start();
    let mut client = server.client();
    client
        .send(&echo("last words", 3))
        .expect("the server reads");
    client.finish_sending();
    assert_eq!(answer_to(&mut client, 3), echoed("last words"));
    assert!(client.is_closed_by_server());
}

#[test]
fn nothing_is_left_of_clients_that_leave() {
    let server = start();
    let handler = server.process("ctl handler");
    let mut witness = server.client();
    wait_for_connections(&mut witness, 1);
    let files = open_files(handler);
    for round in 0..100 {
        let mut client = server.client();
        let request = echo("never answered", round);
        // The client sends all of it, some of it or none.
        let len = request.len() * (round as usize % 3) / 2;
        client.send(&request[..len]).expect("the server reads");
    }
    // Connections are accepted in their order, so once this one is served, all those
    // before it have been accepted.
    server.client().call("core.echo", &["the last".into()]);
    wait_for_connections(&mut witness, 1);
    assert_eq!(open_files(handler), files);
}

/// Waits until the server has noticed that the others have left.
fn wait_for_connections(witness: &mut Client, count: i32) {
    wait::until("the other connections are closed", || {
        witness.call("ctl.connections", &[]).values()[0].as_int() == Some(count)
    });
}

#[test]
fn the_log_names_the_process_and_the_user_of_a_client() {
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    server
        .client()
        .send(b"no BINRPC")
        .expect("the server reads");
    let line = format!(
        "process {} of user {} on unix:{}: bad request",
        std::process::id(),
        rustix::process::geteuid().as_raw(),
        server.socket().display()
    );
    wait::until(&line, || server.log().contains(&line));
}

/// The system then has no process number for the client that the server could see.
#[test]
fn a_client_outside_the_servers_container_is_a_local_process() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: only root can put a server into a container");
        return;
    }
    let mut server = Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .launcher(["unshare", "--pid", "--fork", "--kill-child"])
        .start();
    let mut client = server.client();
    assert_eq!(client.call("core.echo", &["works".into()]), echoed("works"));
    client.send(b"no BINRPC").expect("the server reads");
    let line = format!(
        "a local process of user 0 on unix:{}: bad request",
        server.socket().display()
    );
    wait::until(&line, || server.log().contains(&line));
    // The program that started it there does not pass SIGTERM on.
    server.crash();
}
