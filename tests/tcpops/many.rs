//! Many connections, one after the other, none of which is left behind.

use harness::modules::Flavor;
use harness::process::open_files;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{End, SipStream};
use harness::wait;
use rustix::process::Pid;

use crate::close::ask_over_udp;
use crate::script::server;

const CONNECTIONS: usize = 10_000;

/// Everything that can be done to a connection, both to the message's own and by its
/// number. In the end `X-Close` tells which side closes it.
const ROUTE: &str = r#"
request_route {
    if ($proto == "udp") {
        $var(id) = $(hdr(X-Conid){s.int});
        $var(ok) = 0;
        if (tcp_conid_alive("$var(id)")) { $var(ok) = $var(ok) + 1; }
        if (tcp_keepalive_enable("$var(id)", "60", "5", "7")) { $var(ok) = $var(ok) + 1; }
        if (tcp_keepalive_disable("$var(id)")) { $var(ok) = $var(ok) + 1; }
        if (tcp_set_connection_lifetime("$var(id)", "60")) { $var(ok) = $var(ok) + 1; }
        if (tcp_enable_closed_event("$var(id)")) { $var(ok) = $var(ok) + 1; }
        if ($hdr(X-Do) == "close" && tcp_close_connection("$var(id)")) { $var(ok) = $var(ok) + 1; }
        append_to_reply("X-Result: $var(ok)\r\n");
        sl_send_reply("200", "Done");
        exit;
    }
    $var(ok) = 0;
    if (tcp_conid_state("$conid")) { $var(ok) = $var(ok) + 1; }
    if (tcp_con_alive("$si:$sp")) { $var(ok) = $var(ok) + 1; }
    if (tcp_get_conid("$si:$sp", "$var(found)")) { $var(ok) = $var(ok) + 1; }
    if (tcp_keepalive_enable("60", "5", "7")) { $var(ok) = $var(ok) + 1; }
    if (tcp_keepalive_enable("$conid", "60", "5", "7")) { $var(ok) = $var(ok) + 1; }
    if (tcp_keepalive_disable()) { $var(ok) = $var(ok) + 1; }
    if (tcp_set_connection_lifetime("60")) { $var(ok) = $var(ok) + 1; }
    if (tcp_enable_closed_event()) { $var(ok) = $var(ok) + 1; }
    if (tcp_set_otcpid("$conid")) { $var(ok) = $var(ok) + 1; }
    if ($tcp(aconid) == $tcp(conid) && $tcp(ac_si) == $tcp(c_si)) { $var(ok) = $var(ok) + 1; }
    append_to_reply("X-Result: $var(ok)\r\nX-Id: $conid\r\n");
    sl_send_reply("200", "Done");
    if ($hdr(X-Do) == "close") { tcp_close_connection(); }
    exit;
}
event_route[tcp:closed] {
    $shv(ends) = $shv(ends) + 1;
    tcp_conid_state("$tcp(conid)");
    tcp_get_conid("$si:$sp", "$var(found)");
}
event_route[tcp:reset] {
    $shv(ends) = $shv(ends) + 1;
    tcp_keepalive_disable("$tcp(conid)");
}
"#;

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let ports = StreamPorts::free();
    let server = server(&ports, Flavor::Rust)
        .memory(64, 8)
        .config(r#"modparam("tcpops", "closed_event", 2)"#)
        .config(r#"modparam("pv", "shvset", "ends=i:0")"#)
        .config(ROUTE)
        .start();
    // Whatever is allocated only once exists after some connections.
    play(&ports, 200, true);
    wait_until_gone(&server);
    let descriptors = descriptors(&server);
    let before = shared_memory(&server);
    // WebSocket is left out, because the module of that name keeps memory for each of
    // its connections, also beside the C module.
    play(&ports, CONNECTIONS, false);
    wait_until_gone(&server);
    assert_no_more_than(&server, &descriptors);
    let grown = shared_memory(&server) - before;
    // A single connection that is kept has a buffer of 16 KiB.
    assert!(grown < 64 * 1024, "{grown} bytes more of shared memory");
    play(&ports, 400, true);
    wait_until_gone(&server);
    assert_no_more_than(&server, &descriptors);
}

fn play(ports: &StreamPorts, connections: usize, websockets: bool) {
    for (number, end) in (0..connections).zip((0..5).cycle()) {
        // Most are over TCP, because the others take more time of the test than of the
        // module.
        let [tcp, tls, ws] = ports.ways();
        let via = match (number % 20, websockets) {
            (7, _) => tls,
            (13, true) => ws,
            _ => tcp,
        };
        let mut stream = ports.connect(via);
        let own = if end == 0 { "X-Do: close\r\n" } else { "" };
        let reply = stream.request("OPTIONS", own);
        assert_eq!(reply.header("X-Result"), Some("10"), "{number} {reply:?}");
        let id = reply.header("X-Id").and_then(|id| id.parse().ok());
        let id = id.expect("its number");
        match end {
            0 => assert_eq!(stream.wait_for_end(), End::Fin),
            1 => {
                assert_eq!(ask_over_udp(ports, "close", id, 0), 6);
                assert_eq!(stream.wait_for_end(), End::Fin);
            }
            2 => finish(ports, stream, id, SipStream::close),
            _ => finish(ports, stream, id, SipStream::reset),
        }
    }
}

fn finish(ports: &StreamPorts, stream: SipStream, id: i64, end: impl Fn(SipStream)) {
    assert_eq!(ask_over_udp(ports, "touch", id, 0), 5);
    end(stream);
}

fn descriptors(server: &Server) -> Vec<usize> {
    let processes: Vec<Pid> = server.processes();
    processes.into_iter().map(open_files).collect()
}

fn wait_until_gone(server: &Server) {
    wait::until("all connections are gone", || {
        number(server, "core.tcp_info", "opened_connections") == 0
    });
}

/// Waits until no process has more descriptors than before. A process learns a little
/// later that others have closed a connection, so the earlier number may have been too
/// large, too.
fn assert_no_more_than(server: &Server, before: &[usize]) {
    let no_more = || {
        let now = descriptors(server);
        assert_eq!(now.len(), before.len());
        now.iter().zip(before).all(|(now, before)| now <= before)
    };
    if wait::for_some(|| no_more().then_some(())).is_none() {
        assert_eq!(descriptors(server), before);
    }
}

/// The bytes of shared memory that are in use.
fn shared_memory(server: &Server) -> i64 {
    number(server, "core.shmmem", "real_used")
}

fn number(server: &Server, command: &str, name: &str) -> i64 {
    let answer = server.client().call(command, &[]);
    let value = answer.values()[0].get(name);
    // Numbers of bytes are whole in some versions and not in others.
    let value = value.and_then(|value| value.as_int().map(f64::from).or(value.as_double()));
    value.unwrap_or_else(|| panic!("no {name} in {answer}")) as i64
}
