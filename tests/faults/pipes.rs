//! Reply pipes for which the system has no descriptor or no memory.

use harness::binrpc::Client;
use harness::failing::{Failing, is_possible};
use harness::linefifo::{ReplyPipe, request};
use rpc_wire::binrpc::client::{Answer, Arg};

use crate::everywhere::{Everywhere, Transport};

/// Replies that nobody takes hold one descriptor each, until they are given up. A reply
/// that finds none waits for one.
#[test]
fn a_reply_waits_for_a_descriptor() {
    const DESCRIPTORS: u64 = 128;
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").descriptors(DESCRIPTORS).start();
    fill(&mut server.client());
    let stalled: Vec<_> = (0..DESCRIPTORS).map(|_| ReplyPipe::new()).collect();
    let mut requests: Vec<u8> = stalled
        .iter()
        .flat_map(|pipe| request("htable.dump", pipe.name(), &["t".into()]))
        .collect();
    let mut last = ReplyPipe::new();
    requests.extend(request("core.echo", last.name(), &["last".into()]));
    std::fs::write(server.path("pipe"), requests).expect("the server reads");
    let reply = last.read_all().expect("a reply");
    assert_eq!(String::from_utf8_lossy(&reply), "200 OK\nlast\n");
}

/// Makes the dump of the table larger than a pipe.
fn fill(client: &mut Client) {
    let value = "x".repeat(64 * 1024);
    for number in 0..32 {
        let key = format!("key{number}");
        let args = ["t".into(), Arg::from(&*key), Arg::from(&*value)];
        let answer = client.call("htable.sets", &args);
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    }
}

/// A large reply asks for a larger pipe.
#[test]
fn a_pipe_that_stays_small_takes_a_large_reply() {
    if !is_possible() {
        return;
    }
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    for transport in Transport::PIPES {
        let handler = server.process(transport.handler());
        let mut client = everywhere.client(&server, transport);
        let failing = Failing::calls(handler, &["fcntl:error=EPERM"]);
        let reply = client.ask("faulty.large", &["1"]);
        assert!(reply.len() > 1 << 20, "{transport:?}: {}", reply.len());
        assert!(failing.count() > 0);
    }
}
