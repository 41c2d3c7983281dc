//! Limits of connections and requests, and gathering of replies.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use harness::binrpc::{Client, request};
use harness::linefifo::{self, ask_raw};
use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Node};
use rustix::net::{RecvFlags, recv};

use crate::listeners::{CtlListeners, STREAM};

#[test]
fn connections_over_the_limit_are_refused_with_a_line_in_the_log() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .descriptors(160)
        .start();
    let mut clients = open_as_many_as_there_may_be(&server);
    let count = clients.len();
    let limit = format!("{count} connections are open, which is the limit");
    let told = |line: &str| line.contains("ERROR: ctl ") && line.contains(&limit);
    let log = server.log();
    assert!(log.lines().any(told), "no {limit:?} in\n{log}");

    // Connected clients are still served, and one that leaves makes room.
    for client in &mut clients {
        assert!(echoes(client));
    }
    drop(clients.pop());
    wait::until("there is room for one", || echoes(&mut server.client()));
    assert!(server.processes().contains(&server.pid()));
}

fn open_as_many_as_there_may_be(server: &Server) -> Vec<Client> {
    let mut clients = Vec::new();
    loop {
        let mut client = server.client();
        if !echoes(&mut client) {
            return clients;
        }
        clients.push(client);
        assert!(clients.len() < 160, "more than there are descriptors");
    }
}

fn echoes(client: &mut Client) -> bool {
    let answer = client.try_call("core.echo", &["hello".into()]);
    answer.is_ok_and(|answer| answer == Answer::Reply(vec![Node::Str(b"hello".to_vec())]))
}

/// A socket holds some hundred short pieces, because each takes a buffer of its own,
/// but thousands that were written together. So if all these answers are in it at once
/// before any was read, there were few writes.
#[test]
fn answers_to_requests_in_one_write_come_in_few_writes() {
    const REQUESTS: u32 = 5_000;
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    let answer = server
        .client()
        .call_raw(&request("core.echo", &["x".into()], 1));
    let requests = request("core.echo", &["x".into()], 1).repeat(REQUESTS as usize);
    let mut stream = UnixStream::connect(server.socket()).expect("the server listens");
    stream.write_all(&requests).expect("the server reads");

    let expected = answer.repeat(REQUESTS as usize);
    let mut seen = vec![0; expected.len()];
    wait::until("all answers are in the socket", || {
        let waiting = recv(&stream, &mut seen[..], RecvFlags::PEEK);
        waiting.is_ok_and(|(len, _)| len == expected.len())
    });
    stream.read_exact(&mut seen).expect("they are there");
    assert!(seen == expected);
}

/// The end of such a request may never come.
#[test]
fn a_line_request_of_more_than_a_megabyte_is_refused() {
    let listeners = CtlListeners::new();
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(&listeners.config())
        .socket(STREAM)
        .start();
    let [_, _, tcp] = listeners.lines(&server);
    let long = |len: usize| format!(":core.echo:\n{}\n\n", "x".repeat(len)).into_bytes();
    let reply = ask_raw(&tcp, |_| long(1_000_000));
    assert_eq!(reply.len(), "200 OK\n\n".len() + 1_000_000);

    let mut client = linefifo::Client::connect(&tcp);
    // It may stop reading before this is all sent.
    let _ = client.send(&long(3_000_000));
    let reply = client.receive_all().unwrap_or_default();
    assert!(!reply.starts_with(b"200"), "{} bytes", reply.len());
    let log = server.log();
    let told = |line: &str| line.contains("WARNING: ctl ") && line.contains("1048576 bytes");
    assert!(log.lines().any(told), "{log}");
}
