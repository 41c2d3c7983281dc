//! The functions and the events from a Lua script.

use harness::keepalive::Keepalive;
use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{End, SipStream};
use harness::wait;

use crate::script::logged;

const SCRIPT: &str = r#"
local functions = {
    tcp_conid_alive = {"id"},
    tcp_conid_state = {"id"},
    tcp_con_alive = {"address"},
    tcp_get_conid = {"address", "variable"},
    tcp_keepalive_enable = {31, 6, 8},
    tcp_keepalive_enable_cid = {"id", 32, 7, 9},
    tcp_keepalive_disable = {},
    tcp_keepalive_disable_cid = {"id"},
    tcp_set_connection_lifetime = {100},
    tcp_set_connection_lifetime_cid = {"id", 100},
    tcp_enable_closed_event = {},
    tcp_enable_closed_event_cid = {"id"},
    tcp_set_otcpid = {"id"},
    tcp_set_otcpid_flag = {1},
    tcp_close_connection = {},
    tcp_close_connection_id = {"id"},
}

local function argument(word)
    if word == "id" then return tonumber(KSR.pv.get("$hdr(X-Conid)")) end
    if word == "address" then return KSR.pv.get("$si") .. ":" .. KSR.pv.get("$sp") end
    if word == "variable" then return "$var(found)" end
    return word
end

function ksr_request_route()
    if KSR.hdr.is_present("Upgrade") > 0 then
        KSR.websocket.handle_handshake()
        return
    end
    local name = KSR.pv.getw("$hdr(X-Do)")
    local words = functions[name]
    local result = "none"
    if words then
        local arguments = {}
        for i, word in ipairs(words) do arguments[i] = argument(word) end
        result = KSR.tcpops[name](unpack(arguments))
    end
    KSR.hdr.append_to_reply("X-Result: " .. tostring(result) .. "\r\n")
    KSR.hdr.append_to_reply("X-Found: " .. tostring(KSR.pv.get("$var(found)")) .. "\r\n")
    KSR.hdr.append_to_reply("X-Id: " .. tostring(KSR.pv.get("$tcp(conid)")) .. "\r\n")
    KSR.sl.send_reply(200, "Done")
end

function ksr_tcpops_event(name)
    KSR.notice("EVENT " .. name .. " " .. KSR.pv.get("$si") .. ":" .. KSR.pv.get("$sp")
        .. " " .. tostring(KSR.pv.get("$tcp(conid)")) .. "\n")
end
"#;

fn start(ports: &StreamPorts, mode: i32) -> Server {
    Server::builder(Flavor::Rust)
        .port(ports.tcp.port())
        .tcp()
        .modules(["ctl", "sl", "pv", "xlog", "textops", "app_lua", "tcpops"])
        .file("script.lua", SCRIPT)
        .config(&format!(
            r#"
            modparam("app_lua", "load", "{{dir}}/script.lua")
            modparam("tcpops", "closed_event", {mode})
            modparam("tcpops", "event_callback", "ksr_tcpops_event")
            cfgengine "lua"
            # request_route is the script's.
            "#
        ))
        .start()
}

fn call(stream: &mut SipStream, name: &str, id: &str) -> String {
    let reply = stream.request("OPTIONS", &format!("X-Do: {name}\r\nX-Conid: {id}\r\n"));
    reply.header("X-Result").expect("a result").to_owned()
}

fn id(stream: &mut SipStream) -> String {
    let reply = stream.request("OPTIONS", "");
    reply.header("X-Id").expect("a number").to_owned()
}

#[test]
fn every_function_is_there_and_does_its_work() {
    let ports = StreamPorts::free();
    let server = start(&ports, 2);
    let mut stream = ports.connect(ports.ways()[0]);
    let mut other = ports.connect(ports.ways()[0]);
    let (own_id, other_id) = (id(&mut stream), id(&mut other));
    let keepalive = |stream: &SipStream| Keepalive::of(&server, stream.local_addr());

    for name in ["tcp_conid_alive", "tcp_conid_state"] {
        assert_eq!(call(&mut stream, name, &other_id), "1", "{name}");
        assert_eq!(call(&mut stream, name, "99991"), "-1", "{name}");
    }
    assert_eq!(call(&mut stream, "tcp_con_alive", "0"), "1");
    let reply = stream.request("OPTIONS", "X-Do: tcp_get_conid\r\n");
    assert_eq!(reply.header("X-Result"), Some("1"));
    assert_eq!(reply.header("X-Found"), Some(own_id.as_str()));

    assert_eq!(call(&mut stream, "tcp_keepalive_enable", "0"), "1");
    assert_eq!(keepalive(&stream).idle.as_secs(), 31);
    assert_eq!(
        call(&mut stream, "tcp_keepalive_enable_cid", &other_id),
        "1"
    );
    let seen = keepalive(&other);
    assert_eq!(
        (seen.idle.as_secs(), seen.count, seen.interval.as_secs()),
        (32, 7, 9)
    );
    assert_eq!(call(&mut stream, "tcp_keepalive_disable", "0"), "1");
    assert_eq!(
        call(&mut stream, "tcp_keepalive_disable_cid", &other_id),
        "1"
    );
    assert!(!keepalive(&stream).enabled && !keepalive(&other).enabled);

    for (name, unknown) in [
        ("tcp_set_connection_lifetime_cid", "0"),
        ("tcp_enable_closed_event_cid", "0"),
        ("tcp_keepalive_enable_cid", "-1"),
        ("tcp_keepalive_disable_cid", "-1"),
        ("tcp_close_connection_id", "-1"),
    ] {
        assert_eq!(call(&mut stream, name, "99991"), unknown, "{name}");
    }
    for name in [
        "tcp_set_connection_lifetime",
        "tcp_set_connection_lifetime_cid",
        "tcp_enable_closed_event",
        "tcp_enable_closed_event_cid",
        "tcp_set_otcpid",
        "tcp_set_otcpid_flag",
    ] {
        assert_eq!(call(&mut stream, name, &other_id), "1", "{name}");
    }

    assert_eq!(call(&mut stream, "tcp_close_connection_id", &other_id), "1");
    assert_eq!(other.wait_for_end(), End::Fin);
    stream.send("OPTIONS", "X-Do: tcp_close_connection\r\n");
    assert_eq!(stream.wait_for_end(), End::Fin);
}

#[test]
fn the_callback_is_told_the_events() {
    let ports = StreamPorts::free();
    let server = start(&ports, 1);
    let mut closed = ports.connect(ports.ways()[0]);
    let mut reset = ports.connect(ports.ways()[0]);
    let (closed_id, reset_id) = (id(&mut closed), id(&mut reset));
    let (closed_from, reset_from) = (closed.local_addr(), reset.local_addr());
    closed.close();
    reset.reset();
    logged(
        &server,
        &format!("EVENT tcp:closed {closed_from} {closed_id}"),
    );
    logged(&server, &format!("EVENT tcp:reset {reset_from} {reset_id}"));
}

#[test]
fn a_callback_without_a_kemi_script_is_told_to_the_operator() {
    let server = Server::builder(Flavor::Rust)
        .tcp()
        .modules(["ctl", "tcpops"])
        .config(r#"modparam("tcpops", "event_callback", "ksr_tcpops_event")"#)
        .start();
    wait::until("it is told", || {
        server
            .log()
            .contains("event_callback is set, but the script is not written for KEMI")
    });
}
