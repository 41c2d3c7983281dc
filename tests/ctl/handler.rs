//! The handler process: the server knows it by its name, tells it about changes of the
//! configuration, and ends it with the rest.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use harness::binrpc::{Client, decode, request};
use harness::jsonrpc;
use harness::modules::Flavor;
use harness::server::Server;
use rpc_wire::binrpc::client::{Answer, Node};
use rustix::process::{Signal, kill_process};

fn start() -> Server {
    Server::builder(Flavor::Rust)
        .modules(["ctl", "cfg_rpc"])
        .start()
}

#[test]
fn it_has_the_name_of_the_c_modules() {
    let server = start();
    let handler = server.process("ctl handler");
    assert!(server.processes().contains(&handler));
    assert_ne!(handler, server.pid());
}

#[test]
fn it_sees_what_a_command_of_its_own_changes() {
    let server = start();
    let mut client = server.client();
    for level in [1, 3, 0] {
        set_debug(&mut client, level);
        assert_eq!(debug(&mut client), level);
        // Another connection leads to the same process.
        assert_eq!(debug(&mut server.client()), level);
    }
}

/// Each process has its own copy of the configuration, and renews it before it does
/// something.
#[test]
fn it_sees_what_another_process_changes() {
    let server = Server::builder(Flavor::Rust)
        .from_c("jsonrpcs")
        .modules(["ctl", "cfg_rpc", "jsonrpcs"])
        .config(
            r#"
            modparam("jsonrpcs", "transport", 4)
            modparam("jsonrpcs", "dgram_socket", "{dir}/jsonrpc")
            "#,
        )
        .start();
    let mut client = server.client();
    for level in [1, 3, 0] {
        set_debug_over_json(&server.path("jsonrpc"), level);
        assert_eq!(debug(&mut client), level);
    }
    // The change works in the other direction, too.
    set_debug(&mut client, 2);
    assert_eq!(debug(&mut client), 2);
}

/// Warnings have level 0.
#[test]
fn it_logs_at_the_level_that_was_set() {
    let server = start();
    let mut client = server.client();
    let warnings = |level| {
        set_debug(&mut client, level);
        server.client().call_raw(b"not BINRPC");
        server.log().matches("bad request").count()
    };
    assert_eq!([-1, 0].map(warnings), [0, 1], "{}", server.log());
}

fn set_debug(client: &mut Client, level: i32) {
    let answer = client.call(
        "cfg.set_now_int",
        &["core".into(), "debug".into(), level.into()],
    );
    assert_eq!(answer, Answer::Reply(vec![]));
}

fn debug(client: &mut Client) -> i32 {
    let answer = client.call("cfg.get", &["core".into(), "debug".into()]);
    let level = answer.values().first().and_then(Node::as_int);
    level.unwrap_or_else(|| panic!("the level is\n{answer}"))
}

fn set_debug_over_json(socket: &Path, level: i32) {
    let params = format!(r#""core","debug",{level}"#);
    let reply = jsonrpc::call(socket, "cfg.set_now_int", &params);
    assert!(reply.contains("\"result\""), "{reply}");
}

/// The command sends its reply itself, before it sends the signal.
#[test]
fn core_kill_is_answered_before_the_server_ends() {
    let mut server = start();
    let answer = server.client().call("core.kill", &[15.into()]);
    assert_eq!(answer, Answer::Reply(vec![]));
    let status = server.wait_exit();
    assert!(status.success(), "{status}");
    assert!(!server.socket().exists());
}

#[test]
fn requests_before_core_kill_are_answered_too() {
    let mut server = start();
    let mut client = server.client();
    let echo = request("core.echo", &["first".into()], 1);
    let kill = request("core.kill", &[15.into()], 2);
    client
        .send(&[echo, kill].concat())
        .expect("the server reads");
    for cookie in [1, 2] {
        let packet = client.receive().expect("an answer");
        let (header, _) = decode(&packet).expect("a good answer");
        assert_eq!(header.cookie, cookie);
    }
    server.wait_exit();
}

/// The same holds for each of the server's processes. The main one removes the files.
#[test]
fn the_server_ends_when_the_handler_is_killed() {
    let mut server = start();
    let handler = server.process("ctl handler");
    kill_process(handler, Signal::KILL).expect("it lives");
    let status = server.wait_exit();
    assert!(!status.success(), "{status} {:?}", status.signal());
    assert!(!server.socket().exists());
}
