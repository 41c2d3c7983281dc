//! Documents from the routing script and from KEMI, and what these can read of the
//! answer.

use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;

use crate::transports::{ECHOED, JsonListeners};

/// Runs this once in a process of its own.
fn run_once(route: &str) -> (JsonListeners, Server) {
    let listeners = JsonListeners::new();
    let server = listeners.start(&format!(
        r#"
        modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
        modparam("rtimer", "exec", "timer=soon;route=SOON")
        route[SOON] {{
            if ($shv(done) == 1) {{ exit; }}
            {route}
            $shv(done) = 1;
        }}
        "#
    ));
    wait::until("the route runs", || server.log().contains("told last"));
    (listeners, server)
}

#[test]
fn the_script_runs_documents_and_reads_the_answers() {
    let (_ways, server) = run_once(
        r#"
        xlog("L_NOTICE", "told first $jsonrpl(code) $jsonrpl(text) $jsonrpl(body)\n");
        $var(word) = "a";
        jsonrpc_exec('{"jsonrpc":"2.0","method":"core.echo","params":["$var(word)",2],"id":"x"}');
        xlog("L_NOTICE", "told $rc $jsonrpl(code) $jsonrpl(text) $jsonrpl(body)\n");
        jsonrpc_exec('{"jsonrpc":"2.0","method":"htable.get","params":["x","y"],"id":1}');
        xlog("L_NOTICE", "told $rc $jsonrpl(code) $jsonrpl(text) $jsonrpl(body)\n");
        jsonrpc_exec('no json');
        xlog("L_NOTICE", "told $rc $jsonrpl(code) $jsonrpl(text)\n");
        xlog("L_NOTICE", "told last\n");
        "#,
    );
    let log = server.log();
    for told in [
        "told first 0 <null> <null>",
        &format!("told 1 200 OK {ECHOED}"),
        r#"told 1 500 No such htable {"jsonrpc":"2.0","error":{"code":500,"message":"No such htable"},"id":1}"#,
        "told -1 500 byte 0 cannot be read as JSON",
    ] {
        assert!(log.contains(told), "{told} is not in\n{log}");
    }
}

#[test]
fn a_lua_script_runs_documents_and_answers_http() {
    let script = r#"
        function ksr_request_main() return 1 end
        function ksr_soon(name)
            local document = '{"jsonrpc":"2.0","method":"core.echo","params":["a",2],"id":"x"}'
            KSR.info("told " .. tostring(KSR.jsonrpcs.exec(document))
                .. " " .. KSR.jsonrpcs.response() .. "\n")
            KSR.pv.sets("$var(word)", "b")
            local variable = '{"jsonrpc":"2.0","method":"core.echo","params":["$var(word)"],"id":1}'
            KSR.info("told execx " .. tostring(KSR.jsonrpcs.execx(variable))
                .. " " .. KSR.jsonrpcs.response() .. "\n")
            KSR.info("told last\n")
        end
        function ksr_http(name) KSR.jsonrpcs.dispatch() return 1 end
    "#;
    let start = |flavor| {
        Server::builder(flavor)
            .tcp()
            .modules([
                "ctl", "pv", "sl", "xlog", "kex", "rtimer", "xhttp", "jsonrpcs", "app_lua",
            ])
            .file("script.lua", script)
            .config(
                r#"
                modparam("jsonrpcs", "transport", 7)
                modparam("jsonrpcs", "pretty_format", 0)
                modparam("app_lua", "load", "{dir}/script.lua")
                modparam("xhttp", "event_callback", "ksr_http")
                modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
                modparam("rtimer", "exec", "timer=soon;route=ksr_soon")
                tcp_accept_no_cl=yes
                cfgengine "lua"
                # no request_route
                "#,
            )
            .start()
    };
    let told = |server: &Server| {
        wait::until("the function runs", || server.log().contains("told last"));
        let log = server.log();
        let told = log
            .lines()
            .filter_map(|line| Some(line.split_once("told ")?.1.to_owned()));
        told.take(2).collect::<Vec<_>>()
    };
    let (ours, theirs) = (start(Flavor::Rust), start(Flavor::C));
    assert_eq!(told(&ours), told(&theirs));
    assert_eq!(told(&ours)[0], format!("1 {ECHOED}"));
    let posted = |server: &Server| {
        let mut client = harness::http::Client::connect(server.port());
        client.post(crate::transports::ECHO.as_bytes()).body
    };
    assert_eq!(posted(&ours), ECHOED);
    assert_eq!(posted(&theirs), ECHOED);
}
