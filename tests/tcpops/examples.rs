//! The examples in the module's documentation, with real connections.

use harness::keepalive::Keepalive;
use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::End;

use crate::script::logged;

const DOCUMENT: &str = include_str!("../../docs/tcpops.md");

/// The code blocks in this language, in their order.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    DOCUMENT
        .split(opening.as_str())
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

fn start(ports: &StreamPorts, config: &str) -> Server {
    // The example loads the module, which is loaded already here.
    let config = config.replace("loadmodule \"tcpops.so\"", "");
    ports
        .open(Server::builder(Flavor::Rust))
        .modules(["ctl", "textops", "siputils", "tcpops"])
        .config(&config)
        .start()
}

#[test]
fn whoever_registers_is_kept_and_missed() {
    let example = blocks("kamailio")[0].replace(
        "tcp_enable_closed_event();",
        "tcp_enable_closed_event();\nsl_send_reply(\"200\", \"Done\");",
    );
    let ports = StreamPorts::free();
    let server = start(&ports, &example);
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        assert_eq!(stream.request("REGISTER", "").status(), 200);
        let keepalive = Keepalive::of(&server, stream.local_addr());
        assert_eq!((keepalive.enabled, keepalive.idle.as_secs()), (true, 60));
        let from = stream.local_addr();
        stream.close();
        logged(&server, &format!("{from} left, it was connection "));
    }
    let mut stream = ports.connect(ports.ways()[0]);
    stream.request("REGISTER", "");
    let from = stream.local_addr();
    stream.reset();
    logged(&server, &format!("{from} has reset its connection"));
}

#[test]
fn a_scanner_is_shown_out() {
    let ports = StreamPorts::free();
    let _server = start(&ports, blocks("kamailio")[1]);
    let mut stream = ports.connect(ports.ways()[0]);
    stream.send("OPTIONS", "User-Agent: friendly-scanner\r\n");
    assert_eq!(stream.wait_for_end(), End::Fin);
}

#[test]
fn the_lua_script_works() {
    let ports = StreamPorts::free();
    let script = blocks("lua")[0].replace(
        "KSR.tcpops.tcp_enable_closed_event()",
        "KSR.tcpops.tcp_enable_closed_event()\nKSR.sl.send_reply(200, \"Done\")",
    );
    let server = Server::builder(Flavor::Rust)
        .port(ports.tcp.port())
        .tcp()
        .debug(2)
        .modules(["ctl", "sl", "pv", "app_lua", "tcpops"])
        .file("script.lua", &script)
        .config(
            r#"
            modparam("app_lua", "load", "{dir}/script.lua")
            modparam("tcpops", "closed_event", 2)
            modparam("tcpops", "event_callback", "ksr_tcpops_event")
            cfgengine "lua"
            # request_route is the script's.
            "#,
        )
        .start();
    let mut stream = ports.connect(ports.ways()[0]);
    assert_eq!(stream.request("REGISTER", "").status(), 200);
    assert_eq!(Keepalive::of(&server, stream.local_addr()).count, 5);
    stream.close();
    logged(&server, "tcp:closed of 127.0.0.1");
}
