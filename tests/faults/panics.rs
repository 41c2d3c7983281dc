//! Commands that panic, each of which costs one request.

use harness::modules::{Flavor, example};
use harness::server::Server;
use harness::sip_stream::{SipStream, Via};
use harness::wait;

use crate::everywhere::Everywhere;

#[test]
fn a_panic_costs_one_request_and_its_connection_goes_on() {
    const TIMES: usize = 3;
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    let processes = server.processes();
    let mut clients = everywhere.clients(&server);
    for client in &mut clients {
        for _ in 0..TIMES {
            let answer = client.ask("hello.panic", &[]);
            let told = answer.contains("internal error in hello.panic") && answer.contains("500");
            assert!(told, "{:?}: {answer}", client.transport);
            assert!(client.is_answered(), "{:?}", client.transport);
        }
    }
    // All processes that answered are still there. The panics left lines, although no
    // more than a client may cause in a second.
    assert_eq!(server.processes(), processes);
    let log = server.log();
    let line = |line: &&str| line.contains("BUG: hello ") && line.contains("panic at ");
    let lines = log.lines().filter(line).count();
    assert!((1..=TIMES * clients.len()).contains(&lines), "{log}");
}

#[test]
fn a_panic_in_a_batch_costs_one_of_its_answers() {
    let listeners = harness::json_transports::JsonListeners::new();
    let server = listeners
        .builder("")
        .module_file(&harness::modules::example("hello"))
        .start();
    let echo = harness::json_transports::ECHO;
    let echoed = harness::json_transports::ECHOED;
    let panic = r#"{"jsonrpc":"2.0","method":"hello.panic","id":2}"#;
    let fault = r#"{"jsonrpc":"2.0","error":{"code":500,"message":"internal error in hello.panic"},"id":2}"#;
    let batch = format!("[{echo},{panic},{echo}]");
    for transport in harness::json_transports::JSON_TRANSPORTS {
        let answer = listeners.ask(&server, transport, &batch);
        let expected = format!("[{echoed},{fault},{echoed}]");
        assert!(answer.ends_with(&expected), "{transport:?}: {answer}");
    }
}

#[test]
fn a_panic_in_a_command_of_the_script_leaves_the_script_going() {
    let listeners = harness::json_transports::JsonListeners::new();
    let server = listeners
        .builder(
            r#"
            modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
            modparam("rtimer", "exec", "timer=soon;route=SOON")
            route[SOON] {
                jsonrpc_exec('{"jsonrpc":"2.0","method":"hello.panic","id":1}');
                xlog("L_NOTICE", "told $rc $jsonrpl(code) $jsonrpl(text)\n");
                jsonrpc_exec('{"jsonrpc":"2.0","method":"core.echo","params":["a"],"id":1}');
                xlog("L_NOTICE", "told $rc $jsonrpl(code) $jsonrpl(text)\n");
            }
            "#,
        )
        .module_file(&harness::modules::example("hello"))
        .start();
    let told = ["told 1 500 internal error in hello.panic", "told 1 200 OK"];
    wait::until("the route goes on to its end", || {
        told.iter().all(|told| server.log().contains(told))
    });
}

/// A server with a module that panics on `text`, which is what its configuration needs
/// for that.
fn faulty(text: &str) -> harness::builder::Builder {
    Server::builder(Flavor::Rust)
        .tcp()
        .modules(["ctl", "sl", "pv", "xlog", "rtimer"])
        .module_file(&example("faulty"))
        .config(text)
}

#[test]
fn a_panic_in_a_function_or_a_variable_leaves_the_script_going() {
    let server = faulty(
        r#"
        modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
        modparam("rtimer", "exec", "timer=soon;route=SOON")
        route[SOON] {
            faulty();
            xlog("L_NOTICE", "told $rc\n");
            xlog("L_NOTICE", "told $faulty(value)\n");
            if ($faulty(value) == $null) { xlog("L_NOTICE", "told nothing\n"); }
        }
        "#,
    )
    .start();
    let told = ["told -1", "told <null>", "told nothing"];
    wait::until("the route goes on to its end", || {
        told.iter().all(|told| server.log().contains(told))
    });
    for reason in ["this function always does", "this variable always does"] {
        let line = |line: &&str| line.contains("BUG: faulty ") && line.contains(reason);
        assert!(
            server.log().lines().any(|text| line(&text)),
            "{}",
            server.log()
        );
    }
}

#[test]
fn a_panic_in_an_event_leaves_the_server_going() {
    let server = faulty(
        r#"
        modparam("faulty", "fails", "connections")
        request_route { sl_send_reply("200", "Done"); exit; }
        "#,
    )
    .start();
    let processes = server.processes();
    for count in 1..=3 {
        let mut stream = SipStream::connect(Via::Tcp, ([127, 0, 0, 1], server.port()).into());
        assert_eq!(stream.request("OPTIONS", "").status(), 200);
        stream.close();
        wait::until("the module is told", || {
            server.log().matches("this event always does").count() == count
        });
    }
    assert_eq!(server.processes(), processes);
}

#[test]
fn a_panic_at_the_start_ends_it() {
    for (text, reason) in [
        (
            r#"modparam("faulty", "fails", "parameter")"#,
            "this value always does",
        ),
        (
            r#"request_route { xlog("$faulty(name)"); }"#,
            "this name always does",
        ),
        (r#"modparam("faulty", "fails", "init")"#, "it was asked to"),
        (
            r#"modparam("faulty", "fails", "child_init")"#,
            "it was asked to",
        ),
    ] {
        let ended = faulty(text).start_failing();
        let is_told = |line: &str| line.contains("BUG: faulty ") && line.contains(reason);
        assert!(ended.log.lines().any(is_told), "{text}: {}", ended.log);
    }
}

#[test]
fn a_panic_at_the_end_does_not_hold_it_up() {
    let mut server = faulty(r#"modparam("faulty", "fails", "destroy")"#).start();
    let status = server.stop();
    assert!(status.success(), "{status:?}");
    assert!(server.log().contains("it was asked to"), "{}", server.log());
    assert!(!server.socket().exists(), "ctl has not cleaned up");
}
