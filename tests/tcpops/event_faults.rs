//! Tests of docs/faults.md about the ends of connections, which event routes are told.

use harness::failing::{Failing, is_possible};
use harness::machine;
use harness::modules::{Flavor, example};
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{End, Via};
use harness::wait;

use crate::faults::{CASES, Process, pid};
use crate::script::{answering, id, logged, server};

#[test]
fn an_event_route_that_cannot_close_a_connection_is_told() {
    if !is_possible() {
        return;
    }
    let ports = StreamPorts::free();
    let server = server(&ports, Flavor::Rust)
        .config(&answering(&CASES))
        .config(
            r#"
            modparam("pv", "shvset", "other=i:1")
            event_route[tcp:closed] {
                $var(own) = $tcp(conid);
                tcp_close_connection("$shv(other)"); xlog("L_NOTICE", "ENDED $var(own) $rc\n");
            }
            "#,
        )
        .start();
    // The first connection has the number 1.
    let mut other = ports.connect(Via::Tcp);
    assert_eq!(id(&mut other), 1);
    let end_one = || {
        let mut stream = ports.connect(Via::Tcp);
        let number = id(&mut stream);
        stream.close();
        number
    };
    let main = pid(&server, Process::TcpMain);
    let failing = Failing::calls(main, &["shutdown:error=ENOTCONN:when=1"]);
    let number = end_one();
    logged(&server, &format!("ENDED {number} -2\n"));
    logged(
        &server,
        "its socket cannot be shut down: Transport endpoint is not connected",
    );
    drop(failing);
    assert!(!other.has_ended());
    let number = end_one();
    logged(&server, &format!("ENDED {number} 1\n"));
    assert_eq!(other.wait_for_end(), End::Fin);
}

const SCRIPT: &str = r#"
function ksr_request_route() KSR.sl.send_reply(200, "Done") end
function fails(event) error("it was asked to") end
"#;

#[test]
fn a_callback_that_fails_is_told_and_the_server_goes_on() {
    let ports = StreamPorts::free();
    let server = Server::builder(Flavor::Rust)
        .port(ports.tcp.port())
        .tcp()
        .modules(["ctl", "sl", "pv", "app_lua", "tcpops"])
        .file("script.lua", SCRIPT)
        .config(
            r#"
            modparam("app_lua", "load", "{dir}/script.lua")
            modparam("tcpops", "event_callback", "fails")
            cfgengine "lua"
            # request_route is the script's.
            "#,
        )
        .start();
    for _ in 0..2 {
        let mut stream = ports.connect(Via::Tcp);
        stream.request("OPTIONS", "");
        stream.close();
    }
    wait::until("the engine tells of both", || {
        server.log().matches("error from Lua").count() == 2
    });
}

#[test]
fn another_module_that_is_told_the_ends_first_is_named() {
    // The core supports more than one module from 6.1 on.
    let version = machine::this().kamailio;
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    if (numbers.next().flatten(), numbers.next().flatten()) >= (Some(6), Some(1)) {
        println!("skipped: {version} tells several modules the ends of connections");
        return;
    }
    let ended = Server::builder(Flavor::Rust)
        .tcp()
        .modules(["ctl", "xlog"])
        .module_file(&example("faulty"))
        .modules(["tcpops"])
        .config(
            r#"
            modparam("faulty", "fails", "connections")
            event_route[tcp:closed] { xlog("never\n"); }
            "#,
        )
        .start_failing();
    let line = "the core tells the ends of connections to another module";
    assert!(ended.log.contains(line), "{}", ended.log);
}
