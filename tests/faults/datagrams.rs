//! Datagrams that are not requests, and replies that are sent together.

use harness::binrpc::{Client, decode, request};
use harness::failing::{Failing, is_possible};
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg};
use rustix::process::{Signal, kill_process};

use crate::everywhere::{Everywhere, Transport};

/// Two servers that answer each other's answers would never stop.
#[test]
fn what_a_server_has_answered_is_not_answered() {
    const ANSWERS: [&[u8]; 4] = [
        b"\xa1\x10\x03\x07\x21a\0",
        b"200 OK\nlast\n",
        br#"{"jsonrpc":"2.0","result":["last"],"id":1}"#,
        br#"{"jsonrpc":"2.0","error":{"code":500,"message":"none"},"id":1}"#,
    ];
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    for transport in Transport::DATAGRAMS {
        let mut client = everywhere.client(&server, transport);
        for answer in ANSWERS {
            client.tell_raw(answer);
            // An answer to that datagram would come first.
            assert!(client.is_answered(), "{transport:?}");
        }
    }
    let lines = server.log().matches("it is not answered").count();
    // There is at least one line for each process.
    assert!(lines >= 3, "{}", server.log());
}

/// Requests that come while a handler is stopped are received together, and their
/// replies are sent together.
#[test]
fn of_replies_that_leave_together_one_is_lost() {
    const TOGETHER: usize = 5;
    if !is_possible() {
        return;
    }
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    for transport in Transport::DATAGRAMS {
        let handler = server.process(transport.handler());
        let connect = || everywhere.client(&server, transport);
        let mut clients: Vec<_> = (0..TOGETHER).map(|_| connect()).collect();
        let failing = Failing::calls(handler, &["sendmmsg:error=EPERM:when=1"]);
        kill_process(handler, Signal::STOP).expect("it is there");
        wait::until("it is stopped", || {
            failing.record().contains("stopped by SIGSTOP")
        });
        for client in &mut clients {
            client.tell("core.echo", &["together"]);
        }
        kill_process(handler, Signal::CONT).expect("it is there");
        failing.wait_for(1);
        drop(failing);
        let line = "bytes is lost: Operation not permitted";
        wait::until("the log tells", || server.log().contains(line));
        // If the handler was interrupted between them, another reply is lost.
        let mut lost = 0;
        for client in &mut clients {
            client.tell("core.echo", &["works"]);
            let mut answer = client.hear(1);
            if answer.contains("together") {
                answer = client.hear(1);
            } else {
                lost += 1;
            }
            assert!(answer.contains("works"), "{transport:?}: {answer}");
        }
        assert_eq!(lost, 1, "{transport:?}");
    }
}

/// A reply has two datagrams, neither of which can be sent at first. Later both are
/// sent. If the first is lost the second is not sent, because nobody could use it.
#[test]
fn the_pieces_of_a_reply_wait_together_and_are_lost_together() {
    if !is_possible() {
        return;
    }
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    let handler = server.process(Transport::BinrpcUdp.handler());
    let value = "x".repeat(100_000);
    let args = ["t".into(), "k".into(), Arg::from(&*value)];
    let answer = server.client().call("htable.sets", &args);
    assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    let dump = request("htable.dump", &["t".into()], 7);
    let whole = server.client().call_raw(&dump);

    let mut client = Client::connect(everywhere.udp(&server));
    let failing = Failing::calls(handler, &["sendmmsg:error=EAGAIN:when=1"]);
    assert_eq!(client.call_raw(&dump), whole);
    failing.wait_for(1);
    drop(failing);

    let failing = Failing::calls(handler, &["sendmmsg:error=EPERM:when=1"]);
    client.send(&dump).expect("a way there");
    failing.wait_for(1);
    drop(failing);
    let line = format!("a reply of {} bytes is lost: Operation", whole.len());
    wait::until("the log tells", || server.log().contains(&line));
    let echo = request("core.echo", &["next".into()], 8);
    let (header, _) = decode(&client.call_raw(&echo)).expect("one whole answer");
    assert_eq!(header.cookie, 8);
}
