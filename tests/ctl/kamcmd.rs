//! `kamcmd`, Kamailio's own client, with everything that it can do.

use harness::builder::Builder;
use harness::kamcmd::{self, Output};
use harness::modules::Flavor;
use harness::server::{Server, short_directory};

/// The prompt at which it expects a command.
const PROMPT: &str = "kamcmd> ";

fn described(flavor: Flavor) -> Builder {
    Server::builder(flavor)
        .modules(["ctl", "cfg_rpc", "counters", "kex", "tm", "sl", "htable"])
        .config(r#"modparam("htable", "htable", "a=>size=4;")"#)
}

fn start() -> Server {
    described(Flavor::Rust).start()
}

fn said(output: &Output) -> &str {
    assert!(output.success, "{output:?}");
    assert_eq!(output.stderr, "");
    &output.stdout
}

#[test]
fn one_command() {
    let server = start();
    let version = kamcmd::run(&server.socket(), &["core.version"]);
    assert!(said(&version).starts_with("kamailio "), "{version:?}");
    let echo = kamcmd::run(&server.socket(), &["core.echo", "a", "2", "s:3"]);
    assert_eq!(said(&echo), "a\n2\n3\n");
}

#[test]
fn structs_are_shown_with_their_members() {
    let server = start();
    let set = kamcmd::run(&server.socket(), &["htable.sets", "a", "name", "value"]);
    assert_eq!(said(&set), "Ok. Key set to new value.\n");
    let get = kamcmd::run(&server.socket(), &["htable.get", "a", "name"]);
    let item =
        "\titem: {\n\t\tname: name\n\t\tvalue: value\n\t\tflags: 2\n\t\texpire: NEVER\n\t}\n";
    assert_eq!(said(&get), format!("{{\n{item}}}\n"));
}

#[test]
fn formats() {
    let server = start();
    let pairs = kamcmd::run(
        &server.socket(),
        &["-f", "<%v|%v>\\n", "core.echo", "a", "b", "c", "d"],
    );
    assert_eq!(said(&pairs), "<a|b>\n<c|d>\n");
}

#[test]
fn the_handler_is_among_the_processes() {
    let server = start();
    let processes = kamcmd::run(&server.socket(), &["ps"]);
    let handler = server.process("ctl handler").as_raw_pid();
    let line = format!("{handler}\tctl handler");
    assert!(
        said(&processes).lines().any(|process| process == line),
        "{processes:?}"
    );
}

#[test]
fn help() {
    let server = start();
    let all = kamcmd::run(&server.socket(), &["help"]);
    for command in [
        "core.uptime",
        "htable.dump",
        "ctl.listen",
        "alias: ps",
        "builtin: help",
    ] {
        assert!(
            said(&all).lines().any(|line| line == command),
            "no {command} in {all:?}"
        );
    }
    let one = kamcmd::run(&server.socket(), &["help", "ctl.listen"]);
    assert_eq!(said(&one), "list ctl listen sockets\n");
}

#[test]
fn faults() {
    let server = start();
    let fault = kamcmd::run(&server.socket(), &["no.such.command"]);
    let text = format!("{}{}", fault.stdout, fault.stderr);
    assert!(
        text.contains("error: 500 - command no.such.command not found"),
        "{fault:?}"
    );
}

/// The output must be the same with the C module.
#[test]
fn it_writes_the_same_as_over_the_c_module() {
    const RUNS: &[&[&str]] = &[
        &["core.version"],
        &["core.echo", "a", "2", "s:3", "4.5"],
        &["-f", "%v = %v%%\\n", "core.echo", "a", "1", "b", "2"],
        &["-v", "core.echo", "a"],
        &["help"],
        &["?"],
        &["ls"],
        &["help", "core.uptime"],
        &["help", "ps"],
        &["help", "no.such.command"],
        &["no.such.command"],
        &["system.listMethods"],
        &["cfg.list"],
        &["cfg.get", "core", "debug"],
        &["cfg.set_now_int", "core", "debug", "1"],
        &["cfg_get", "core:debug"],
        &["cnt.grps_list"],
        &["htable.sets", "a", "name", "value"],
        &["htable.dump", "a"],
        &["htable.dump", "none"],
        &["ctl.listen"],
        &["who"],
        &["listen"],
        &["version"],
    ];
    let place = short_directory();
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = described(flavor).directory(place.path()).start();
        let run = |args: &&[&str]| kamcmd::run(&server.socket(), args).in_common();
        RUNS.iter().map(run).collect::<Vec<Output>>()
    });
    for ((args, theirs), ours) in RUNS.iter().zip(&theirs).zip(&ours) {
        assert_eq!(theirs, ours, "kamcmd {}", args.join(" "));
    }
}

/// For its completion it asks the server for all commands, configuration variables and
/// counters when it starts.
#[test]
fn commands_are_completed_on_a_terminal() {
    let server = start();
    let mut terminal = kamcmd::interactive(&server.socket());
    terminal.read_to(PROMPT);
    terminal.type_in("core.vers\t");
    terminal.read_to("core.version ");
    terminal.type_in("\n");
    let shown = terminal.read_to(PROMPT);
    assert!(shown.contains("kamailio "), "{shown}");

    terminal.type_in("htable.set\t\t");
    let shown = terminal.read_to("htable.setxs");
    assert!(shown.contains("htable.seti"), "{shown}");
}

#[test]
fn variables_are_completed_on_a_terminal() {
    let server = start();
    let set = kamcmd::run(
        &server.socket(),
        &["cfg.set_now_int", "core", "mem_summary", "5"],
    );
    assert_eq!(said(&set), "");
    let mut terminal = kamcmd::interactive(&server.socket());
    terminal.read_to(PROMPT);
    terminal.type_in("cfg.get core mem_sum\t");
    terminal.read_to("mem_summary");
    terminal.type_in("\n");
    terminal.read_to("\n5\r\n");
    terminal.read_to(PROMPT);
}

#[test]
fn a_terminal_takes_one_command_after_the_other() {
    let server = start();
    let mut terminal = kamcmd::interactive(&server.socket());
    terminal.read_to(PROMPT);
    for word in ["first", "second", "third"] {
        terminal.type_in(&format!("core.echo {word}\n"));
        terminal.read_to(&format!("\n{word}\r\n"));
        terminal.read_to(PROMPT);
    }
    terminal.type_in("help ctl.listen\n");
    terminal.read_to("list ctl listen sockets");
    terminal.read_to(PROMPT);
    terminal.type_in("quit\n");
    assert!(terminal.wait_exit().success());
}
