//! System calls that fail in the course of a request, each of them once. Each line of
//! the tables has the cost; all other clients are still served.

use std::collections::HashMap;

use harness::failing::{Failing, is_possible};
use harness::process::open_files;
use harness::server::Server;
use harness::wait;
use rustix::process::Pid;

use crate::everywhere::{Everywhere, Transport};

/// The cost of a failing call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    /// The request is answered.
    Nothing,
    /// The request is not answered, but the connection or the socket can still be used.
    Answer,
    /// The request is not answered, and its connection is closed.
    Connection,
}

/// Calls that fail with an error, the cost, and the text in the log, if there is one.
type Fault = (&'static str, Cost, &'static str);

/// The calls for a client that is new.
const ARRIVING: [Fault; 14] = [
    ("accept4:error=ECONNABORTED", Cost::Nothing, ""),
    ("accept4:error=EINTR", Cost::Nothing, ""),
    ("accept4:error=EAGAIN", Cost::Nothing, ""),
    (
        "accept4:error=EMFILE",
        Cost::Nothing,
        "cannot accept a connection on {}: Too many open files",
    ),
    (
        "accept4:error=ENFILE",
        Cost::Nothing,
        "cannot accept a connection on {}: Too many open files in system",
    ),
    (
        "accept4:error=ENOMEM",
        Cost::Nothing,
        "cannot accept a connection on {}: Cannot allocate memory",
    ),
    (
        "accept4:error=ENOBUFS",
        Cost::Nothing,
        "cannot accept a connection on {}: No buffer space available",
    ),
    (
        "epoll_ctl:error=ENOSPC",
        Cost::Connection,
        "on {} is refused: No space left on device",
    ),
    (
        "epoll_ctl:error=ENOMEM",
        Cost::Connection,
        "on {} is refused: Cannot allocate memory",
    ),
    ("setsockopt:error=ENOBUFS", Cost::Nothing, ""),
    ("getpeername:error=ENOTCONN", Cost::Nothing, ""),
    ("getsockopt:error=ENOBUFS", Cost::Nothing, ""),
    (
        "getpeername:error=ENOTCONN epoll_ctl:error=ENOMEM",
        Cost::Connection,
        "a client without an address on {} is refused",
    ),
    (
        "getsockopt:error=ENOBUFS epoll_ctl:error=ENOMEM",
        Cost::Connection,
        "a local process on {} is refused",
    ),
];

/// The calls for a request of a connected client.
const OVER_STREAMS: [Fault; 11] = [
    ("recvfrom:error=EAGAIN", Cost::Nothing, ""),
    ("recvfrom:error=EINTR", Cost::Nothing, ""),
    ("recvfrom:error=ECONNRESET", Cost::Connection, ""),
    ("recvfrom:error=ETIMEDOUT", Cost::Connection, ""),
    ("recvfrom:error=EHOSTUNREACH", Cost::Connection, ""),
    ("recvfrom:error=ENOMEM", Cost::Connection, ""),
    ("sendto:error=EAGAIN", Cost::Nothing, ""),
    ("sendto:error=EINTR", Cost::Nothing, ""),
    ("sendto:error=EPIPE", Cost::Connection, ""),
    ("sendto:error=ECONNRESET", Cost::Connection, ""),
    ("sendto:error=ENOBUFS", Cost::Connection, ""),
];

const OVER_DATAGRAMS: [Fault; 12] = [
    ("recvmmsg:error=EAGAIN", Cost::Nothing, ""),
    ("recvmmsg:error=EINTR", Cost::Nothing, ""),
    (
        "recvmmsg:error=ECONNREFUSED",
        Cost::Nothing,
        "on {}: Connection refused",
    ),
    (
        "recvmmsg:error=EHOSTUNREACH",
        Cost::Nothing,
        "on {}: No route to host",
    ),
    (
        "recvmmsg:error=ENOMEM",
        Cost::Nothing,
        "on {}: Cannot allocate memory",
    ),
    ("sendto:error=EAGAIN", Cost::Nothing, ""),
    ("sendto:error=EINTR", Cost::Nothing, ""),
    ("sendto:error=ENOBUFS", Cost::Nothing, ""),
    (
        "sendto:error=EPERM",
        Cost::Answer,
        "bytes is lost: Operation not permitted",
    ),
    (
        "sendto:error=ENETUNREACH",
        Cost::Answer,
        "bytes is lost: Network is unreachable",
    ),
    (
        "sendto:error=ECONNREFUSED",
        Cost::Answer,
        "bytes is lost: Connection refused",
    ),
    (
        "sendto:error=ENOENT",
        Cost::Answer,
        "bytes is lost: No such file or directory",
    ),
];

/// `read` is from the server's pipe, and all other calls concern the client's.
const OVER_PIPES: [Fault; 11] = [
    ("read:error=EAGAIN", Cost::Nothing, ""),
    ("read:error=EINTR", Cost::Nothing, ""),
    (
        "read:error=EIO",
        Cost::Nothing,
        "cannot read from {}: Input/output error",
    ),
    ("openat:error=EMFILE", Cost::Nothing, ""),
    ("openat:error=ENFILE", Cost::Nothing, ""),
    (
        "openat:error=EACCES",
        Cost::Answer,
        "no reply to /tmp/{}: Permission denied",
    ),
    (
        "openat:error=ENOMEM",
        Cost::Answer,
        "no reply to /tmp/{}: Cannot allocate memory",
    ),
    (
        "statx:error=EIO",
        Cost::Answer,
        "no reply to /tmp/{}: Input/output error",
    ),
    ("write:error=EAGAIN", Cost::Nothing, ""),
    ("write:error=EINTR", Cost::Nothing, ""),
    (
        "write:error=EPIPE",
        Cost::Answer,
        "no reply to /tmp/{}: Broken pipe",
    ),
];

/// A server, and the numbers of its handlers' descriptors before anything failed.
struct Scene {
    everywhere: Everywhere,
    server: Server,
    handlers: HashMap<&'static str, Pid>,
    open: HashMap<&'static str, usize>,
}

impl Scene {
    fn new() -> Self {
        let everywhere = Everywhere::new();
        let server = everywhere.builder("").start();
        let names = Transport::ALL
            .into_iter()
            .filter(|transport| *transport != Transport::JsonHttp)
            .map(Transport::handler);
        let handlers: HashMap<_, _> = names.map(|name| (name, server.process(name))).collect();
        let open = handlers.iter().map(|(name, pid)| (*name, open_files(*pid)));
        Self {
            open: open.collect(),
            everywhere,
            server,
            handlers,
        }
    }

    fn handler(&self, transport: Transport) -> Pid {
        self.handlers[transport.handler()]
    }

    /// Makes a call fail, and does so again if the log has no line about it: one place
    /// in the code logs at most five lines a second.
    fn provoke(&self, transport: Transport, fault: Fault, once: impl Fn(Transport, Fault)) {
        let (call, _, line) = fault;
        let parts: Vec<&str> = line.split("{}").collect();
        let count = || {
            let log = self.server.log();
            let is_told = |line: &&str| parts.iter().all(|part| line.contains(part));
            log.lines().filter(is_told).count()
        };
        let before = count();
        wait::until(&format!("{transport:?}, {call}: {line:?}"), || {
            once(transport, fault);
            line.is_empty() || count() > before
        });
    }

    /// Asserts that no other client has a loss, and that nothing is left behind.
    fn assert_well(&self, transport: Transport) {
        let mut other = self.everywhere.client(&self.server, transport);
        assert!(other.is_answered(), "{transport:?}");
    }

    fn end(mut self) {
        for client in &mut self.everywhere.clients(&self.server) {
            assert!(client.is_answered(), "{:?}", client.transport);
        }
        wait::until("the descriptors are what they were", || {
            self.open
                .iter()
                .all(|(name, before)| open_files(self.handlers[name]) <= *before)
        });
        assert!(self.server.exit_status().is_none());
        assert!(!self.server.log().contains("BUG"), "{}", self.server.log());
    }
}

#[test]
fn a_client_that_arrives() {
    if !is_possible() {
        return;
    }
    let scene = Scene::new();
    for fault in ARRIVING {
        for transport in Transport::STREAMS {
            // Only the causes in the tables are expected there.
            let call = fault.0;
            let unix = transport == Transport::BinrpcUnixStream;
            if (unix && (call.starts_with("setsockopt") || call.starts_with("getpeername")))
                || (!unix && call.starts_with("getsockopt"))
            {
                continue;
            }
            scene.provoke(transport, fault, |transport, (call, cost, _)| {
                let failing = fail_once(scene.handler(transport), call);
                let mut client = scene.everywhere.client(&scene.server, transport);
                match cost {
                    Cost::Connection => assert!(client.is_closed(), "{transport:?}, {call}"),
                    _ => assert!(client.is_answered(), "{transport:?}, {call}"),
                }
                failing.wait_for(1);
                drop(failing);
                scene.assert_well(transport);
            });
        }
    }
    scene.end();
}

/// Makes each of these calls fail, only the first time.
fn fail_once(process: Pid, calls: &str) -> Failing {
    let faults = calls.split(' ').map(|call| format!("{call}:when=1"));
    let faults: Vec<String> = faults.collect();
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    Failing::calls(process, &faults)
}

/// Makes a call fail while a connected client asks.
fn ask_while_failing(scene: &Scene, transport: Transport, (call, cost, _): Fault) {
    let mut client = scene.everywhere.client(&scene.server, transport);
    // The connection may be new to its handler.
    assert!(client.is_answered(), "{transport:?}, {call}");
    let failing = fail_once(scene.handler(transport), call);
    client.tell("core.echo", &["first"]);
    match cost {
        Cost::Nothing => {
            let answer = client.hear(1);
            assert!(answer.contains("first"), "{transport:?}, {call}: {answer}");
        }
        Cost::Connection => assert!(client.is_closed(), "{transport:?}, {call}"),
        Cost::Answer => {}
    }
    failing.wait_for(1);
    drop(failing);
    scene.assert_well(transport);
    if cost != Cost::Connection {
        // Over a datagram socket the lost answer would come first.
        assert!(client.is_answered(), "{transport:?}, {call}");
    }
}

fn provoke_all(transports: &[Transport], faults: &[Fault]) {
    if !is_possible() {
        return;
    }
    let scene = Scene::new();
    for fault in faults {
        for transport in transports {
            scene.provoke(*transport, *fault, |transport, fault| {
                ask_while_failing(&scene, transport, fault);
            });
        }
    }
    scene.end();
}

#[test]
fn a_request_over_a_connection() {
    provoke_all(&Transport::STREAMS, &OVER_STREAMS);
}

#[test]
fn a_request_in_a_datagram() {
    provoke_all(&Transport::DATAGRAMS, &OVER_DATAGRAMS);
}

#[test]
fn a_request_through_a_pipe() {
    provoke_all(&Transport::PIPES, &OVER_PIPES);
}

/// The first `epoll_ctl` removes the listener, and the second puts it back.
#[test]
fn a_listener_that_rests_is_back_whatever_fails() {
    if !is_possible() {
        return;
    }
    let scene = Scene::new();
    for transport in Transport::STREAMS {
        let handler = scene.handler(transport);
        let faults = [
            "accept4:error=EMFILE:when=1",
            "epoll_ctl:error=ENOMEM:when=2",
        ];
        let failing = Failing::calls(handler, &faults);
        let mut client = scene.everywhere.client(&scene.server, transport);
        assert!(client.is_answered(), "{transport:?}");
        assert_eq!(failing.count(), 2);
        drop(failing);
        let lines = || scene.server.log().matches("cannot listen again").count();
        let before = lines();
        let faults = [
            "accept4:error=EMFILE:when=1",
            "epoll_ctl:error=ENOMEM:when=1",
        ];
        let failing = Failing::calls(handler, &faults);
        let mut client = scene.everywhere.client(&scene.server, transport);
        wait::until("it would be put back", || {
            failing.record().contains("EEXIST")
        });
        assert!(client.is_answered(), "{transport:?}");
        drop(failing);
        scene.assert_well(transport);
        assert_eq!(lines(), before, "{}", scene.server.log());
    }
    assert!(
        scene
            .server
            .log()
            .contains("cannot listen again: Cannot allocate memory")
    );
    scene.end();
}
