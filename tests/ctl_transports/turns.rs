//! Clients that keep the server busy, while others still have their turn.
//!
//! Nothing here depends on time. Each crowd of requests ends with one that leaves a
//! trace, and a client that is served before the crowd is done does not see the trace.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use harness::binrpc::{Address, Client, request};
use harness::linefifo;
use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg, Node};
use rpc_wire::linefifo::client::Arg as LineArg;

use crate::listeners::{CtlListeners, STREAM};

/// So many requests keep a server that serves them all at once busy for half a second,
/// and yet a single read takes all of them.
const CROWD: usize = 600;

/// A server with a table so large that looking at it takes a millisecond or so,
/// although the answer is short.
fn start(listeners: &CtlListeners) -> Server {
    Server::builder(Flavor::Rust)
        .modules(["ctl", "pv", "htable"])
        .config(r#"modparam("htable", "htable", "large=>size=18")"#)
        .config(r#"modparam("pv", "shvset", "trace=s:none")"#)
        .config(&listeners.config())
        .socket(STREAM)
        .start()
}

fn trace_args<'a, T: From<&'a str>>(trace: &'a str) -> [T; 3] {
    ["trace", "str", trace].map(T::from)
}

fn leave_trace(client: &mut Client, trace: &str) {
    let answer = client.call("pv.shvSet", &trace_args::<Arg>(trace));
    assert!(matches!(answer, Answer::Reply(_)), "{answer}");
}

fn trace(client: &mut Client) -> String {
    let answer = client.call("pv.shvGet", &["trace".into()]);
    let value = answer.values().first().and_then(|value| value.get("value"));
    value.and_then(Node::as_str).unwrap_or_default().to_owned()
}

/// Asserts that another client sees no trace of the crowd's end while the crowd is
/// served, and sees it later.
fn assert_served_between(server: &Server, send_crowd: impl FnOnce()) {
    let mut other = server.client();
    leave_trace(&mut other, "none");
    send_crowd();
    assert_eq!(trace(&mut other), "none", "the crowd was served first");
    wait::until("the crowd is served", || trace(&mut other) == "crowd");
}

#[test]
fn a_small_request_is_answered_before_hundreds_of_another_client() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    let mut crowd = request("htable.stats", &[], 1).repeat(CROWD);
    crowd.extend(request("pv.shvSet", &trace_args::<Arg>("crowd"), 1));
    for address in listeners.streams(&server) {
        let mut stream: Box<dyn Write> = match address {
            Address::UnixStream(path) => {
                Box::new(UnixStream::connect(path).expect("the server listens"))
            }
            Address::Tcp(address) => {
                Box::new(TcpStream::connect(address).expect("the server listens"))
            }
            other => panic!("{other:?} is no stream"),
        };
        assert_served_between(&server, || {
            stream.write_all(&crowd).expect("the server reads");
        });
    }
}

/// The requests may come from one client or from several, which a pipe does not tell
/// apart.
#[test]
fn a_small_request_is_answered_before_hundreds_in_a_pipe() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    let [pipe, ..] = listeners.lines(&server);
    let mut crowd = linefifo::request("htable.stats", "", &[]).repeat(CROWD);
    let end = linefifo::request("pv.shvSet", "", &trace_args::<LineArg>("crowd"));
    crowd.extend(end);
    let mut client = linefifo::Client::connect(&pipe);
    assert_served_between(&server, || {
        client.send(&crowd).expect("the server reads");
    });
}

/// Each client has more requests than one turn allows, and the other client waits for
/// none of them.
#[test]
fn a_small_request_is_answered_before_a_crowd_of_clients() {
    const CLIENTS: usize = 20;
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    let mut crowd = request("htable.stats", &[], 1).repeat(CROWD / CLIENTS);
    crowd.extend(request("pv.shvSet", &trace_args::<Arg>("crowd"), 1));
    let connect = || UnixStream::connect(server.socket()).expect("the server listens");
    let mut streams: Vec<UnixStream> = (0..CLIENTS).map(|_| connect()).collect();
    assert_served_between(&server, || {
        for stream in &mut streams {
            stream.write_all(&crowd).expect("the server reads");
        }
    });
}

/// All answers arrive in their order, although the clients take turns.
#[test]
fn whoever_takes_turns_loses_nothing() {
    let listeners = CtlListeners::new();
    let server = start(&listeners);
    for address in listeners.streams(&server) {
        let mut clients = [(); 3].map(|()| Client::connect(address.clone()));
        for client in &mut clients {
            let crowd =
                (0..CROWD as u32 / 3).flat_map(|cookie| request("htable.stats", &[], cookie));
            let crowd: Vec<u8> = crowd.collect();
            client.send(&crowd).expect("the server reads");
        }
        for client in &mut clients {
            for cookie in 0..CROWD as u32 / 3 {
                let packet = client.receive().expect("an answer");
                let (header, _) = harness::binrpc::decode(&packet).expect("a good answer");
                assert_eq!(header.cookie, cookie);
            }
        }
    }
}
