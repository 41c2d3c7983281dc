//! The same scenario with the C module and with ours.

use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{End, SipStream};
use harness::wait;

use crate::script::server;

/// Calls the functions that the request names, for the connection and with the value
/// that it names. A line with the result is logged after each call, so a call that ends
/// the script shows by the missing line.
const SCENARIO: &str = include_str!("scenario.cfg");

#[test]
fn the_same_scenario_gives_the_same_results() {
    let [c, ours] = [Flavor::C, Flavor::Rust].map(play);
    assert_eq!(ours.join("\n"), c.join("\n"));
    assert!(c.len() > 60, "too little was played:\n{}", c.join("\n"));
}

/// Runs the scenario and returns the lines that it wrote.
fn play(flavor: Flavor) -> Vec<String> {
    let ports = StreamPorts::free();
    let server = server(&ports, flavor)
        .core_config("tcp_connection_lifetime=60")
        .config(SCENARIO)
        .start();
    for (round, via) in (1..).zip(ports.ways()) {
        let mut target = ports.connect(via);
        let mut stream = ports.connect(via);
        act(&mut target, "X-Do: everything\r\n");
        act(&mut stream, "X-Do: everything\r\n");
        let id = own_id(&mut target);
        act(&mut stream, &format!("X-Do: other\r\nX-Conid: {id}\r\n"));
        act(
            &mut stream,
            &format!("X-Do: find\r\nX-Address: {}\r\n", target.local_addr()),
        );
        act(&mut stream, &format!("X-Do: close\r\nX-Conid: {id}\r\n"));
        assert_eq!(target.wait_for_end(), End::Fin);
        wait_until_gone(&mut stream, &id);
        act(&mut stream, &format!("X-Do: gone\r\nX-Conid: {id}\r\n"));
        for ends in ["lifetime", "closed_event"] {
            act(&mut stream, &format!("X-Do: {ends}\r\nX-Conid: {id}\r\n"));
        }
        act(
            &mut stream,
            &format!("X-Do: find\r\nX-Address: {}\r\n", target.local_addr()),
        );
        for call in ["bad", "close-own"] {
            act(&mut stream, &format!("X-Do: {call}\r\n"));
        }
        assert_eq!(stream.wait_for_end(), End::Fin);
        // TCP main may be faster than the worker's next line.
        wait::until("the last call is told", || {
            server.log().matches("RESULT close own").count() == round
        });
    }
    results(&server)
}

fn act(stream: &mut SipStream, headers: &str) {
    assert_eq!(stream.request("OPTIONS", headers).status(), 200);
}

fn own_id(stream: &mut SipStream) -> String {
    let reply = stream.request("OPTIONS", "X-Do: nothing\r\n");
    reply.header("X-Id").expect("its number").to_owned()
}

/// Waits until TCP main has ended the connection.
fn wait_until_gone(stream: &mut SipStream, id: &str) {
    wait::until("the connection is forgotten", || {
        let reply = stream.request("OPTIONS", &format!("X-Do: state\r\nX-Conid: {id}\r\n"));
        reply.header("X-State") == Some("-1")
    });
}

/// The part of the script's lines that begins at the word which marks it.
fn results(server: &Server) -> Vec<String> {
    server
        .log()
        .lines()
        .filter_map(|line| line.split_once("RESULT "))
        .map(|(_, result)| result.to_owned())
        .collect()
}
