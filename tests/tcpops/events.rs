//! The event routes of connections that ended.

use std::net::SocketAddr;

use harness::modules::Flavor;
use harness::namespace::Hosts;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{SipStream, Via};
use harness::wait;

use crate::script::{answering, ask, id, is_5_6, logged, server};

const CASES: [(&str, &str); 3] = [
    ("tell", "tcp_enable_closed_event()"),
    ("tell-of", r#"tcp_enable_closed_event("$var(id)")"#),
    ("probe", r#"tcp_keepalive_enable("3", "1", "2")"#),
];

const ROUTES: &str = r#"
event_route[tcp:closed] {
    xlog("L_NOTICE", "EVENT closed $si:$sp $tcp(conid) $tcp(c_si):$tcp(c_sp) $tcp(aconid)\n");
}
event_route[tcp:timeout] { xlog("L_NOTICE", "EVENT timeout $si:$sp $tcp(conid)\n"); }
event_route[tcp:reset] { xlog("L_NOTICE", "EVENT reset $si:$sp $tcp(conid)\n"); }
"#;

fn start(ports: &StreamPorts, mode: &str) -> Server {
    server(ports, Flavor::Rust)
        .config(mode)
        .config(&answering(&CASES))
        .config(ROUTES)
        .start()
}

/// Whether the other side has acknowledged everything that the server sent over its
/// connections at this port.
fn all_acknowledged(server: &Server, port: u16) -> bool {
    const ESTABLISHED: &str = "01";
    let table = format!("/proc/{}/net/tcp", server.pid().as_raw_pid());
    let table = std::fs::read_to_string(table).expect("the server runs");
    let local = format!(":{port:04X}");
    let mut connections = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields[1].ends_with(&local) && fields[3] == ESTABLISHED);
    connections.all(|fields| fields[4].starts_with("00000000:"))
}

/// What the event routes have logged so far.
fn events(server: &Server) -> Vec<String> {
    let log = server.log();
    let lines = log.lines().filter_map(|line| line.split_once("EVENT "));
    lines.map(|(_, event)| event.to_owned()).collect()
}

#[test]
fn a_fin_and_a_reset_are_told_apart() {
    let ports = StreamPorts::free();
    let server = start(&ports, "");
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        let (number, from) = (id(&mut stream), stream.local_addr());
        stream.close();
        // The ended connection provides the message's values; it is not active.
        logged(
            &server,
            &format!("EVENT closed {from} {number} {from} <null>\n"),
        );
    }
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        let (number, from) = (id(&mut stream), stream.local_addr());
        stream.reset();
        logged(&server, &format!("EVENT reset {from} {number}"));
    }
    assert_eq!(events(&server).len(), 6);
}

/// Event routes that log an end, and these variables.
fn routes(variables: &str) -> String {
    let route = |name| {
        format!(
            "event_route[tcp:{name}] {{ \
             xlog(\"L_NOTICE\", \"EVENT {name} $proto $si {variables}\\n\"); }}\n"
        )
    };
    ["closed", "timeout", "reset"].map(route).concat()
}

/// The lines of the event routes for connections that end in different ways, with the
/// variables that a version of the C module has.
fn told(flavor: Flavor) -> Vec<String> {
    let ports = StreamPorts::free();
    let variables = "$tcp(c_si) <$tcp(aconid)> <$tcp(ac_si)> <$tcp(ac_sp)>";
    let start = |variables: &str| {
        server(&ports, flavor)
            .config(&answering(&[]))
            .config(&routes(variables))
            .start()
    };
    let mut server = start("");
    if !is_5_6(&server) {
        drop(server);
        server = start(variables);
    }
    let mut count = 0;
    for end in [SipStream::close, SipStream::reset] {
        for via in ports.ways() {
            let mut stream = ports.connect(via);
            assert!(
                !stream
                    .request("OPTIONS", "X-Conid: 0\r\n")
                    .first_line
                    .is_empty()
            );
            end(stream);
            count += 1;
            wait::until("its end is told", || events(&server).len() == count);
        }
    }
    events(&server)
}

#[test]
fn the_c_module_tells_the_same() {
    assert_eq!(told(Flavor::Rust), told(Flavor::C));
}

#[test]
fn conid_is_there_where_the_core_has_it() {
    let ports = StreamPorts::free();
    let server = server(&ports, Flavor::Rust)
        .config(&answering(&CASES))
        .config(r#"event_route[tcp:closed] { xlog("L_NOTICE", "EVENT $conid $tcp(conid)\n"); }"#)
        .start();
    let mut stream = ports.connect(Via::Tcp);
    let number = id(&mut stream);
    stream.close();
    match is_5_6(&server) {
        true => logged(&server, &format!("EVENT <null> {number}\n")),
        false => logged(&server, &format!("EVENT {number} {number}\n")),
    }
}

#[test]
fn only_those_that_asked_are_told_in_mode_2() {
    let ports = StreamPorts::free();
    let server = start(&ports, r#"modparam("tcpops", "closed_event", 2)"#);
    for via in ports.ways() {
        let mut silent = ports.connect(via);
        let silent_id = id(&mut silent);
        let mut asked = ports.connect(via);
        assert_eq!(ask(&mut asked, "tell", 0, 0), 1);
        let mut marked = ports.connect(via);
        let marked_id = id(&mut marked);
        assert_eq!(ask(&mut asked, "tell-of", marked_id, 0), 1);
        let expected = [&asked, &marked].map(SipStream::local_addr);
        silent.close();
        asked.close();
        marked.close();
        for from in expected {
            logged(&server, &format!("EVENT closed {from}"));
        }
        // It ended before the others, and TCP main reports ends in their order.
        let silent_event = format!(" {silent_id} ");
        assert!(
            !events(&server)
                .iter()
                .any(|event| event.contains(&silent_event))
        );
    }
}

#[test]
fn none_is_told_in_mode_0() {
    let ports = StreamPorts::free();
    let server = start(&ports, r#"modparam("tcpops", "closed_event", 0)"#);
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        let number = id(&mut stream);
        // A request by number is accepted and has no effect, as in C.
        assert_eq!(ask(&mut stream, "tell-of", number, 0), 1);
        assert_eq!(ask(&mut stream, "tell", 0, 0), -1);
        stream.close();
        ports.connect(via).reset();
    }
    let opened = || server.client().call("core.tcp_info", &[]);
    wait::until("all connections are gone", || {
        opened().values()[0]
            .get("opened_connections")
            .and_then(|count| count.as_int())
            == Some(0)
    });
    assert_eq!(events(&server), Vec::<String>::new());
}

#[test]
fn probes_without_an_answer_are_a_timeout() {
    let Some(hosts) = Hosts::create() else {
        eprintln!("NOT TESTED: only root can make network namespaces");
        return;
    };
    let port = 5060;
    let server = Server::builder(Flavor::Rust)
        .launcher(hosts.here())
        .tcp()
        .core_config(&format!("listen=tcp:{}:{port}", Hosts::HERE))
        .modules(["ctl", "sl", "pv", "xlog", "textops", "tcpops"])
        .config(&answering(&CASES))
        .config(ROUTES)
        .start();
    let address = SocketAddr::new(Hosts::HERE, port);
    let mut stream = hosts.there(|| SipStream::connect(Via::Tcp, address));
    let number = id(&mut stream);
    assert_eq!(ask(&mut stream, "probe", 0, 0), 1);
    // Probes are sent only if nothing waits to be acknowledged.
    wait::until("the reply is acknowledged", || {
        all_acknowledged(&server, port)
    });
    hosts.cut();
    logged(
        &server,
        &format!("EVENT timeout {} {number}\n", stream.local_addr()),
    );
}
