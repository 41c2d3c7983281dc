//! Requests that many clients begin and do not complete.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use harness::binrpc::Address;
use harness::process::{allow_open_files, forget_peak, private_kib, private_peak_kib};
use harness::server::Server;
use harness::wait;
use rustix::process::Pid;

use crate::everywhere::{Everywhere, Transport};

/// The number of bytes that each client sends of its request.
const EACH: usize = 1020 * 1024;
const MIB: u64 = 1024;
const LINE: &str = "unanswered requests of all clients take more than 67108864 bytes";

/// A protocol, with the start of a request that needs more than [`EACH`].
#[derive(Clone, Copy)]
struct Half {
    handler: &'static str,
    transport: Transport,
    at: SocketAddr,
    start: &'static [u8],
    filler: u8,
}

fn halves(everywhere: &Everywhere, server: &Server) -> [Half; 3] {
    let [_, Address::Tcp(binrpc)] = everywhere.streams(server) else {
        unreachable!("the second one is TCP");
    };
    let [json, lines] = everywhere.text_streams(server);
    let half = |transport: Transport, at, start: &'static [u8], filler| Half {
        handler: transport.handler(),
        transport,
        at,
        start,
        filler,
    };
    [
        half(
            Transport::BinrpcTcp,
            binrpc,
            b"\xa1\x0f\x00\x0f\xff\xc0\x01\x02\x03\x04",
            0,
        ),
        half(Transport::JsonTcp, json, br#"{"a":""#, b'x'),
        half(Transport::LinesTcp, lines, b":core.echo:\n", b'x'),
    ]
}

impl Half {
    /// A client that has sent its half, or as much as was accepted.
    fn client(self) -> TcpStream {
        let mut stream = TcpStream::connect(self.at).expect("the server listens");
        let half = [self.start, &vec![self.filler; EACH]].concat();
        let _ = stream.write_all(&half);
        stream
    }

    /// Connects this many clients; in the meantime another client is served.
    fn clients(self, count: usize, everywhere: &Everywhere, server: &Server) -> Vec<TcpStream> {
        let mut other = everywhere.client(server, self.transport);
        let mut clients = Vec::new();
        for number in 0..count {
            clients.push(self.client());
            assert!(number % 100 != 0 || other.is_answered());
        }
        assert!(other.is_answered());
        clients
    }
}

/// Closes them in a random order, so that their memory is freed in no order.
fn close(mut clients: Vec<TcpStream>) {
    let mut random = 7_u32;
    while !clients.is_empty() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let chosen = random as usize % clients.len();
        drop(clients.swap_remove(chosen));
    }
}

fn assert_gives_back(handler: Pid, before: u64) {
    wait::until("what the clients held is free", || {
        private_kib(handler) < before + 16 * MIB
    });
}

/// A thousand megabytes come, and 64 of them are kept. Between the blocks that hold
/// them there are free ones, which have grown and moved on, so the process may have
/// twice as much.
#[test]
fn incomplete_requests_of_all_clients_have_a_bound() {
    allow_open_files(4_000);
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    for half in halves(&everywhere, &server) {
        let handler = server.process(half.handler);
        let before = private_kib(handler);
        forget_peak(handler);
        let clients = half.clients(1_000, &everywhere, &server);
        let peak = private_peak_kib(handler);
        assert!(peak < before + 128 * MIB, "{peak} KiB for {}", half.handler);
        assert!(server.log().contains(LINE), "{}", server.log());
        close(clients);
        assert_gives_back(handler, before);
    }
}

/// The largest one is dropped, and its client is told why.
#[test]
fn who_sends_too_much_of_a_request_is_told() {
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    for half in halves(&everywhere, &server) {
        // This one has sent less, and is still there afterwards.
        let mut small = TcpStream::connect(half.at).expect("the server listens");
        small.write_all(half.start).expect("the server reads");
        let mut clients: Vec<TcpStream> = (0..70).map(|_| half.client()).collect();
        for client in &mut clients {
            client.set_nonblocking(true).expect("a socket of our own");
        }
        let mut told = 0;
        wait::until("what is too much is refused", || {
            told += clients.iter_mut().filter_map(read_some).count();
            told >= 5
        });
        assert!(told < 20, "{told} for {}", half.handler);
        drop(clients);
        small.shutdown(Shutdown::Write).expect("it is open");
        let mut reply = String::new();
        small.read_to_string(&mut reply).expect("the end");
        assert!(!reply.contains(LINE), "{reply}");
    }
}

/// What has come, which is the reason why the client was refused; most get nothing.
fn read_some(client: &mut TcpStream) -> Option<()> {
    let mut reply = [0; 512];
    let len = client.read(&mut reply).ok().filter(|len| *len > 0)?;
    let reply = String::from_utf8_lossy(&reply[..len]);
    assert!(reply.contains(LINE), "{reply}");
    Some(())
}

/// There are fewer addresses than bytes that these clients send.
#[test]
fn incomplete_requests_end_no_server_whose_memory_is_limited() {
    allow_open_files(6_000);
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").address_space(1_500_000).start();
    let processes = server.processes();
    for half in halves(&everywhere, &server) {
        let clients = half.clients(1_500, &everywhere, &server);
        close(clients);
    }
    assert_eq!(server.processes(), processes);
}
