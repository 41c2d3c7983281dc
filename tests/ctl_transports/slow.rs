//! Clients that take their replies slowly or not at all, for which nobody else waits.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use harness::binrpc::{Address, Client, request};
use harness::linefifo;
use harness::modules::Flavor;
use harness::process::resident_kib;
use harness::server::Server;
use rpc_wire::binrpc::client::{Answer, Arg, Node};
use rpc_wire::linefifo::client::Arg as LineArg;

use crate::listeners::{CtlListeners, STREAM};

/// The least length of the large reply.
const LARGE: usize = 8 * 1024 * 1024;

fn start(listeners: &CtlListeners) -> Server {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "htable"])
        .config(r#"modparam("htable", "htable", "t=>size=8")"#)
        .config(&listeners.config())
        .socket(STREAM)
        .start();
    fill(&mut server.client());
    server
}

/// Fills the table so that its dump has [`LARGE`] bytes.
fn fill(client: &mut Client) {
    const VALUE: usize = 8 * 1024;
    let value = "0123456789abcdef".repeat(VALUE / 16);
    let entry = |number: usize| {
        let name = format!("entry{number}");
        vec!["t".into(), Arg::from(&*name), Arg::from(&*value)]
    };
    client.call_many("htable.sets", (0..LARGE / VALUE).map(entry), |answer| {
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    });
}

fn dump() -> Vec<u8> {
    request("htable.dump", &["t".into()], 7)
}

fn assert_echoes(client: &mut Client, word: &str) {
    let answer = client.call("core.echo", &[word.into()]);
    assert_eq!(
        answer,
        Answer::Reply(vec![Node::Str(word.as_bytes().to_vec())])
    );
}

#[test]
fn others_are_served_while_one_reads_a_large_reply() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    let whole = server.client().call_raw(&dump());
    assert!(whole.len() > LARGE);
    for address in listeners.streams(&server) {
        let mut slow = Client::connect(address.clone());
        slow.send(&dump()).expect("the server reads");
        let read = |most| slow.read_some(most).expect("the reply goes on");
        let mut other = Client::connect(address);
        assert_whole(&whole, read, &mut other);
    }
}

/// The replies of the line protocol are a stream, too.
#[test]
fn others_are_served_while_one_reads_many_lines() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    let [_, _, tcp] = listeners.lines(&server);
    let args = [LineArg::from("t")];
    let whole = linefifo::ask(&tcp, "htable.dump", &args);
    assert!(whole.len() > LARGE);

    let linefifo::Client::Tcp(mut slow) = linefifo::Client::connect(&tcp) else {
        panic!("it is no TCP client");
    };
    let request = linefifo::request("htable.dump", "", &args);
    slow.write_all(&request).expect("the server reads");
    let read = |most| {
        let mut bytes = vec![0; most];
        let len = slow.read(&mut bytes).expect("the reply goes on");
        bytes.truncate(len);
        bytes
    };
    assert_whole(&whole, read, &mut server.client());
}

/// Reads all of the reply, piece by piece, while `other` is answered.
fn assert_whole(whole: &[u8], mut read: impl FnMut(usize) -> Vec<u8>, other: &mut Client) {
    const PIECE: usize = 64 * 1024;
    // The reply has begun, but is far from its end before the client reads on.
    let mut told = read(1);
    for number in 0..1000 {
        assert_echoes(other, &number.to_string());
    }
    while told.len() < whole.len() {
        let piece = read(PIECE.min(whole.len() - told.len()));
        assert!(!piece.is_empty(), "it ends after {} bytes", told.len());
        told.extend(piece);
        assert_echoes(other, "meanwhile");
    }
    assert!(told == whole, "it is another reply");
}

/// A reply is some hundred times as long as its request, so all replies that are asked
/// for here would be gigabytes.
#[test]
fn one_that_only_asks_is_no_longer_read() {
    const ALLOWED_KIB: u64 = 24 * 1024;
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    let handler = server.process("ctl handler");
    let mut other = server.client();
    for address in listeners.streams(&server) {
        // The memory that one such reply takes for a moment does not count.
        other.call_raw(&dump());
        let before = resident_kib(handler);
        let mut deaf = Deaf::connect(&address);
        let mut asked = 0;
        for number in 0..20 {
            asked += deaf.ask_as_often_as_it_is_read();
            assert_echoes(&mut other, &number.to_string());
        }
        assert!(asked > 500, "{asked} requests are too few to tell");
        let after = resident_kib(handler);
        assert!(
            after < before + ALLOWED_KIB,
            "{address:?}: {before} KiB have become {after} after {asked} requests"
        );
    }
}

/// A client that asks for large replies and takes none.
struct Deaf {
    stream: Box<dyn Write>,
    /// The part of a request that the socket has not taken yet.
    rest: Vec<u8>,
}

impl Deaf {
    fn connect(address: &Address) -> Self {
        let stream: Box<dyn Write> = match address {
            Address::UnixStream(path) => {
                let stream = UnixStream::connect(path).expect("the server listens");
                stream.set_nonblocking(true).expect("a socket can be so");
                Box::new(stream)
            }
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).expect("the server listens");
                stream.set_nonblocking(true).expect("a socket can be so");
                Box::new(stream)
            }
            other => panic!("{other:?} has no connections"),
        };
        Self {
            stream,
            rest: Vec::new(),
        }
    }

    /// Sends requests until the socket takes no more, and returns their number.
    fn ask_as_often_as_it_is_read(&mut self) -> usize {
        // Each write takes a buffer of its own, so few large ones are better.
        const AT_ONCE: usize = 500;
        let mut asked = 0;
        loop {
            if self.rest.is_empty() {
                self.rest = dump().repeat(AT_ONCE);
                asked += AT_ONCE;
            }
            match self.stream.write(&self.rest) {
                Ok(len) => drop(self.rest.drain(..len)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return asked,
                Err(error) => panic!("the connection fails: {error}"),
            }
        }
    }
}
