//! A process that keeps as much for its clients as its memory allows, and still has
//! enough to serve the next one.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;

use harness::binrpc::Address;
use harness::process::virtual_kib;
use harness::server::Server;

use crate::everywhere::{Client, Everywhere, Transport};

/// The memory that a process gets beyond what it has without requests, in KiB.
const MORE_KIB: u64 = 12 * 1024;

const HANDLERS: [Transport; 5] = [
    Transport::BinrpcTcp,
    Transport::JsonTcp,
    Transport::JsonDatagram,
    Transport::JsonPipe,
    Transport::MiDatagram,
];

/// A server with less memory than its clients can fill.
fn limited(everywhere: &Everywhere) -> Server {
    let usual = {
        let server = everywhere.builder("").start();
        let handlers = HANDLERS.iter().map(|it| server.process(it.handler()));
        handlers.map(virtual_kib).max().expect("they are running")
    };
    everywhere
        .builder("")
        .address_space(usual + MORE_KIB)
        .start()
}

/// Clients that have begun a request of a megabyte and do not complete it.
fn begun(at: SocketAddr, start: &[u8]) -> Vec<TcpStream> {
    let half = [start, &vec![b'x'; 1000 * 1024]].concat();
    let client = |_| {
        let mut stream = TcpStream::connect(at).expect("the server listens");
        // A request that is refused is not read to its end.
        let _ = stream.write_all(&half);
        stream
    };
    (0..30).map(client).collect()
}

/// Clients that read none of their replies.
fn deaf(everywhere: &Everywhere, server: &Server, transport: Transport) -> Vec<Client> {
    let word = "x".repeat(50_000);
    let client = |_| {
        let mut client = everywhere.client(server, transport);
        for _ in 0..20 {
            client.tell("core.echo", &[&word]);
        }
        client
    };
    (0..20).map(client).collect()
}

/// Sends a request with as many arguments as a datagram holds.
fn tell_many_arguments(server: &Server) {
    let socket = UnixDatagram::unbound().expect("a new socket");
    let request = [&b":core.echo:\n"[..], &b"x\n".repeat(32_000)].concat();
    let sent = socket.send_to(&request, server.path("mi"));
    assert_eq!(sent.expect("the server listens"), request.len());
}

fn assert_all_are_served(everywhere: &Everywhere, server: &Server) {
    for client in &mut everywhere.clients(server) {
        assert!(client.is_answered(), "{:?}", client.transport);
    }
}

#[test]
fn what_is_kept_for_clients_leaves_memory_for_the_next_request() {
    let everywhere = Everywhere::new();
    let server = limited(&everywhere);
    let processes = server.processes();
    let [_, Address::Tcp(binrpc)] = everywhere.streams(&server) else {
        unreachable!("the second one is TCP");
    };
    let [json, _] = everywhere.text_streams(&server);
    let halves = [
        begun(json, br#"{"a":""#),
        begun(binrpc, b"\xa1\x0f\x00\x0f\xff\xc0\x01\x02\x03\x04"),
    ];
    assert_all_are_served(&everywhere, &server);
    let said = |line: &str| server.log().contains(line);
    assert!(
        said("there is no memory for the request"),
        "{}",
        server.log()
    );
    drop(halves);
    for transport in [
        Transport::BinrpcUnixDatagram,
        Transport::JsonDatagram,
        Transport::MiDatagram,
    ] {
        let clients = deaf(&everywhere, &server, transport);
        tell_many_arguments(&server);
        assert_all_are_served(&everywhere, &server);
        drop(clients);
    }
    assert_all_are_served(&everywhere, &server);
    assert_eq!(server.processes(), processes);
}
