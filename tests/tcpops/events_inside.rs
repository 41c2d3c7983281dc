//! The functions inside event routes, which the process that owns all connections runs.

use harness::keepalive::Keepalive;
use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{End, SipStream, Via};

use crate::script::{answering, ask, id, logged, server};

/// At the end of a connection everything is done to that connection, and to another
/// whose number a client has given before.
const ROUTE: &str = r#"
modparam("pv", "shvset", "other=i:0")
modparam("pv", "shvset", "close=i:0")
event_route[tcp:closed] {
    $var(own) = $tcp(conid);
    $var(other) = $shv(other);
    if ($var(own) == $var(other)) { xlog("L_NOTICE", "OTHER ended\n"); exit; }

    tcp_conid_state("$var(own)"); xlog("L_NOTICE", "OWN state $rc\n");
    tcp_conid_alive("$var(own)"); xlog("L_NOTICE", "OWN alive $rc\n");
    tcp_con_alive("$si:$sp"); xlog("L_NOTICE", "OWN address alive $rc\n");
    tcp_get_conid("$si:$sp", "$var(found)"); xlog("L_NOTICE", "OWN find $rc $var(found)\n");
    tcp_keepalive_enable("$var(own)", "1", "2", "3"); xlog("L_NOTICE", "OWN enable $rc\n");
    tcp_keepalive_disable("$var(own)"); xlog("L_NOTICE", "OWN disable $rc\n");
    tcp_close_connection("$var(own)"); xlog("L_NOTICE", "OWN close $rc\n");
    tcp_close_connection(); xlog("L_NOTICE", "OWN close this $rc\n");

    if ($var(other) == 0) { route(END); }
    tcp_conid_state("$var(other)"); xlog("L_NOTICE", "OTHER state $rc\n");
    tcp_conid_alive("$var(other)"); xlog("L_NOTICE", "OTHER alive $rc\n");
    tcp_keepalive_enable("$var(other)", "21", "3", "5"); xlog("L_NOTICE", "OTHER enable $rc\n");
    tcp_set_connection_lifetime("$var(other)", "1000"); xlog("L_NOTICE", "OTHER lifetime $rc\n");
    tcp_enable_closed_event("$var(other)"); xlog("L_NOTICE", "OTHER closed event $rc\n");
    if ($shv(close) == 1) {
        tcp_keepalive_disable("$var(other)"); xlog("L_NOTICE", "OTHER disable $rc\n");
        tcp_close_connection("$var(other)"); xlog("L_NOTICE", "OTHER close $rc\n");
    }
    route(END);
}
route[END] {
    xlog("L_NOTICE", "DONE $var(own)\n");
    tcp_set_connection_lifetime("$var(own)", "5");
    xlog("L_NOTICE", "OWN goes on\n");
}
"#;

const CASES: [(&str, &str); 2] = [
    ("remember", "$shv(other) = $var(id)"),
    ("close", "$shv(close) = $var(value)"),
];

fn start(ports: &StreamPorts) -> Server {
    server(ports, Flavor::Rust)
        .config(&answering(&CASES))
        .config(ROUTE)
        .start()
}

/// A connection to which the event route does everything.
fn other(ports: &StreamPorts, via: Via<'_>, close: i64) -> SipStream {
    let mut other = ports.connect(via);
    let number = id(&mut other);
    ask(&mut other, "remember", number, 0);
    ask(&mut other, "close", 0, close);
    other
}

/// Ends a connection, and waits until its event route has run.
fn end_one(server: &Server, ports: &StreamPorts) {
    let mut stream = ports.connect(Via::Tcp);
    let number = id(&mut stream);
    stream.close();
    logged(server, &format!("DONE {number}\n"));
}

fn assert_logged(server: &Server, lines: &[&str]) {
    let log = server.log();
    for line in lines {
        assert!(log.contains(&format!("{line}\n")), "no {line:?} in\n{log}");
    }
}

#[test]
fn the_connection_that_ended_is_not_found_any_more() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    end_one(&server, &ports);
    assert_logged(
        &server,
        &[
            "OWN state -1",
            "OWN alive -1",
            "OWN address alive -1",
            "OWN find -1 0",
            "OWN enable -1",
            "OWN disable -1",
            "OWN close -1",
            "OWN close this -1",
        ],
    );
    // The result 0 ends the route, as elsewhere.
    assert!(!server.log().contains("OWN goes on"));
}

#[test]
fn another_connection_takes_everything() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    for via in ports.ways() {
        let mut other = other(&ports, via, 0);
        end_one(&server, &ports);
        let keepalive = Keepalive::of(&server, other.local_addr());
        assert!(keepalive.enabled);
        assert_eq!(keepalive.idle.as_secs(), 21);
        assert_eq!(keepalive.count, 3);
        assert_eq!(keepalive.interval.as_secs(), 5);
        assert!(!other.has_ended());
    }
    assert_logged(
        &server,
        &[
            "OTHER state 1",
            "OTHER alive 1",
            "OTHER enable 1",
            "OTHER lifetime 1",
            "OTHER closed event 1",
        ],
    );
}

#[test]
fn another_connection_is_closed_from_there() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    for (count, via) in (1..).zip(ports.ways()) {
        let mut other = other(&ports, via, 1);
        end_one(&server, &ports);
        assert_eq!(other.wait_for_end(), End::Fin);
        harness::wait::until("its own event route runs", || {
            server.log().matches("OTHER ended").count() == count
        });
    }
    assert_logged(&server, &["OTHER disable 1", "OTHER close 1"]);
    // The process still works, and so do the others.
    for via in ports.ways() {
        assert!(id(&mut ports.connect(via)) > 0);
    }
}
