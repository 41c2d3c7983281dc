//! Reply pipes when there are no descriptors left.

use harness::binrpc::Client;
use harness::linefifo::{ReplyPipe, request};
use rpc_wire::binrpc::client::{Answer, Arg};

use crate::everywhere::Everywhere;

/// Replies that nobody takes hold a descriptor each, until they are given up. One
/// that finds none waits for that.
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
