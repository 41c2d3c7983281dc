//! UDP, where anybody can forge a sender. Some packets are not answered, so that no two
//! services answer each other for ever, and an answer to a small packet is limited,
//! because it may go to a victim.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

use harness::binrpc;
use harness::ctl_listeners::{CtlListeners, STREAM, local};
use harness::linefifo;
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use harness::wait::patience;
use rpc_wire::binrpc::client::{Answer, Arg};

/// A protocol over UDP, with a request that its service always answers.
struct Service {
    name: &'static str,
    address: SocketAddr,
    request: Vec<u8>,
}

/// A server that speaks every protocol over UDP.
struct UdpServer {
    server: Server,
    services: [Service; 4],
}

impl UdpServer {
    fn new() -> Self {
        let listeners = CtlListeners::new();
        let [json, mi] = [local(free_port()), local(free_port())];
        let server = Server::builder(Flavor::Rust)
            .modules(["ctl", "htable", "jsonrpcs", "mi_datagram"])
            .config(&listeners.config())
            .config(&format!(
                r#"
                modparam("htable", "htable", "t=>size=8;")
                modparam("jsonrpcs", "transport", 4)
                modparam("jsonrpcs", "pretty_format", 0)
                modparam("jsonrpcs", "dgram_workers", 1)
                modparam("jsonrpcs", "dgram_socket", "udp:{json}")
                modparam("mi_datagram", "socket_name", "udp:{mi}")
                "#
            ))
            .socket(STREAM)
            .start();
        let [_, _, binrpc::Address::Udp(packets), _] = listeners.binrpc(&server) else {
            unreachable!("the third is UDP");
        };
        let [_, linefifo::Address::Udp(lines), _] = listeners.lines(&server) else {
            unreachable!("the second is UDP");
        };
        let service = |name, address, request: &[u8]| Service {
            name,
            address,
            request: request.to_vec(),
        };
        let echo = binrpc::request("core.echo", &["a".into()], 7);
        let document = br#"{"jsonrpc":"2.0","method":"core.echo","params":["a"],"id":7}"#;
        let services = [
            service("BINRPC", packets, &echo),
            service("the line protocol", lines, b":core.echo:\na\n\n"),
            service("JSON-RPC", json, document),
            service("the Management Interface", mi, b":core.echo:\na\n"),
        ];
        UdpServer { server, services }
    }
}

impl Service {
    fn client(&self) -> UdpSocket {
        let client = UdpSocket::bind((self.address.ip(), 0)).expect("a new socket");
        client.connect(self.address).expect("a way there");
        client
            .set_read_timeout(Some(patience()))
            .expect("a time limit");
        client
    }

    /// All datagrams that answer this one, up to the answer to a request that is sent
    /// behind it.
    fn answers(&self, datagram: &[u8]) -> Vec<Vec<u8>> {
        let client = self.client();
        let receive = || {
            let mut answer = vec![0; 1 << 16];
            let len = client.recv(&mut answer).expect("an answer");
            answer.truncate(len);
            answer
        };
        client.send(&self.request).expect("a way there");
        let last = receive();
        client.send(datagram).expect("a way there");
        client.send(&self.request).expect("a way there");
        std::iter::from_fn(|| Some(receive()).filter(|answer| *answer != last)).collect()
    }

    /// The ratio of the bytes in the answers to those in this datagram.
    fn factor(&self, datagram: &[u8]) -> f64 {
        let answers = self.answers(datagram).concat();
        answers.len() as f64 / datagram.len() as f64
    }
}

/// Datagrams that are not a request of any protocol.
const GARBAGE: [&[u8]; 20] = [
    b"",
    b"\n",
    b"x",
    b"Sat Nov 28 07:12:34 2026\r\n",
    b"\xa1",
    b"\xa1\x0f\x00\x00\x00\x05\x00\x00\x00",
    b"\xa1\x20\x00\x07",
    b"\xa2\x00\x00\x07",
    b":",
    b"::\n\n",
    b":core.version\n\n",
    b":irc.example.org NOTICE * :*** Looking up your hostname\r\n",
    b"{",
    b"{}",
    b"[]",
    b"[{},{}]",
    br#"{"id":1,"params":{"method":"core.version"}}"#,
    br#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Inva"#,
    br#"[{"jsonrpc":"2.0","result":{},"id":1}]"#,
    b"\x12\x34\x81\x80\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01",
];

#[test]
fn what_shows_no_sign_of_a_request_is_not_answered() {
    let udp = UdpServer::new();
    for service in &udp.services {
        for garbage in GARBAGE {
            let answers = service.answers(garbage);
            let (name, garbage) = (service.name, garbage.escape_ascii());
            assert!(answers.is_empty(), "{name} answers {garbage}");
        }
    }
    let line = "sent \"Sat Nov 28 07:12:34 2026\\r\\n\", which is no request; it is not answered";
    let log = udp.server.log();
    let told = log.lines().find(|told| told.contains(line));
    assert!(
        told.is_some_and(|told| told.contains(" 127.0.0.1:")),
        "{log}"
    );
}

/// Every answer of a service is sent back to it and to the others. That happens if a
/// server is the forged sender, or a service that returns everything.
#[test]
fn nothing_that_a_server_answers_is_answered() {
    let udp = UdpServer::new();
    let mut answers = Vec::new();
    for service in &udp.services {
        for request in [
            &service.request[..],
            b"\xa1\x00\x00\x07",
            b":x:\n\n",
            b"[1,1]",
        ] {
            answers.extend(service.answers(request));
        }
        answers.push({
            let client = service.client();
            client.send(&service.request).expect("a way there");
            let mut answer = vec![0; 1 << 16];
            let len = client.recv(&mut answer).expect("an answer");
            answer[..len].to_vec()
        });
    }
    assert!(answers.len() >= 8, "{} answers", answers.len());
    for service in &udp.services {
        for answer in &answers {
            // The answers are cut as well, as a service with a small buffer would do.
            for len in [answer.len(), answer.len() / 2, 20.min(answer.len())] {
                let sent = &answer[..len];
                let again = service.answers(sent);
                let (name, sent) = (service.name, sent.escape_ascii());
                assert!(again.is_empty(), "{name} answers {sent}");
            }
        }
    }
}

/// This stands for a service that tells the time of day to anybody who sends it
/// something. A single forged packet would be enough.
#[test]
fn a_service_that_answers_everything_gets_nothing() {
    let udp = UdpServer::new();
    for service in &udp.services {
        let daytime = service.client();
        daytime.send(b"x").expect("a way there");
        // When this is answered, the datagram before it was read.
        assert!(service.answers(b"x").is_empty());
        daytime.set_nonblocking(true).expect("a mode");
        let got = daytime.recv(&mut [0; 100]);
        let nothing = got.is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        assert!(nothing, "{} tells it something", service.name);
    }
}

/// The largest ratio of an answer's bytes to those of its request: if no command runs,
/// and if one returns as much as can be sent.
const FACTORS: [(&str, f64, f64); 4] = [
    ("BINRPC", 14.0, 7_000.0),
    ("the line protocol", 25.0, 4_000.0),
    ("JSON-RPC", 38.0, 1_200.0),
    ("the Management Interface", 9.0, 4_500.0),
];

/// Requests that run no command.
fn refused(name: &str) -> &'static [&'static [u8]] {
    match name {
        "BINRPC" => &[
            b"\xa1\x00\x00\x07",
            b"\xa1\x00\x01\x07\x00",
            b"\xa1\x00\x03\x07\x21x\0",
            b"\xa1\x0c\xff\xff\xff\xff\x07",
        ],
        "the line protocol" => &[b":x:", b":x:\n", b":x:\n\n", b":x:\n\\q\n\n"],
        "JSON-RPC" => &[
            b"[1]",
            b"[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
            br#"{"method":1"#,
            br#"{"method":1}"#,
            br#"{"jsonrpc":1}"#,
            br#"[{"method":1}]"#,
            br#"[{"method":1},{},{},{},{},{},{},{},{}]"#,
            br#"[{"method":1},{"id":1},{"id":1},{"id":1},{"id":1},{"id":1},{"id":1}]"#,
            br#"{"jsonrpc":"2.0","method":"x"}"#,
        ],
        _ => &[b":x:\n", b":x:\n\"", b":pwd:\n\""],
    }
}

/// A request for everything in a table.
fn dump(name: &str) -> Vec<u8> {
    match name {
        "BINRPC" => binrpc::request("htable.dump", &["t".into()], 7),
        "the line protocol" => b":htable.dump:\nt\n\n".to_vec(),
        "JSON-RPC" => br#"{"jsonrpc":"2.0","method":"htable.dump","params":["t"]}"#.to_vec(),
        _ => b":htable.dump:\nt\n".to_vec(),
    }
}

#[test]
fn answers_are_no_larger_for_their_requests_than_documented() {
    let udp = UdpServer::new();
    let document = include_str!("../../docs/security.md");
    for (service, (name, of_refusal, of_dump)) in udp.services.iter().zip(FACTORS) {
        assert_eq!(service.name, name);
        for request in refused(name) {
            let (factor, request_shown) = (service.factor(request), request.escape_ascii());
            assert!(factor > 0.0, "{name} does not answer {request_shown}");
            assert!(factor <= of_refusal, "{name}: {request_shown}: {factor}");
        }
        // This is nearly what a datagram carries, or what kamcmd reassembles.
        let len = if name == "BINRPC" { 130_000 } else { 65_000 };
        let args = ["t".into(), "k".into(), Arg::from(&*"x".repeat(len))];
        let answer = udp.server.client().call("htable.sets", &args);
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
        let factor = service.factor(&dump(name));
        assert!(
            (of_dump / 2.0..of_dump).contains(&factor),
            "{name}: {factor}"
        );
        let told = format!(
            "| {name} | {of_refusal} | {} |",
            with_commas(of_dump as u32)
        );
        assert!(document.contains(&told), "docs/security.md has no {told}");
    }
}

fn with_commas(number: u32) -> String {
    format!("{},{:03}", number / 1_000, number % 1_000)
}

#[test]
fn a_batch_without_requests_gets_one_error() {
    let udp = UdpServer::new();
    let [_, _, json, _] = &udp.services;
    for batch in [&b"[1,1,1]"[..], br#"[1,{"method":1},{},"x"]"#] {
        let answers = json.answers(batch);
        let [answer] = &answers[..] else {
            panic!("{} datagrams answer", answers.len());
        };
        let answer = String::from_utf8_lossy(answer);
        assert_eq!(answer.matches("-32600").count(), 1, "{answer}");
    }
    let batch = br#"[1,{"jsonrpc":"2.0","method":"core.echo","params":["b"],"id":8},1]"#;
    let answer = json.answers(batch).concat();
    let answer = String::from_utf8_lossy(&answer);
    assert_eq!(answer.matches("-32600").count(), 1, "{answer}");
    assert!(
        answer.contains(r#"{"jsonrpc":"2.0","result":["b"],"id":8}"#),
        "{answer}"
    );
}
