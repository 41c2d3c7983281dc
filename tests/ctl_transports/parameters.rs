//! Parameters that only exist for old configurations.

use harness::modules::Flavor;
use harness::server::Server;
use rpc_wire::binrpc::client::{Answer, Arg, Node};

/// The C module limits replies by them; the smallest value that it accepts would make
/// most replies impossible.
#[test]
fn sizes_are_accepted_and_limit_nothing() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "htable"])
        .config(
            r#"
            modparam("htable", "htable", "t=>size=2")
            modparam("ctl", "binrpc_max_body_size", 1)
            modparam("ctl", "binrpc_struct_max_body_size", 1)
            modparam("ctl", "binrpc_buffer_size", 1)
            "#,
        )
        .start();
    let mut client = server.client();
    let long = "x".repeat(100_000);
    let set = ["t".into(), "name".into(), Arg::from(&*long)];
    client.call("htable.sets", &set);

    let echo = client.call("core.echo", &[Arg::from(&*long)]);
    assert_eq!(
        echo,
        Answer::Reply(vec![Node::Str(long.clone().into_bytes())])
    );
    let answer = client.call("htable.get", &["t".into(), "name".into()]);
    let item = answer.values().first().and_then(|value| value.get("item"));
    let value = item.and_then(|item| item.get("value")?.as_str());
    assert_eq!(value, Some(&*long));
}

/// `cfg.set_now_int` asks for an int, and not for a text that could be converted.
#[test]
fn parameters_are_converted_only_where_that_is_asked_for() {
    let [refused, accepted] = [0, 1].map(|on| {
        let server = Server::builder(Flavor::Rust)
            .modules(["ctl", "cfg_rpc"])
            .config(&format!(r#"modparam("ctl", "autoconversion", {on})"#))
            .start();
        let set = ["core".into(), "debug".into(), "1".into()];
        server.client().call("cfg.set_now_int", &set)
    });
    let reason = b"error at parameter 2: expected integer type but record doesn't match type";
    assert!(
        matches!(&refused, Answer::Fault { code: 400, reason: told } if told == reason),
        "{refused}"
    );
    assert!(matches!(accepted, Answer::Reply(_)), "{accepted}");
}
