//! Very many requests and connections: all are served, and nothing is left behind.

use harness::binrpc::{Address, Client, request};
use harness::modules::Flavor;
use harness::process::{allow_open_files, open_files, resident_kib};
use harness::server::Server;
use rpc_wire::binrpc::client::{Answer, Arg, Node};
use rustix::process::Pid;

use crate::listeners::{CtlListeners, STREAM, wait_for_connections};

fn start(listeners: &CtlListeners) -> Server {
    Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(&listeners.config())
        .socket(STREAM)
        .start()
}

/// The resources of the handler.
#[derive(Debug)]
struct Resources {
    files: usize,
    resident_kib: u64,
}

impl Resources {
    fn by(handler: Pid) -> Self {
        Self {
            files: open_files(handler),
            resident_kib: resident_kib(handler),
        }
    }
}

/// Memory is allocated in whole pages and freed when the allocator likes.
const ALLOWED_KIB: u64 = 512;

/// Does something a few times to warm up, and then often.
fn assert_nothing_is_left(
    server: &Server,
    what: &str,
    often: usize,
    mut something: impl FnMut(usize),
) {
    let handler = server.process("ctl handler");
    let mut witness = server.client();
    something(often / 10);
    wait_for_connections(&mut witness, 1);
    let before = Resources::by(handler);
    something(often);
    wait_for_connections(&mut witness, 1);
    let after = Resources::by(handler);
    assert_eq!(before.files, after.files, "{what}: {before:?} {after:?}");
    assert!(
        after.resident_kib <= before.resident_kib + ALLOWED_KIB,
        "{what}: {before:?} {after:?}"
    );
}

#[test]
fn nothing_is_left_of_100_000_requests() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    for address in listeners.streams(&server) {
        let shown = format!("{address:?}");
        assert_nothing_is_left(&server, &shown, 100_000, |count| {
            let mut client = Client::connect(address.clone());
            ask_various(&mut client, count);
        });
    }
    for address in listeners.datagrams(&server) {
        let shown = format!("{address:?}");
        assert_nothing_is_left(&server, &shown, 10_000, |count| {
            let mut client = Client::connect(address.clone());
            for _ in 0..count {
                assert!(echoes(&mut client));
            }
        });
    }
}

/// Calls with short and long replies and with faults.
fn ask_various(client: &mut Client, count: usize) {
    let words = (0..count * 8 / 10).map(|number| vec![Arg::from(&*number.to_string())]);
    let mut number = 0;
    client.call_many("core.echo", words, |answer| {
        let word = number.to_string().into_bytes();
        assert_eq!(answer, Answer::Reply(vec![Node::Str(word)]));
        number += 1;
    });
    let nothing = |count| (0..count).map(|_| Vec::new());
    client.call_many("core.psx", nothing(count / 10), |answer| {
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    });
    client.call_many("no.such.command", nothing(count / 10), |answer| {
        assert!(
            matches!(answer, Answer::Fault { code: 500, .. }),
            "{answer}"
        );
    });
}

fn echoes(client: &mut Client) -> bool {
    let answer = client.call("core.echo", &["hello".into()]);
    answer == Answer::Reply(vec![Node::Str(b"hello".to_vec())])
}

#[test]
fn nothing_is_left_of_10_000_connections() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    for address in listeners.streams(&server) {
        let shown = format!("{address:?}");
        assert_nothing_is_left(&server, &shown, 10_000, |count| {
            for _ in 0..count {
                assert!(echoes(&mut Client::connect(address.clone())));
            }
        });
    }
}

/// The C module stops at 128.
#[test]
fn connections_5_000_are_open_at_once_on_a_unix_socket() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    let [unix, _] = listeners.streams(&server);
    assert_all_answered(&server, &unix);
}

#[test]
fn connections_5_000_are_open_at_once_over_tcp() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    let [_, tcp] = listeners.streams(&server);
    assert_all_answered(&server, &tcp);
}

fn assert_all_answered(server: &Server, address: &Address) {
    const CONNECTIONS: usize = 5_000;
    allow_open_files(2 * CONNECTIONS as u64 + 1_000);
    let handler = server.process("ctl handler");
    let mut witness = server.client();
    wait_for_connections(&mut witness, 1);
    let files = open_files(handler);

    let mut clients = connect_all(address, CONNECTIONS);
    wait_for_connections(&mut witness, CONNECTIONS as i32 + 1);
    for (number, client) in clients.iter_mut().enumerate() {
        let word = number.to_string();
        let request = request("core.echo", &[Arg::from(&*word)], number as u32);
        client.send(&request).expect("the server reads");
    }
    // Each client has its own answer. They are read in another order than they were
    // asked for.
    for (number, client) in clients.iter_mut().enumerate().rev() {
        let packet = client.receive().expect("an answer");
        let (header, answer) = harness::binrpc::decode(&packet).expect("a good answer");
        assert_eq!(header.cookie, number as u32);
        let word = number.to_string().into_bytes();
        assert_eq!(answer, Answer::Reply(vec![Node::Str(word)]));
    }
    drop(clients);
    wait_for_connections(&mut witness, 1);
    assert_eq!(open_files(handler), files);
}

/// Connects clients, and lets the server accept them from time to time, because the
/// queue of those that wait has a limit, too.
fn connect_all(address: &Address, count: usize) -> Vec<Client> {
    const AT_ONCE: usize = 100;
    let mut clients = Vec::with_capacity(count);
    for number in 1..=count {
        let mut client = Client::connect(address.clone());
        if number % AT_ONCE == 0 {
            assert!(echoes(&mut client));
        }
        clients.push(client);
    }
    clients
}
