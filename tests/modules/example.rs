//! The module in `examples/hello`, called through the C `ctl` and through ours.

use harness::modules::{Flavor, example};
use harness::server::Server;
use rpc_wire::binrpc::client::{Answer, Node};

fn start(flavor: Flavor) -> Server {
    Server::builder(flavor)
        .modules(["ctl"])
        .module_file(&example("hello"))
        .config(r#"modparam("hello", "greeting", "Good morning")"#)
        .start()
}

#[test]
fn its_command_answers() {
    for flavor in [Flavor::C, Flavor::Rust] {
        let server = start(flavor);
        let answer = server.client().call("hello.say", &["bob".into()]);
        let [answer] = answer.values() else {
            panic!("{flavor:?} answers\n{answer}");
        };
        assert_eq!(
            answer.get("text").and_then(Node::as_str),
            Some("Good morning, bob")
        );
        assert_eq!(answer.get("loudness").and_then(Node::as_int), Some(1));

        let refused = server.client().call("hello.say", &[]);
        let reason = b"whom shall I greet?".to_vec();
        assert_eq!(refused, Answer::Fault { code: 400, reason });
    }
}

#[test]
fn a_panic_in_a_command_is_a_fault_and_a_line_in_the_log() {
    for flavor in [Flavor::C, Flavor::Rust] {
        let server = start(flavor);
        let mut client = server.client();
        for _ in 0..3 {
            let answer = client.call("hello.panic", &[]);
            assert!(
                matches!(answer, Answer::Fault { code: 500, .. }),
                "{flavor:?}: {answer}"
            );
        }
        let log = server.log();
        let told =
            |line: &str| line.contains("BUG: hello ") && line.contains("this command always does");
        assert_eq!(log.lines().filter(|line| told(line)).count(), 3, "{log}");

        // The same process goes on, on the same connection.
        let answer = client.call("hello.say", &["bob".into()]);
        assert!(matches!(answer, Answer::Reply(_)), "{flavor:?}: {answer}");
    }
}
