//! The module in `examples/hello`, called through the C `ctl` and through ours.

use harness::linefifo;
use harness::modules::{Flavor, example};
use harness::server::{Server, free_port};
use harness::wait;
use rpc_wire::binrpc::client::{self as binrpc, Answer, Node};
use rpc_wire::linefifo::client::Arg;

fn start(flavor: Flavor) -> Server {
    Server::builder(flavor)
        .modules(["ctl"])
        .module_file(&example("hello"))
        .config(r#"modparam("hello", "greeting", "Good morning")"#)
        .start()
}

#[test]
fn its_command_answers() {
    for flavor in [Flavor::C, Flavor::Rust] {
        let server = start(flavor);
        let answer = server.client().call("hello.say", &["bob".into()]);
        let [answer] = answer.values() else {
            panic!("{flavor:?} answers\n{answer}");
        };
        assert_eq!(
            answer.get("text").and_then(Node::as_str),
            Some("Good morning, bob")
        );
        assert_eq!(answer.get("loudness").and_then(Node::as_int), Some(1));

        let refused = server.client().call("hello.say", &[]);
        let reason = b"whom shall I greet?".to_vec();
        assert_eq!(refused, Answer::Fault { code: 400, reason });
    }
}

#[test]
fn a_panic_in_a_command_is_a_fault_and_a_line_in_the_log() {
    for flavor in [Flavor::C, Flavor::Rust] {
        let server = start(flavor);
        let mut client = server.client();
        for _ in 0..3 {
            let answer = client.call("hello.panic", &[]);
            assert!(
                matches!(answer, Answer::Fault { code: 500, .. }),
                "{flavor:?}: {answer}"
            );
        }
        let log = server.log();
        let told =
            |line: &str| line.contains("BUG: hello ") && line.contains("this command always does");
        assert_eq!(log.lines().filter(|line| told(line)).count(), 3, "{log}");

        // The same process continues on the same connection.
        let answer = client.call("hello.say", &["bob".into()]);
        assert!(matches!(answer, Answer::Reply(_)), "{flavor:?}: {answer}");
    }
}

/// Functions and variables in a route that a timer runs, which needs no client.
const SCRIPT: &str = r#"
modparam("hello", "greeting", "Good morning")
modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
modparam("rtimer", "exec", "timer=soon;route=SOON")
route[SOON] {
    $var(name) = "bob";
    hello("alice and $var(name)", "2");
    hello("carol");
    $var(three) = hello_three("dave", "$var(name)", "7");
    $var(empty) = $null;
    $var(refused) = hello("eve", "$var(name)");
    xlog("L_NOTICE", "three=$var(three) refused=$var(refused)\n");
    xlog("L_NOTICE", "$hello(greeting) said=$hello(said) nothing=$hello(nothing)\n");
    xlog("L_NOTICE", "that is all\n");
}
"#;

#[test]
fn its_functions_and_variables_work_in_a_script() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "pv", "xlog", "rtimer"])
        .module_file(&example("hello"))
        .config(SCRIPT)
        .start();
    wait::until("the route runs", || server.log().contains("that is all"));
    let log = server.log();
    for line in [
        "NOTICE: hello [examples/hello/hello.rs:",
        "Good morning, alice and bob\n",
        "Good morning, carol\n",
        "Good morning, dave and bob\n",
        "ERROR: hello [examples/hello/hello.rs:",
        "argument 2 is not a number\n",
        "three=7 refused=-1\n",
        "Good morning said=4 nothing=<null>\n",
    ] {
        assert!(log.contains(line), "no {line:?} in\n{log}");
    }
    let twice = log.matches("Good morning, alice and bob").count();
    assert_eq!(twice, 2, "{log}");
}

#[test]
fn a_part_that_its_variable_lacks_is_found_when_the_script_is_read() {
    let ended = Server::builder(Flavor::Rust)
        .modules(["ctl", "pv", "xlog"])
        .module_file(&example("hello"))
        .config("request_route { $var(weather) = $hello(weather); }")
        .check();
    assert!(!ended.status.success(), "{}", ended.log);
    let told = "variable $hello has no part (weather)";
    assert!(ended.log.contains(told), "{}", ended.log);
}

#[test]
fn its_parameters_say_what_would_be_right() {
    for (value, told) in [
        (
            r#"modparam("hello", "greeting", "")"#,
            "parameter greeting: a greeting needs a word, such as \"Good morning\"",
        ),
        (
            r#"modparam("hello", "loudness", 12)"#,
            "parameter loudness: 12 is not between 0 and 11",
        ),
    ] {
        let ended = Server::builder(Flavor::Rust)
            .modules(["ctl"])
            .module_file(&example("hello"))
            .config(value)
            .check();
        assert!(!ended.status.success(), "{value} passes");
        assert!(ended.log.contains(told), "{}", ended.log);
    }
}

/// A KEMI script in Lua. `KSR.hello` comes from the module's declaration.
const LUA: &str = r#"
function ksr_request_main() end
function soon()
    local answer = KSR.hello.hello("from Lua", 2)
    KSR.notice("Lua got " .. answer .. "\n")
end
"#;

#[test]
fn its_function_works_in_a_kemi_script() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "app_lua", "rtimer"])
        .module_file(&example("hello"))
        .file("script.lua", LUA)
        .config(
            r#"
            modparam("app_lua", "load", "{dir}/script.lua")
            modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
            modparam("rtimer", "exec", "timer=soon;route=soon")
            cfgengine "lua"
            "#,
        )
        .start();
    wait::until("the script runs", || server.log().contains("Lua got"));
    let log = server.log();
    assert_eq!(log.matches("Hello, from Lua").count(), 2, "{log}");
    assert!(log.contains("Lua got 1"), "{log}");
}

#[test]
fn its_command_takes_a_structure_over_the_line_protocol() {
    let address = ([127, 0, 0, 1], free_port()).into();
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .module_file(&example("hello"))
        .config(&format!(
            "modparam(\"ctl\", \"fifo\", \"tcp:{address}\")\n\
             modparam(\"ctl\", \"binrpc\", \"unix:{{dir}}/kamailio_ctl\")"
        ))
        .start();
    let lines = linefifo::Address::Tcp(address);
    let order = |members: &[(&str, &str)]| {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let members = members
            .iter()
            .map(|(name, value)| (bytes(name), bytes(value)))
            .collect();
        let reply = linefifo::ask(&lines, "hello.order", &[Arg::Struct(members)]);
        String::from_utf8(reply).expect("text")
    };
    let reply = order(&[("number", "0x10"), ("DISH", "soup, hot: today")]);
    assert_eq!(reply, "200 OK\n16\nsoup, hot: today\n");
    let reply = order(&[("dish", "soup"), ("number", "many")]);
    assert_eq!(reply, "400 Invalid Parameter Value\n");
    assert_eq!(order(&[("number", "2")]), "400 which dish?\n");

    // BINRPC cannot carry a structure to a command.
    let answer = server
        .client()
        .call("hello.order", &[binrpc::Arg::Struct(vec![])]);
    assert!(
        matches!(answer, Answer::Fault { code: 500, .. }),
        "{answer}"
    );
}
