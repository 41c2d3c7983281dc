//! Wrong uses that the module refuses, and what the log says about them.

use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;

use crate::close::ask_over_udp;
use crate::script::{answering, ask, server};

/// A call, its result and the text in the log. All are made over TCP, and the second
/// half over UDP.
const OVER_TCP: [(&str, &str, i64, &str); 9] = [
    (
        "a",
        r#"tcp_keepalive_enable("99991", "1", "1", "1")"#,
        -1,
        "tcp_keepalive_enable: there is no connection 99991",
    ),
    (
        "b",
        r#"tcp_keepalive_disable("99992")"#,
        -1,
        "tcp_keepalive_disable: there is no connection 99992",
    ),
    (
        "c",
        r#"tcp_set_connection_lifetime("-7")"#,
        -1,
        "tcp_set_connection_lifetime: a lifetime of -7 seconds is not 0 or more",
    ),
    (
        "d",
        r#"tcp_keepalive_enable("$ua", "1", "1", "1")"#,
        -1,
        "tcp_keepalive_enable: argument 1 is not a number",
    ),
    (
        "e",
        r#"tcp_keepalive_enable("1", "$ua", "1")"#,
        -1,
        "tcp_keepalive_enable: argument 2 is not a number",
    ),
    (
        "f",
        r#"tcp_conid_state("$ua")"#,
        -1,
        "tcp_conid_state: argument 1 is not a number",
    ),
    (
        "g",
        "tcp_enable_closed_event()",
        -1,
        "tcp_enable_closed_event: it needs the parameter closed_event to be 2",
    ),
    (
        "h",
        r#"tcp_get_conid("127.0.0.1", "$ua")"#,
        -1,
        "tcp_get_conid: argument 2 is not a variable that can be written to",
    ),
    (
        "j",
        r#"tcp_set_otcpid("$ua")"#,
        -1,
        "tcp_set_otcpid: argument 1 is not a number",
    ),
];

const OVER_UDP: [(&str, &str, i64, &str); 3] = [
    (
        "u",
        r#"tcp_keepalive_enable("1", "1", "1")"#,
        -1,
        "tcp_keepalive_enable: the message did not come over TCP",
    ),
    (
        "v",
        "tcp_keepalive_disable()",
        -1,
        "tcp_keepalive_disable: the message did not come over TCP",
    ),
    (
        "w",
        r#"tcp_set_connection_lifetime("1")"#,
        -1,
        "tcp_set_connection_lifetime: the message did not come over TCP",
    ),
];

#[test]
fn each_bad_call_has_its_answer_and_one_line() {
    let ports = StreamPorts::free();
    let cases: Vec<(&str, &str)> = OVER_TCP
        .iter()
        .chain(&OVER_UDP)
        .map(|(name, call, ..)| (*name, *call))
        .collect();
    let server = server(&ports, Flavor::Rust)
        .config(&answering(&cases))
        .start();
    let mut stream = ports.connect(ports.ways()[0]);
    for (name, call, answer, _) in OVER_TCP {
        assert_eq!(ask(&mut stream, name, 0, 0), answer, "{call}");
    }
    for (name, call, answer, _) in OVER_UDP {
        assert_eq!(ask_over_udp(&ports, name, 0, 0), answer, "{call}");
    }
    let log = server.log();
    for (_, call, _, line) in OVER_TCP.iter().chain(&OVER_UDP) {
        assert_eq!(log.matches(line).count(), 1, "{call} in\n{log}");
    }
}

#[test]
fn two_functions_end_the_script_where_the_connection_is_not_known() {
    let ports = StreamPorts::free();
    let server = server(&ports, Flavor::Rust)
        .config(
            r#"request_route {
                sl_send_reply("200", "Done");
                if (is_method("INFO")) { tcp_set_connection_lifetime("99991", "1"); }
                else { tcp_enable_closed_event("99992"); }
                xlog("L_NOTICE", "the script goes on\n");
            }"#,
        )
        .start();
    let mut stream = ports.connect(ports.ways()[0]);
    stream.request("INFO", "");
    stream.request("OPTIONS", "");
    // There is one worker, so it has run the second when it answers a third.
    stream.request("OPTIONS", "");
    let log = server.log();
    assert!(log.contains("tcp_set_connection_lifetime: there is no connection 99991"));
    assert!(log.contains("tcp_enable_closed_event: there is no connection 99992"));
    assert!(!log.contains("the script goes on"), "{log}");
}

#[test]
fn a_flood_of_bad_calls_does_not_flood_the_log() {
    let ports = StreamPorts::free();
    let call = r#"tcp_keepalive_disable("99992")"#;
    let server = server(&ports, Flavor::Rust)
        .config(&answering(&[("a", call)]))
        .start();
    let mut stream = ports.connect(ports.ways()[0]);
    let calls = 500;
    let start = std::time::Instant::now();
    for _ in 0..calls {
        assert_eq!(ask(&mut stream, "a", 0, 0), -1);
    }
    let seconds = usize::try_from(start.elapsed().as_secs()).expect("few");
    let lines = server.log().matches("there is no connection").count();
    assert!((1..=5 * (seconds + 2)).contains(&lines), "{lines} lines");
}

/// Checks a configuration with this text, and returns the log if it is refused.
fn check(flavor: Flavor, text: &str) -> Result<(), String> {
    let ended = Server::builder(flavor)
        .tcp()
        .modules(["ctl", "sl", "pv", "xlog", "tcpops"])
        .config(text)
        .check();
    match ended.status.success() {
        true => Ok(()),
        false => Err(ended.log),
    }
}

#[test]
fn a_wrong_parameter_is_named_when_the_configuration_is_checked() {
    for (text, said) in [
        (
            r#"modparam("tcpops", "closed_event", 3)"#,
            "parameter closed_event: 3 is not 0",
        ),
        (
            r#"modparam("tcpops", "closed_event", -1)"#,
            "parameter closed_event: -1 is not 0",
        ),
        (
            "request_route { $var(x) = $tcp(nothing); }",
            "variable $tcp has no part (nothing)",
        ),
    ] {
        let log = check(Flavor::Rust, text).expect_err("it is refused");
        assert!(log.contains(said), "{log}");
    }
    for value in 0..=2 {
        let text = format!("modparam(\"tcpops\", \"closed_event\", {value})");
        assert_eq!(check(Flavor::Rust, &text), Ok(()));
    }
}

#[test]
fn functions_are_allowed_in_the_routes_of_the_c_module() {
    let calls = [
        r#"tcp_keepalive_enable("1", "1", "1")"#,
        "tcp_keepalive_disable()",
        r#"tcp_set_connection_lifetime("1")"#,
        "tcp_enable_closed_event()",
        r#"tcp_conid_alive("1")"#,
        r#"tcp_conid_state("1")"#,
        r#"tcp_get_conid("127.0.0.1", "$var(x)")"#,
        r#"tcp_keepalive_enable("1", "1", "1", "1")"#,
        r#"tcp_keepalive_disable("1")"#,
        r#"tcp_set_connection_lifetime("1", "1")"#,
        r#"tcp_enable_closed_event("1")"#,
        r#"tcp_set_otcpid("1")"#,
        r#"tcp_set_otcpid_flag("1")"#,
        "tcp_close_connection()",
        r#"tcp_close_connection("1")"#,
        // The function does not have this number of arguments.
        r#"tcp_keepalive_enable("1", "1")"#,
        "tcp_conid_alive()",
        r#"tcp_get_conid("127.0.0.1", "x")"#,
    ];
    let routes = [
        "request_route",
        "onreply_route[a]",
        "reply_route",
        "failure_route[a]",
        "branch_route[a]",
        "onsend_route",
        "event_route[tcp:closed]",
    ];
    let mut refused = 0;
    for call in calls {
        for route in routes {
            let text = format!("{route} {{ {call}; }}");
            let [c, ours] = [Flavor::C, Flavor::Rust].map(|flavor| check(flavor, &text).is_ok());
            assert_eq!(ours, c, "{text}");
            refused += usize::from(!ours);
        }
    }
    // Three calls are wrong everywhere, and four if there is no message over TCP.
    assert!(refused > 3 * routes.len() + 4, "{refused} were refused");
    for route in routes {
        let text = format!("{route} {{ tcp_con_alive(\"127.0.0.1\"); }}");
        assert_eq!(check(Flavor::Rust, &text), Ok(()));
    }
}

#[test]
fn without_tcp_there_are_no_connections() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "sl", "pv", "xlog", "textops", "tcpops"])
        .config(&answering(&[
            ("state", r#"tcp_conid_state("1")"#),
            ("find", r#"tcp_get_conid("127.0.0.1", "$var(x)")"#),
            ("close", r#"tcp_close_connection("1")"#),
            // The C module ends the server here.
            ("enable", r#"tcp_keepalive_enable("1", "30", "5", "5")"#),
        ]))
        .start();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], server.port()));
    for case in ["state", "find", "close", "enable"] {
        assert_eq!(crate::close::ask_at(address, case, 1, 0), -1, "{case}");
    }
}
