//! What a handler cannot do without.

use harness::builder::Builder;
use harness::failing::{Failing, FailingFromStart, is_possible};
use harness::modules::{Flavor, example};
use harness::server::Server;

use crate::everywhere::{Everywhere, Transport};

/// The core ends a server one of whose processes has ended. A handler with a single
/// socket for datagrams waits in reading from it.
#[test]
fn one_that_cannot_wait_for_events_ends_the_server() {
    if !is_possible() {
        return;
    }
    for transport in [Transport::BinrpcTcp, Transport::JsonTcp] {
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

/// The log of a server that ends with this line. If some of its processes are just
/// starting, the core then waits for a minute, which modules cannot change.
fn log_up_to(line: &str, builder: Builder) -> String {
    let server = builder.ready_on_log(line).try_start();
    server.map_or_else(|ended| ended.log, |server| server.log())
}

/// The core has no poller of this kind, so it is the handler's that cannot be created.
#[test]
fn one_that_cannot_begin_says_why() {
    if !is_possible() {
        return;
    }
    for (fault, reason) in [
        ("epoll_create1:error=EMFILE", "Too many open files"),
        ("epoll_ctl:error=ENOSPC:when=1", "No space left on device"),
    ] {
        let failing = FailingFromStart::calls(&[fault]);
        let line = format!("the handler process cannot go on: cannot wait for events: {reason}");
        let log = log_up_to(&line, builder().launcher(failing.launcher()));
        assert!(log.contains(&line), "{log}");
        assert!(failing.count() > 0);
    }
}

#[test]
fn one_that_another_module_does_not_prepare_says_so() {
    let builder = builder()
        .module_file(&example("faulty"))
        .config(r#"modparam("faulty", "fails", "handlers")"#);
    let line = "the handler process cannot go on: another module failed to prepare it, see above";
    let log = log_up_to(line, builder);
    assert!(log.contains(line), "{log}");
}
