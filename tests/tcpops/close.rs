//! `tcp_close_connection`.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::End;

use crate::script::{answering, ask, id, server};

const CASES: [(&str, &str); 2] = [
    ("close", "tcp_close_connection()"),
    ("close-of", r#"tcp_close_connection("$var(id)")"#),
];

fn start(ports: &StreamPorts) -> Server {
    server(ports, Flavor::Rust)
        .config(&answering(&CASES))
        .start()
}

/// Asks over UDP, so that a process answers which owns no connection.
pub(crate) fn ask_over_udp(ports: &StreamPorts, case: &str, id: i64, value: i64) -> i64 {
    ask_at(ports.tcp, case, id, value)
}

pub(crate) fn ask_at(server: SocketAddr, case: &str, id: i64, value: i64) -> i64 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a time limit");
    let own = socket.local_addr().expect("it is bound");
    let request = format!(
        "OPTIONS sip:server@127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP {own};branch=z9hG4bK{id}-{value}\r\n\
         From: <sip:test@127.0.0.1>;tag=1\r\n\
         To: <sip:server@127.0.0.1>\r\n\
         Call-ID: {own}-{id}@test\r\n\
         CSeq: 1 OPTIONS\r\n\
         X-Do: {case}\r\nX-Conid: {id}\r\nX-Value: {value}\r\n\
         Content-Length: 0\r\n\r\n"
    );
    socket
        .send_to(request.as_bytes(), server)
        .expect("the server is there");
    let mut reply = [0; 4096];
    let len = socket.recv(&mut reply).expect("a reply");
    let reply = String::from_utf8_lossy(&reply[..len]).into_owned();
    let line = reply
        .lines()
        .find_map(|line| line.strip_prefix("X-Result: "));
    let result = line.and_then(|text| text.trim().parse().ok());
    result.unwrap_or_else(|| panic!("no result in {reply}"))
}

#[test]
fn the_connection_of_the_message_is_closed() {
    let ports = StreamPorts::free();
    let _server = start(&ports);
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        stream.send("OPTIONS", "X-Do: close\r\n");
        assert_eq!(stream.wait_for_end(), End::Fin);
    }
}

#[test]
fn another_connection_is_closed() {
    let ports = StreamPorts::free();
    let _server = start(&ports);
    for via in ports.ways() {
        let mut target = ports.connect(via);
        let mut stream = ports.connect(via);
        let number = id(&mut target);
        assert_eq!(ask(&mut stream, "close-of", number, 0), 1);
        assert_eq!(target.wait_for_end(), End::Fin);
        assert!(!stream.has_ended());
    }
}

#[test]
fn a_worker_that_owns_no_connection_closes_one() {
    let ports = StreamPorts::free();
    let _server = start(&ports);
    for via in ports.ways() {
        let mut target = ports.connect(via);
        let number = id(&mut target);
        assert_eq!(ask_over_udp(&ports, "close-of", number, 0), 1);
        assert_eq!(target.wait_for_end(), End::Fin);
    }
}

#[test]
fn an_unknown_one_is_told() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    let mut stream = ports.connect(ports.ways()[0]);
    assert_eq!(ask(&mut stream, "close-of", 987_654, 0), -1);
    // A message over UDP has no connection.
    assert_eq!(ask_over_udp(&ports, "close", 0, 0), -1);
    let log = server.log();
    for line in [
        "tcp_close_connection: there is no connection 987654",
        "tcp_close_connection: there is no connection 0",
    ] {
        assert_eq!(log.matches(line).count(), 1, "{line:?} in\n{log}");
    }
}
