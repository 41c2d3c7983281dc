//! Parameters that the C module of some versions refuses or spoils.

use harness::modules::Flavor;
use harness::server::Server;
use rpc_wire::binrpc::client::{Answer, Node};

fn text(text: &str) -> Answer {
    Answer::Reply(vec![Node::Str(text.as_bytes().to_vec())])
}

/// C accepts it from 5.6.6, 5.7.5 and 5.8.1 on.
#[test]
fn an_int_is_taken_where_a_float_is_asked_for() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "sl", "ratelimit"])
        .start();
    let mut client = server.client();

    let answer = client.call("rl.set_pid", &[1.into(), (-2).into(), 3.5.into()]);
    assert_eq!(answer, Answer::Reply(vec![]));

    let answer = client.call("rl.get_pid", &[]);
    assert_eq!(answer, text("ki[1.000000] kp[-2.000000] kd[3.500000] "));
}

/// `core.echo` reads text and accepts numbers. C turns them into text by way of an
/// unsigned long.
#[test]
fn a_negative_int_that_is_read_as_text_stays_negative() {
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    let mut client = server.client();
    for number in [-1, i32::MIN] {
        let answer = client.call("core.echo", &[number.into()]);
        assert_eq!(answer, text(&number.to_string()));
    }
}
