//! Probes over silent connections, read from outside.

use std::time::Duration;

use harness::keepalive::Keepalive;
use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::SipStream;

use crate::script::{answering, ask, id, server};

const CASES: [(&str, &str); 6] = [
    ("enable", r#"tcp_keepalive_enable("11", "4", "6")"#),
    (
        "enable-of",
        r#"tcp_keepalive_enable("$var(id)", "12", "5", "7")"#,
    ),
    (
        "enable-idle",
        r#"tcp_keepalive_enable("$var(id)", "$var(value)", "3", "8")"#,
    ),
    ("disable", "tcp_keepalive_disable()"),
    ("disable-of", r#"tcp_keepalive_disable("$var(id)")"#),
    ("wrong", r#"tcp_keepalive_enable("13", "1000", "9")"#),
];

fn start(ports: &StreamPorts) -> Server {
    server(ports, Flavor::Rust)
        .config(&answering(&CASES))
        .start()
}

fn seen(server: &Server, stream: &SipStream) -> Keepalive {
    Keepalive::of(server, stream.local_addr())
}

fn probes(idle: u64, count: u32, interval: u64) -> Keepalive {
    Keepalive {
        enabled: true,
        idle: Duration::from_secs(idle),
        interval: Duration::from_secs(interval),
        count,
    }
}

#[test]
fn it_is_set_on_the_connection_of_the_message() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        assert_eq!(ask(&mut stream, "enable", 0, 0), 1);
        assert_eq!(seen(&server, &stream), probes(11, 4, 6));
        assert_eq!(ask(&mut stream, "disable", 0, 0), 1);
        assert!(!seen(&server, &stream).enabled);
        // It works by the connection's own number, too.
        let own = id(&mut stream);
        assert_eq!(ask(&mut stream, "enable-of", own, 0), 1);
        assert_eq!(seen(&server, &stream), probes(12, 5, 7));
        assert_eq!(ask(&mut stream, "disable-of", own, 0), 1);
        assert!(!seen(&server, &stream).enabled);
    }
}

#[test]
fn it_is_set_on_another_connection() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    for (via, other) in ports.ways().into_iter().zip(ports.ways().into_iter().rev()) {
        let mut target = ports.connect(via);
        let mut stream = ports.connect(other);
        let target_id = id(&mut target);
        assert_eq!(ask(&mut stream, "enable-idle", target_id, 14), 1);
        assert_eq!(seen(&server, &target), probes(14, 3, 8));
        assert_ne!(seen(&server, &stream), probes(14, 3, 8));
        assert_eq!(ask(&mut stream, "disable-of", target_id, 0), 1);
        assert!(!seen(&server, &target).enabled);
        assert!(!target.has_ended() && !stream.has_ended());
    }
}

#[test]
fn what_the_system_refuses_stays_and_is_logged() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    let mut stream = ports.connect(ports.ways()[0]);
    assert_eq!(ask(&mut stream, "enable", 0, 0), 1);
    assert_eq!(ask(&mut stream, "wrong", 0, 0), 1);
    assert_eq!(seen(&server, &stream), probes(13, 4, 9));
    let log = server.log();
    assert!(
        log.contains("does not take 1000 as number of probes"),
        "{log}"
    );
    let own = id(&mut stream);
    for wrong in [0, -1] {
        assert_eq!(ask(&mut stream, "enable-idle", own, wrong), 1);
        let line = format!("does not take {wrong} as idle time");
        assert!(server.log().contains(&line), "{}", server.log());
    }
}
