use std::collections::{BTreeMap, BTreeSet};

use super::gone::GONE;
use super::*;

const NAMES: &str = include_str!("../../../../tests/fixtures/command-names.json");
const DOCUMENT: &str = include_str!("../../../../docs/mi_datagram-commands.md");

type Modules = BTreeMap<String, Vec<String>>;

fn names_of(version: &str) -> BTreeSet<String> {
    let versions: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(NAMES).expect("the fixture is JSON");
    let modules: Modules =
        serde_json::from_value(versions[version].clone()).expect("lists of names by module");
    modules.into_values().flatten().collect()
}

#[test]
fn every_old_name_has_an_alias_or_a_reason_why_not() {
    let old = names_of("mi_4.4.7");
    assert_eq!(old.len(), 138);
    let ours: Vec<&str> = all()
        .map(|alias| alias.name)
        .chain(GONE.iter().map(|(name, _)| *name))
        .collect();
    let unique: BTreeSet<String> = ours.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(unique.len(), ours.len(), "a name is there twice");
    assert_eq!(unique, old);
}

#[test]
fn every_command_of_the_table_is_one_of_a_current_version() {
    let current: BTreeSet<String> = ["rpc_5.6.3", "rpc_6.0.1", "rpc_6.1.4"]
        .into_iter()
        .flat_map(names_of)
        .collect();
    for alias in all() {
        assert!(!alias.candidates.is_empty(), "{}", alias.name);
        for candidate in alias.candidates {
            if let Command::Named(command) = candidate.command {
                assert!(current.contains(command), "{} -> {command}", alias.name);
            }
        }
    }
}

#[test]
fn the_table_of_the_documentation_is_this_table() {
    let expected = document();
    assert!(DOCUMENT.contains(&expected), "it should have:\n{expected}");
}

fn document() -> String {
    let families: String = FAMILIES
        .iter()
        .map(|(heading, aliases)| {
            let rows: String = aliases.iter().map(rows_of).collect();
            format!("### {heading}\n\n{HEAD}{rows}\n")
        })
        .collect();
    let gone: String = GONE
        .iter()
        .map(|(name, reason)| format!("| `{name}` | {reason} |\n"))
        .collect();
    format!("{families}## Without counterpart\n\n| old name | reason |\n| --- | --- |\n{gone}")
}

const HEAD: &str = "| old name | arguments | runs | with |\n| --- | --- | --- | --- |\n";

fn rows_of(alias: &Alias) -> String {
    let name = alias.name;
    alias
        .candidates
        .iter()
        .map(|candidate| {
            let takes = count_of(candidate.takes);
            let with = arguments_of(candidate.arguments);
            let runs = match candidate.command {
                Command::Named(command) => format!("`{command}`"),
                Command::FirstArgument => "the command that argument 1 names".to_owned(),
            };
            format!("| `{name}` | {takes} | {runs} | {with} |\n")
        })
        .collect()
}

fn count_of(takes: (usize, usize)) -> String {
    match takes {
        (0, usize::MAX) => "any".to_owned(),
        (least, usize::MAX) => format!("{least} or more"),
        (least, most) if least == most => least.to_string(),
        (least, most) if least + 1 == most => format!("{least} or {most}"),
        (least, most) => format!("{least} to {most}"),
    }
}

fn arguments_of(arguments: Arguments) -> String {
    match arguments {
        Arguments::AsTheyAre => "the same".to_owned(),
        Arguments::Built([]) => "none".to_owned(),
        Arguments::Built(pieces) => {
            let pieces: Vec<String> = pieces.iter().map(piece).collect();
            pieces.join(", ")
        }
    }
}

fn piece(piece: &Piece) -> String {
    match *piece {
        Piece::Argument(index) => (index + 1).to_string(),
        Piece::ArgumentOr(index, text) => format!("{} or `{text}`", index + 1),
        Piece::DotIsEmpty(index) => format!("{} or empty", index + 1),
        Piece::Rest(index) => format!("{} and all after it", index + 1),
        Piece::Text("") => "empty".to_owned(),
        Piece::Text(text) => format!("`{text}`"),
    }
}

fn choice<'a>(name: &str, registered: &[&str], arguments: &[&'a str]) -> Choice<'a> {
    let arguments: Vec<&[u8]> = arguments.iter().map(|text| text.as_bytes()).collect();
    lookup(name.as_bytes())
        .expect("an alias")
        .choose(&arguments, |command| {
            registered.iter().any(|name| name.as_bytes() == command)
        })
}

fn run<'a>(command: &'a str, arguments: &[&'a str]) -> Choice<'a> {
    Choice::Run {
        command: command.as_bytes(),
        arguments: arguments.iter().map(|text| text.as_bytes()).collect(),
    }
}

#[test]
fn an_old_name_is_found_as_it_was_written() {
    assert!(lookup(b"ul_dump").is_some());
    assert!(lookup(b"GET_CPL").is_some());
    for name in [&b"UL_DUMP"[..], b"get_cpl", b"ul.dump", b"ul_dump ", b""] {
        assert!(lookup(name).is_none());
    }
}

#[test]
fn the_first_command_that_is_registered_runs() {
    let arguments = ["udp:127.0.0.1:22222", "0"];
    let both = ["rtpproxy.enable", "rtpengine.enable"];
    assert_eq!(
        choice("nh_enable_rtpp", &both, &arguments),
        run("rtpengine.enable", &arguments)
    );
    assert_eq!(
        choice("nh_enable_rtpp", &both[..1], &arguments),
        run("rtpproxy.enable", &arguments)
    );
    assert_eq!(
        choice("nh_enable_rtpp", &[], &arguments),
        Choice::NotRegistered
    );
}

#[test]
fn the_number_of_arguments_decides_between_commands() {
    let dialog = ["dlg.list", "dlg.dlg_list"];
    assert_eq!(choice("dlg_list", &dialog, &[]), run("dlg.list", &[]));
    assert_eq!(
        choice("dlg_list", &dialog, &["call", "tag"]),
        run("dlg.dlg_list", &["call", "tag"])
    );
    assert_eq!(
        choice("dlg_list", &dialog, &["x", "y", "z"]),
        Choice::WrongCount
    );
    assert_eq!(
        choice("dlg_list", &["dlg2.list"], &[]),
        run("dlg2.list", &[])
    );
    assert_eq!(
        choice("dlg_list", &["dlg2.list"], &["call"]),
        Choice::WrongCount
    );
}

#[test]
fn debug_finds_the_level_without_corex_and_the_queue_of_mohqueue() {
    let all = ["cfg.get", "cfg.seti", "corex.debug", "mohqueue.debug"];
    assert_eq!(choice("debug", &all, &["3"]), run("corex.debug", &["3"]));
    assert_eq!(
        choice("debug", &all[..2], &[]),
        run("cfg.get", &["core", "debug"])
    );
    assert_eq!(
        choice("debug", &all[..2], &["3"]),
        run("cfg.seti", &["core", "debug", "3"])
    );
    assert_eq!(
        choice("debug", &all, &["queue", "1"]),
        run("mohqueue.debug", &["queue", "1"])
    );
    assert_eq!(
        choice("debug", &all[..2], &["queue", "1"]),
        Choice::WrongCount
    );
}

#[test]
fn rpc_runs_the_command_that_it_names() {
    assert_eq!(
        choice("rpc", &[], &["core.echo", "a", "b"]),
        run("core.echo", &["a", "b"])
    );
    assert_eq!(choice("rpc", &[], &[]), Choice::WrongCount);
}

#[test]
fn the_number_to_check_moves_to_the_front() {
    let command = "userblocklist.check_userblocklist";
    assert_eq!(
        choice("check_userblacklist", &[command], &["49721", "4912"]),
        run(command, &["4912", "49721", ""])
    );
    assert_eq!(
        choice(
            "check_userblacklist",
            &[command],
            &["49721", "example.org", "4912"]
        ),
        run(command, &["4912", "49721", "example.org"])
    );
}

#[test]
fn no_header_fields_and_no_body_are_empty_texts() {
    assert_eq!(
        choice(
            "t_reply",
            &["tm.reply"],
            &["404", "Gone", "1:2", "tag", "."]
        ),
        run("tm.reply", &["404", "Gone", "1:2", "tag", "", ""])
    );
    let all = ["200", "OK", "call", "1", "tag", "X-A: b\r\n", "body"];
    assert_eq!(
        choice("t_reply_callid", &["tm.reply_callid"], &all),
        run("tm.reply_callid", &all)
    );
}

#[test]
fn a_publish_without_outbound_proxy_gets_a_dot() {
    let command = "pua.send_publish";
    let given = [
        "sip:a@b", "3600", "presence", "text/xml", ".", ".", "X: y", "<a/>",
    ];
    let sent = [
        "sip:a@b", "3600", "presence", "text/xml", ".", ".", ".", "X: y", "<a/>",
    ];
    assert_eq!(
        choice("pua_publish", &[command], &given),
        run(command, &sent)
    );
    assert_eq!(
        choice("pua_publish", &[command], &given[..7]),
        run(command, &sent[..8])
    );
    assert_eq!(
        choice("pua_publish", &[command], &sent),
        run(command, &sent)
    );
    assert_eq!(
        choice("pua_publish", &[command], &given[..6]),
        Choice::WrongCount
    );
}

#[test]
fn arguments_that_were_left_out_have_their_old_meaning() {
    for (name, command, meaning) in [
        ("sip_trace", "siptrace.status", "check"),
        ("sip_capture", "sipcapture.status", "check"),
        ("nh_show_rtpp", "rtpengine.show", "all"),
        ("pike_list", "pike.list", "HOT"),
    ] {
        assert_eq!(choice(name, &[command], &[]), run(command, &[meaning]));
        assert_eq!(choice(name, &[command], &["on"]), run(command, &["on"]));
    }
}

#[test]
fn commands_without_input_ignore_it() {
    assert_eq!(
        choice("kill", &["core.kill"], &["9"]),
        run("core.kill", &["15"])
    );
    assert_eq!(
        choice("ds_list", &["dispatcher.list"], &["short"]),
        run("dispatcher.list", &[])
    );
}

#[test]
fn a_list_ends_where_an_argument_is_missing() {
    let built = Arguments::Built(&[
        Piece::Argument(0),
        Piece::Argument(1),
        Piece::Text("never without the second"),
    ]);
    assert_eq!(built.apply(&[b"a"]), [b"a"]);
    assert_eq!(built.apply(&[]), Vec::<&[u8]>::new());
}

#[test]
fn a_name_without_counterpart_has_its_reason() {
    assert!(reason_gone(b"forward_list").is_some_and(|reason| reason.contains("utils")));
    assert_eq!(reason_gone(b"ul_dump"), None);
}
