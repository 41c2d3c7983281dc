//! Tests of docs/faults.md about the functions of `tcpops`: whatever fails costs one
//! call.

use std::process::Command;

use harness::failing::{Failing, is_possible};
use harness::keepalive::Keepalive;
use harness::modules::Flavor;
use harness::process::open_files;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{End, SipStream, Via};
use harness::wait;
use rustix::process::{Pid, Signal, kill_process};

use crate::close::ask_over_udp;
use crate::script::{answering, id, logged, server};

pub(crate) const CASES: [(&str, &str); 4] = [
    (
        "enable",
        r#"tcp_keepalive_enable("$var(id)", "31", "4", "6")"#,
    ),
    ("disable", r#"tcp_keepalive_disable("$var(id)")"#),
    ("close", r#"tcp_close_connection("$var(id)")"#),
    ("alive", r#"tcp_conid_alive("$var(id)")"#),
];

/// The process whose calls fail: the one that runs the script, or the one that owns all
/// connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    Worker,
    TcpMain,
}

/// A function, the calls that fail, the result for the script and the text in the log,
/// if there is one. A worker first looks for a late answer, which is its first
/// `recvmsg`.
const CALLS: [(&str, Process, &str, i64, &str); 16] = [
    (
        "enable",
        Process::Worker,
        "sendto:error=EPIPE:when=1",
        -1,
        "tcp_keepalive_enable: TCP main cannot be asked: Broken pipe",
    ),
    (
        "enable",
        Process::Worker,
        "sendto:error=EINTR:when=1",
        1,
        "",
    ),
    (
        "enable",
        Process::Worker,
        "recvmsg:error=EINTR:when=2",
        1,
        "",
    ),
    (
        "enable",
        Process::Worker,
        "recvmsg:error=ENOMEM:when=2",
        1,
        "",
    ),
    (
        "enable",
        Process::Worker,
        "recvmsg:error=ENOMEM:when=2+",
        -1,
        "tcp_keepalive_enable: the answer of TCP main is lost: Cannot allocate memory",
    ),
    (
        "enable",
        Process::TcpMain,
        "sendmsg:error=ETOOMANYREFS:when=1",
        -1,
        "tcp_keepalive_enable: TCP main has no descriptor for the connection",
    ),
    (
        "enable",
        Process::TcpMain,
        "sendmsg:error=EINTR:when=1",
        1,
        "",
    ),
    (
        "enable",
        Process::Worker,
        "setsockopt:error=ENOBUFS:when=1",
        -1,
        "tcp_keepalive_enable: keepalive cannot be enabled: No buffer space available",
    ),
    (
        "enable",
        Process::Worker,
        "setsockopt:error=ENOBUFS:when=2",
        1,
        "tcp_keepalive_enable: the system does not take 31 as idle time: No buffer space",
    ),
    (
        "enable",
        Process::Worker,
        "setsockopt:error=ENOBUFS:when=3",
        1,
        "tcp_keepalive_enable: the system does not take 4 as number of probes: No buffer space",
    ),
    (
        "enable",
        Process::Worker,
        "setsockopt:error=ENOBUFS:when=4",
        1,
        "tcp_keepalive_enable: the system does not take 6 as interval: No buffer space",
    ),
    (
        "disable",
        Process::Worker,
        "sendto:error=ECONNRESET:when=1",
        -1,
        "tcp_keepalive_disable: TCP main cannot be asked: Connection reset by peer",
    ),
    (
        "disable",
        Process::Worker,
        "setsockopt:error=ENOBUFS:when=1",
        -1,
        "tcp_keepalive_disable: keepalive cannot be disabled: No buffer space available",
    ),
    (
        "close",
        Process::Worker,
        "sendto:error=EPIPE:when=1",
        -2,
        "tcp_close_connection: TCP main cannot be asked: Broken pipe",
    ),
    (
        "close",
        Process::Worker,
        "sendto:error=ENOBUFS:when=1",
        -2,
        "tcp_close_connection: TCP main cannot be asked: No buffer space available",
    ),
    ("close", Process::Worker, "sendto:error=EINTR:when=1", 1, ""),
];

fn start(ports: &StreamPorts) -> Server {
    server(ports, Flavor::Rust)
        .config(&answering(&CASES))
        .config(
            r#"
            event_route[tcp:closed] { xlog("L_NOTICE", "ENDED $tcp(conid)\n"); }
            "#,
        )
        .start()
}

/// The first process whose description begins like this.
fn process(server: &Server, start: &str) -> Pid {
    let answer = server.client().call("core.ps", &[]);
    answer
        .values()
        .chunks_exact(2)
        .find(|process| {
            process[1]
                .as_str()
                .is_some_and(|name| name.starts_with(start))
        })
        .and_then(|process| Pid::from_raw(process[0].as_int()?))
        .unwrap_or_else(|| panic!("no {start:?} among\n{answer}"))
}

pub(crate) fn pid(server: &Server, process_of: Process) -> Pid {
    match process_of {
        Process::Worker => process(server, "udp receiver"),
        Process::TcpMain => process(server, "tcp main process"),
    }
}

/// Asks the worker for UDP, which reads from no connection.
fn call(ports: &StreamPorts, function: &str, id: i64) -> i64 {
    ask_over_udp(ports, function, id, 0)
}

/// Asserts that the worker can do everything with its connection and with the next one.
fn assert_well(server: &Server, ports: &StreamPorts, via: Via<'_>) {
    let mut target = ports.connect(via);
    let number = id(&mut target);
    assert_eq!(call(ports, "enable", number), 1);
    let keepalive = Keepalive::of(server, target.local_addr());
    assert_eq!((keepalive.idle.as_secs(), keepalive.count), (31, 4));
    assert_eq!(call(ports, "disable", number), 1);
    assert_eq!(call(ports, "close", number), 1);
    assert_eq!(target.wait_for_end(), End::Fin);
}

#[test]
fn a_call_that_fails_costs_one_function() {
    if !is_possible() {
        return;
    }
    let ports = StreamPorts::free();
    let server = start(&ports);
    let processes = server.processes();
    let worker = pid(&server, Process::Worker);
    let before = open_files(worker);
    for (function, process_of, fault, result, line) in CALLS {
        let process = pid(&server, process_of);
        let lines = || server.log().matches(line).count();
        for via in ports.ways() {
            let before_it = lines();
            // A function writes at most five lines a second.
            wait::until(line, || {
                let mut target = ports.connect(via);
                let number = id(&mut target);
                let failing = Failing::calls(process, &[fault]);
                assert_eq!(call(&ports, function, number), result, "{fault} {via:?}");
                failing.wait_for(1);
                drop(failing);
                assert_eq!(open_files(worker), before, "{fault} {via:?}");
                assert_well(&server, &ports, via);
                // The connection has lost nothing.
                if (function, result) != ("close", 1) {
                    assert_eq!(call(&ports, "alive", number), 1, "{fault} {via:?}");
                    assert_eq!(call(&ports, "close", number), 1, "{fault} {via:?}");
                }
                assert_eq!(target.wait_for_end(), End::Fin, "{fault} {via:?}");
                line.is_empty() || lines() > before_it
            });
        }
    }
    assert_eq!(server.processes(), processes);
    assert!(!server.log().contains("BUG"), "{}", server.log());
}

/// The system drops a descriptor for which the process has no place.
#[test]
fn a_worker_without_descriptors_is_told() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    let worker = pid(&server, Process::Worker);
    let allow = |soft: &str| {
        let pid = worker.as_raw_pid().to_string();
        let limit = format!("--nofile={soft}:");
        let status = Command::new("prlimit")
            .args(["--pid", &pid, &limit])
            .status();
        assert!(status.expect("util-linux is installed").success());
    };
    let mut target = ports.connect(Via::Tcp);
    let number = id(&mut target);
    allow("3");
    assert_eq!(call(&ports, "enable", number), -1);
    logged(&server, "TCP main has no descriptor for the connection");
    allow("1000");
    assert_eq!(call(&ports, "enable", number), 1);
    assert_well(&server, &ports, Via::Tcp);
}

fn open_connections(server: &Server) -> i32 {
    let answer = server.client().call("core.tcp_info", &[]);
    let count = answer.values()[0].get("opened_connections");
    count.and_then(|count| count.as_int()).expect("a number")
}

/// Ends a connection while a worker works on it and has been stopped for a moment, so
/// that the last reference is the worker's. `faults` may make its next calls fail.
fn end_meanwhile(server: &Server, ports: &StreamPorts, faults: &[&str]) -> i64 {
    let worker = pid(server, Process::Worker);
    let mut target: SipStream = ports.connect(Via::Tcp);
    let number = id(&mut target);
    let faults = [&["setsockopt:signal=SIGSTOP:when=1"], faults].concat();
    let failing = Failing::calls(worker, &faults);
    let result = std::thread::scope(|scope| {
        let asked = scope.spawn(|| call(ports, "enable", number));
        wait::until("it has stopped", || {
            failing.record().contains("stopped by SIGSTOP")
        });
        target.close();
        logged(server, &format!("ENDED {number}\n"));
        kill_process(worker, Signal::CONT).expect("it is there");
        asked.join().expect("it is answered")
    });
    assert_eq!(result, 1);
    number
}

#[test]
fn a_connection_that_ends_meanwhile_is_freed() {
    if !is_possible() {
        return;
    }
    let ports = StreamPorts::free();
    let server = start(&ports);
    let before = open_connections(&server);
    let number = end_meanwhile(&server, &ports, &[]);
    wait::until("it is freed", || open_connections(&server) == before);
    assert_well(&server, &ports, Via::Tcp);
    // TCP main was told twice that it ended, but must run the route once.
    let ended = server
        .log()
        .lines()
        .filter(|line| line.ends_with(&format!("ENDED {number}")))
        .count();
    assert_eq!(ended, 1, "{}", server.log());
}

#[test]
fn one_that_cannot_be_freed_is_told_and_others_are_well() {
    if !is_possible() {
        return;
    }
    let ports = StreamPorts::free();
    let server = start(&ports);
    // The first call asks for the descriptor.
    let number = end_meanwhile(&server, &ports, &["sendto:error=EPIPE:when=2"]);
    let line = format!("connection {number} is not freed: TCP main cannot be asked: Broken pipe");
    logged(&server, &line);
    assert_well(&server, &ports, Via::Tcp);
}
