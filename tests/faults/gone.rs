//! Clients that are gone when their replies come.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use harness::binrpc::{self, Address, request};
use harness::http;
use harness::linefifo::{self, ReplyPipe};
use harness::process::open_files;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg};
use rustix::net::sockopt::set_socket_linger;

use crate::everywhere::Everywhere;

/// The least length of the large reply, which is more than sockets and pipes hold.
const LARGE: usize = 8 << 20;

const DUMP: &str = r#"{"jsonrpc":"2.0","method":"htable.dump","params":["t"],"id":1}"#;

/// Fills the table so that its dump has [`LARGE`] bytes.
fn fill(server: &Server) {
    const VALUE: usize = 8 * 1024;
    let value = "x".repeat(VALUE);
    let calls = (0..LARGE / VALUE).map(|number| {
        let key = format!("key{number}");
        vec!["t".into(), Arg::from(&*key), Arg::from(&*value)]
    });
    server.client().call_many("htable.sets", calls, |answer| {
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    });
}

/// Each client leaves in the middle of its reply or before it, either in an orderly way
/// or in a way that the system reports as a broken connection.
#[test]
fn connections_that_break_leave_nothing_behind() {
    const TIMES: usize = 20;
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    fill(&server);
    let handlers = ["ctl handler", "JSONRPCS TCP"].map(|name| server.process(name));
    let open = || handlers.map(open_files);
    let before = open();
    let processes = server.processes();
    let dump = request("htable.dump", &["t".into()], 1);
    for _ in 0..TIMES {
        for address in everywhere.streams(&server) {
            leave_after(&address, &dump.repeat(3));
        }
        let [json, lines] = everywhere.text_streams(&server);
        leave_after(&Address::Tcp(json), &DUMP.as_bytes().repeat(3));
        let line = linefifo::request("htable.dump", "", &["t".into()]);
        leave_after(&Address::Tcp(lines), &line.repeat(3));
        let mut web = http::Client::connect(server.port());
        web.send(DUMP.as_bytes());
        web.abort();
    }
    for client in &mut everywhere.clients(&server) {
        assert!(client.is_answered(), "{:?}", client.transport);
    }
    wait::until("all connections are closed", || {
        // When they were counted, one that had just been used may have been open.
        open()
            .iter()
            .zip(&before)
            .all(|(now, before)| now <= before)
    });
    assert_eq!(server.processes(), processes);
}

fn leave_after(address: &Address, requests: &[u8]) {
    match address {
        Address::UnixStream(path) => {
            let mut stream = UnixStream::connect(path).expect("the server listens");
            stream.write_all(requests).expect("the server reads");
        }
        Address::Tcp(address) => {
            let mut stream = TcpStream::connect(address).expect("the server listens");
            stream.write_all(requests).expect("the server reads");
            set_socket_linger(&stream, Some(Duration::ZERO)).expect("a socket takes it");
        }
        other => panic!("{other:?} has no connections"),
    }
}

/// The system also tells the writer of a pipe without a reader by a signal, which would
/// end the process.
#[test]
fn a_reader_that_leaves_its_pipe_loses_the_rest() {
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    fill(&server);
    let processes = server.processes();
    let [lines, json] = ["pipe", "rpc.fifo"].map(|name| server.path(name));
    for (place, is_json) in [(lines, false), (json, true)] {
        // This machine may be so busy that the server has given the reader up before it
        // leaves, so one success in several attempts suffices.
        wait::until("a reader leaves in the middle of its reply", || {
            let mut reply = ReplyPipe::new();
            let request = match is_json {
                true => {
                    let named = format!(r#"{{"reply_name":"{}","#, reply.name());
                    DUMP.replacen('{', &named, 1).into_bytes()
                }
                false => linefifo::request("htable.dump", reply.name(), &["t".into()]),
            };
            std::fs::write(&place, request).expect("the server reads");
            let start = reply.read_some(100).expect("the reply begins");
            assert!(!start.is_empty());
            let line = format!("no reply to {}: ", reply.path().display());
            drop(reply);
            wait::until("the server knows", || server.log().contains(&line));
            server.log().contains(&format!("{line}Broken pipe"))
        });
    }
    for client in &mut everywhere.clients(&server) {
        assert!(client.is_answered(), "{:?}", client.transport);
    }
    assert_eq!(server.processes(), processes);
}

/// The command that ends the server answers before it does. A client that does not read
/// delays it only for a moment.
#[test]
fn a_command_that_sends_its_reply_itself_goes_on_without_its_client() {
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    let handler = server.process("ctl handler");
    let [unix, _] = everywhere.streams(&server);
    let mut client = binrpc::Client::connect(unix);
    // This is more than the socket holds, and less than what keeps further requests
    // waiting.
    let requests = [
        request("faulty.large", &[1.into()], 1),
        request("core.kill", &[], 2),
    ];
    client.send(&requests.concat()).expect("the server reads");
    wait::until("the command has told it to end", || {
        !server.processes().contains(&handler)
    });
    let log = server.log();
    let line = |line: &&str| line.contains(" did not take ") && line.contains(" bytes in time");
    assert_eq!(log.lines().filter(line).count(), 1, "{log}");
}
