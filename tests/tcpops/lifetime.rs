//! The lifetime of idle connections.

use harness::modules::Flavor;
use harness::sip_server::StreamPorts;
use harness::sip_stream::End;

use crate::script::{answering, ask, id, server};

const CASES: [(&str, &str); 2] = [
    ("live", r#"tcp_set_connection_lifetime("$var(value)")"#),
    (
        "live-of",
        r#"tcp_set_connection_lifetime("$var(id)", "$var(value)")"#,
    ),
];

#[test]
fn a_raised_lifetime_keeps_a_connection() {
    let ports = StreamPorts::free();
    let _server = server(&ports, Flavor::Rust)
        .core_config("tcp_connection_lifetime=5")
        // TLS has a lifetime of its own, ten minutes by default.
        .config(r#"modparam("tls", "connection_timeout", 5)"#)
        .config(&answering(&CASES))
        .start();
    let ways = ports.ways();
    let mut raised = ways.map(|via| ports.connect(via));
    let mut raised_by_number = ways.map(|via| ports.connect(via));
    let mut idle = ways.map(|via| ports.connect(via));
    let mut asking = ports.connect(ways[0]);
    for stream in &mut raised {
        assert_eq!(ask(stream, "live", 0, 1000), 1);
    }
    for stream in &mut raised_by_number {
        let number = id(stream);
        assert_eq!(ask(&mut asking, "live-of", number, 1000), 1);
    }
    for stream in &mut idle {
        assert!(id(stream) > 0);
    }
    for stream in &mut idle {
        assert_eq!(stream.wait_for_end(), End::Fin);
    }
    for stream in raised.iter_mut().chain(&mut raised_by_number) {
        assert!(!stream.has_ended());
        assert!(id(stream) > 0);
    }
}

#[test]
fn the_longest_lifetime_does_not_wrap_around() {
    let ports = StreamPorts::free();
    let _server = server(&ports, Flavor::Rust)
        .core_config("tcp_connection_lifetime=5")
        .config(&answering(&CASES))
        .start();
    let mut stream = ports.connect(ports.ways()[0]);
    let mut idle = ports.connect(ports.ways()[0]);
    // In the core's ticks this is more than it can count.
    let longest = i64::from(i32::MAX);
    assert_eq!(ask(&mut stream, "live", 0, longest), 1);
    assert!(id(&mut idle) > 0);
    assert_eq!(idle.wait_for_end(), End::Fin);
    assert!(!stream.has_ended());
}
