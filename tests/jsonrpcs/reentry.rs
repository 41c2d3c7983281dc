//! Commands that run a part of the script, and texts that the script holds meanwhile.

use std::net::UdpSocket;

use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;

/// A server with these routes, which a SIP request runs.
fn start(flavor: Flavor, routes: &str) -> Server {
    Server::builder(flavor)
        .modules(["ctl", "tm", "sl", "pv", "xlog", "kex", "jsonrpcs"])
        .config(&format!(
            r#"
            modparam("jsonrpcs", "transport", 4)
            modparam("jsonrpcs", "dgram_socket", "{{dir}}/rpc.socket")
            modparam("jsonrpcs", "pretty_format", 0)
            modparam("xlog", "buf_size", 65536)
            {routes}
            "#
        ))
        .start()
}

/// Sends a SIP request with this header, and returns what the routes write to the log
/// behind `told `, up to `told last`.
fn told(server: &Server, evil: &str) -> Vec<String> {
    let request = format!(
        "OPTIONS sip:a@127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:a@127.0.0.1>\r\n\
         Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nX-Evil: {evil}\r\nContent-Length: 0\r\n\r\n"
    );
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket
        .send_to(request.as_bytes(), ("127.0.0.1", server.port()))
        .expect("the server listens");
    wait::until("the route ends", || server.log().contains("told last"));
    let log = server.log();
    let lines = log.lines().filter_map(|line| line.split_once("told "));
    lines
        .map(|(_, told)| told.to_owned())
        .filter(|told| told != "last")
        .collect()
}

/// A command that runs `event_route[tm:local-request]`. A variable in the document
/// makes the server evaluate it.
const UAC: &str = r#"{"jsonrpc":"2.0","method":"tm.t_uac_start","id":"one","params":["OPTIONS","sip:x@127.0.0.1:9","sip:127.0.0.1:9",".","From: <sip:a@b>\r\nTo: <sip:c@d>\r\n",""],"x":"$rm"}"#;

/// Fills all buffers that the server lends to evaluated texts.
const OVERWRITES: &str = r#"
    event_route[tm:local-request] {
        $var(i) = 0;
        while ($var(i) < 100) { $var(x) = $_s($shv(evil)$var(i)); $var(i) = $var(i) + 1; }
    }
"#;

fn executing(document: &str) -> String {
    format!(
        r#"
        {OVERWRITES}
        request_route {{
            $shv(evil) = $hdr(X-Evil);
            jsonrpc_exec('{document}');
            xlog("L_NOTICE", "told $jsonrpl(code) $jsonrpl(body)\n");
            xlog("L_NOTICE", "told last\n");
            exit;
        }}
        "#
    )
}

#[test]
fn a_route_that_the_command_runs_does_not_change_the_document() {
    let evil = "a".repeat(300);
    let told = |flavor| told(&start(flavor, &executing(UAC)), &evil);
    let (theirs, ours) = (told(Flavor::C), told(Flavor::Rust));
    assert_eq!(theirs, ours);
    assert!(ours[0].contains(r#""id":"one""#), "{ours:?}");
}

#[test]
fn a_route_that_the_command_runs_does_not_change_the_rest_of_a_batch() {
    let second = r#"{"jsonrpc":"2.0","method":"core.version","id":2}"#;
    let server = start(Flavor::Rust, &executing(&format!("[{UAC},{second}]")));
    // This is what a sender of SIP would like to have run instead.
    let place = 1 + UAC.replace("$rm", "OPTIONS").len();
    let wanted = r#",{"jsonrpc":"2.0","method":"core.pwd","id":9}]"#;
    let told = told(&server, &format!("{}{wanted}", "a".repeat(place)));
    assert!(told[0].contains(r#""id":"one""#), "{told:?}");
    assert!(told[0].contains("kamailio"), "{told:?}");
    assert!(told[0].ends_with(r#","id":2}]"#), "{told:?}");
}

/// The C module ends the server here, because it has one context for all commands of a
/// process.
#[test]
fn a_route_that_a_command_runs_may_run_commands() {
    let server = start(
        Flavor::Rust,
        &format!(
            r#"
            event_route[tm:local-request] {{
                jsonrpc_exec('{{"jsonrpc":"2.0","method":"core.echo","params":["inner"],"id":7}}');
                xlog("L_NOTICE", "told $jsonrpl(code) $jsonrpl(body)\n");
            }}
            request_route {{
                jsonrpc_exec('{UAC}');
                xlog("L_NOTICE", "told $jsonrpl(code) $jsonrpl(body)\n");
                xlog("L_NOTICE", "told last\n");
                exit;
            }}
            "#
        ),
    );
    let told = told(&server, "");
    assert_eq!(
        told[0],
        r#"200 {"jsonrpc":"2.0","result":["inner"],"id":7}"#
    );
    assert!(told[1].starts_with("200 "), "{told:?}");
    assert!(told[1].contains(r#""id":"one""#), "{told:?}");

    // The same works over another transport, and the process goes on.
    for id in 1..=3 {
        let document = UAC.replace("\"one\"", &id.to_string());
        let answer =
            harness::json_transports::datagram(&server.path("rpc.socket"), document.as_bytes());
        assert!(answer.ends_with(&format!(r#""id":{id}}}"#)), "{answer}");
    }
    assert_eq!(server.log().matches(r#"["inner"],"id":7}"#).count(), 4);
}

const ECHO: &str = r#"{"jsonrpc":"2.0","method":"core.echo","params":["$var(text)"],"id":1}"#;

#[test]
fn an_expression_may_hold_as_many_texts_as_it_likes() {
    const DEPTH: usize = 100;
    let sum = |n: usize| {
        let parts: Vec<&str> = (0..n)
            .map(|n| ["$jsonrpl(body)", "$jsonrpl(text)"][n % 2])
            .collect();
        format!("{}{}", parts.join(" + ("), ")".repeat(n - 1))
    };
    let routes = format!(
        r#"
        request_route {{
            $var(text) = "{}";
            jsonrpc_exec('{ECHO}');
            $var(r) = {};
            xlog("L_NOTICE", "told $var(r)\n");
            xlog("L_NOTICE", "told last\n");
            exit;
        }}
        "#,
        "x".repeat(300),
        sum(DEPTH),
    );
    let told = |flavor| told(&start(flavor, &routes), "");
    let (theirs, ours) = (told(Flavor::C), told(Flavor::Rust));
    assert_eq!(theirs, ours);
    assert_eq!(ours[0].matches("xxx\"],\"id\":1}OK").count(), DEPTH / 2);
}

/// In C each command frees the text that the expression still holds.
#[test]
fn a_held_text_outlives_the_commands_that_run_in_the_same_expression() {
    let server = start(
        Flavor::Rust,
        &format!(
            r#"
            route[SELF] {{
                $var(level) = $var(level) + 1;
                $var(text) = $_s($var(level)$shv(long));
                jsonrpc_exec('{ECHO}');
                if ($var(level) < 30) {{
                    $var(all) = $jsonrpl(body) + ("" + route(SELF));
                    $shv(all) = $shv(all) + $var(all);
                }}
                return 1;
            }}
            request_route {{
                $shv(long) = "{}";
                $shv(all) = "";
                route(SELF);
                xlog("L_NOTICE", "told $shv(all)\n");
                xlog("L_NOTICE", "told last\n");
                exit;
            }}
            "#,
            "x".repeat(300)
        ),
    );
    let told = told(&server, "");
    // The innermost route comes first.
    let right = (1..30).rev().map(|level| {
        let long = "x".repeat(300);
        format!(r#"{{"jsonrpc":"2.0","result":["{level}{long}"],"id":1}}1"#)
    });
    assert_eq!(told[0], right.collect::<String>());
}
