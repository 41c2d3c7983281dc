//! What a handler cannot go on without.

use harness::builder::Builder;
use harness::failing::{Failing, FailingFromStart, is_possible};
use harness::modules::{Flavor, example};
use harness::server::Server;

use crate::everywhere::{Everywhere, Transport};

/// The core ends a server one of whose processes has ended.
#[test]
fn one_that_cannot_wait_for_events_ends_the_server() {
    if !is_possible() {
        return;
    }
    for transport in [
        Transport::BinrpcTcp,
        Transport::JsonDatagram,
        Transport::JsonPipe,
        Transport::JsonTcp,
        Transport::MiDatagram,
    ] {
        let mut server = Everywhere::new().builder("").start();
        let handler = server.process(transport.handler());
        let _failing = Failing::calls(handler, &["epoll_pwait:error=EBADF:when=1"]);
        server.wait_exit();
        let log = server.log();
        let reason =
            "the handler process cannot go on: cannot wait for events: Bad file descriptor";
        assert_eq!(log.matches(reason).count(), 1, "{transport:?}: {log}");
    }
}

fn builder() -> Builder {
    Server::builder(Flavor::Rust).modules(["ctl"])
}

/// The core has no poller of this kind, so it is the handler's that cannot be
/// made.
#[test]
fn one_that_cannot_begin_ends_the_server() {
    if !is_possible() {
        return;
    }
    for (fault, reason) in [
        ("epoll_create1:error=EMFILE", "Too many open files"),
        ("epoll_ctl:error=ENOSPC:when=1", "No space left on device"),
    ] {
        let failing = FailingFromStart::calls(&[fault]);
        let ended = builder().launcher(failing.launcher()).start_failing();
        let line = "the handler process cannot go on: cannot wait for events";
        assert!(
            ended.log.contains(&format!("{line}: {reason}")),
            "{}",
            ended.log
        );
        assert!(failing.count() > 0);
    }
}

#[test]
fn one_that_another_module_does_not_prepare_ends_the_server() {
    let ended = builder()
        .module_file(&example("faulty"))
        .config(r#"modparam("faulty", "fails", "handlers")"#)
        .start_failing();
    let line = "the handler process cannot go on: another module failed to prepare it, see above";
    assert!(ended.log.contains(line), "{}", ended.log);
}
