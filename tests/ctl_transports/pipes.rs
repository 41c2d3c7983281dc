//! The server's own named pipe, which comes with the server and goes with it.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use harness::builder::Builder;
use harness::linefifo::{Address, ReplyPipe, ask, make_pipe};
use harness::modules::Flavor;
use harness::server::{Server, short_directory};
use rpc_wire::linefifo::client::Arg;

fn described() -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(r#"modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")"#)
        .config(r#"modparam("ctl", "fifo", "{dir}/pipe")"#)
}

fn is_pipe(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|file| file.file_type().is_fifo())
}

fn assert_echoes(server: &Server) {
    let address = Address::Pipe(server.path("pipe"));
    let reply = ask(&address, "core.echo", &[Arg::from("hello")]);
    assert_eq!(reply, b"200 OK\nhello\n");
}

#[test]
fn it_is_removed_at_the_end() {
    let mut server = described().start();
    let pipe = server.path("pipe");
    assert!(is_pipe(&pipe));
    assert_echoes(&server);
    server.stop();
    assert!(!pipe.exists());
}

#[test]
fn one_that_a_crash_left_is_replaced() {
    let place = short_directory();
    let start = || described().directory(place.path()).start();
    let mut crashed = start();
    crashed.crash();
    assert!(
        is_pipe(&crashed.path("pipe")),
        "nobody was left to remove it"
    );
    assert_echoes(&start());
}

#[test]
fn one_that_was_made_by_hand_is_replaced() {
    let place = short_directory();
    make_pipe(&place.path().join("pipe"));
    assert_echoes(&described().directory(place.path()).start());
}

/// A file that an operator names by mistake is kept.
#[test]
fn another_file_is_not() {
    let place = short_directory();
    let file = place.path().join("pipe");
    fs::write(&file, "precious").expect("a new file");
    let failed = described().directory(place.path()).start_failing();
    assert!(!failed.status.success());
    let told = |line: &str| line.contains("ERROR: ctl ") && line.contains("something else");
    assert!(failed.log.lines().any(told), "{}", failed.log);
    assert_eq!(fs::read_to_string(&file).ok().as_deref(), Some("precious"));
}

#[test]
fn it_serves_one_client_after_the_other() {
    let server = described().start();
    // Each opens the pipe and closes it again, so that between two of them only the
    // server has it open for writing.
    for _ in 0..200 {
        assert_echoes(&server);
    }
}

/// The client waits for a reply to a request that will never be complete.
#[test]
fn a_request_whose_writer_has_left_is_refused() {
    let server = described().start();
    let mut reply = ReplyPipe::new();
    let half = format!(":core.echo:{}\nhello\n", reply.name());
    fs::write(server.path("pipe"), half).expect("the server reads");
    let refused = reply.read_all().expect("a reply");
    assert!(refused.starts_with(b"400 "), "{}", refused.escape_ascii());
    assert_echoes(&server);
}
