//! The prefix of log lines tells about a message, so it must not precede lines about
//! other clients.

use std::path::Path;

use harness::datagram;
use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;

/// A command that runs a route with a message of its own.
const JSON: &str = r#"{"jsonrpc":"2.0","method":"tm.t_uac_start","id":1,"params":["OPTIONS","sip:x@127.0.0.1:9","sip:127.0.0.1:9",".","From: <sip:a@b>\r\nTo: <sip:c@d>\r\n",""]}"#;
const MI: &[u8] = b":tm.t_uac_start:\nOPTIONS\nsip:x@127.0.0.1:9\nsip:127.0.0.1:9\n.\n\"From: <sip:a@b>\r\nTo: <sip:c@d>\r\n\"\n\"\"\n";

#[test]
fn a_later_request_is_logged_without_that_of_a_route() {
    let server = Server::builder(Flavor::Rust)
        .core_config("log_prefix=\"{PFX $ci} \"\nlog_prefix_mode=1")
        .modules(["ctl", "tm", "pv", "xlog", "kex", "jsonrpcs", "mi_datagram"])
        .config(
            r#"
            modparam("jsonrpcs", "transport", 4)
            modparam("jsonrpcs", "dgram_socket", "{dir}/jsonrpc")
            modparam("mi_datagram", "socket_name", "{dir}/mi")
            request_route { exit; }
            event_route[tm:local-request] { xlog("route of $rm\n"); }
            "#,
        )
        .start();

    server.client().call(
        "tm.t_uac_start",
        &[
            "OPTIONS".into(),
            "sip:x@127.0.0.1:9".into(),
            "sip:127.0.0.1:9".into(),
            ".".into(),
            "From: <sip:a@b>\r\nTo: <sip:c@d>\r\n".into(),
            "".into(),
        ],
    );
    assert_prefixed_but_in(&server, 1, || {
        server.client().call_raw(b"not BINRPC");
    });

    ask(&server.path("jsonrpc"), JSON.as_bytes());
    assert_prefixed_but_in(&server, 2, || ask(&server.path("jsonrpc"), b"[]"));

    ask(&server.path("mi"), MI);
    assert_prefixed_but_in(&server, 3, || ask(&server.path("mi"), b":\n"));
}

fn ask(socket: &Path, request: &[u8]) {
    let _ = datagram::ask(socket, request);
}

/// Checks that the route has logged with the prefix for the `times`th time, and that
/// what `refused` causes is logged without it.
fn assert_prefixed_but_in(server: &Server, times: usize, refused: impl FnOnce()) {
    let of_the_route = |line: &&str| line.contains("route of OPTIONS");
    wait::until("the route has run", || {
        server.log().lines().filter(of_the_route).count() == times
    });
    let before = server.log();
    assert!(
        before
            .lines()
            .filter(of_the_route)
            .all(|line| line.contains("{PFX ")),
        "{before}"
    );
    refused();
    wait::until("the refusal is logged", || {
        server.log().len() > before.len()
    });
    let log = server.log();
    let after = &log[before.len()..];
    assert!(!after.contains("{PFX "), "{after}");
}
