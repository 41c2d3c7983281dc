//! Requests that a real Kamailio 4.4.7 answered are sent again. The replies must be
//! equal, except for what differs from run to run and what no longer exists.

use harness::builder::Builder;
use harness::datagram;
use harness::modules::Flavor;
use harness::server::Server;
use serde_json::Value;

const EXCHANGES: &str = include_str!("../fixtures/mi_datagram-4.4.7.json");

/// A request of that time, and its reply if it had one.
struct Exchange {
    request: Vec<u8>,
    reply: Option<String>,
}

/// The server of that time, as far as its configuration still means something. `ctl`
/// shows that it is up, and `debug` belongs to corex today.
fn described() -> Builder {
    Server::builder(Flavor::Rust)
        .modules([
            "ctl",
            "tm",
            "sl",
            "pv",
            "rr",
            "xlog",
            "kex",
            "corex",
            "usrloc",
            "registrar",
            "htable",
            "dispatcher",
            "dialog",
            "permissions",
            "mi_datagram",
        ])
        .debug(1)
        .tcp()
        .file(
            "dispatcher.list",
            "1 sip:127.0.0.1:5080 0 0 dw=1\n2 sip:192.0.2.9:5060 2 7 weight=50\n",
        )
        .config(
            r#"
            modparam("mi_datagram", "socket_name", "{dir}/mi")
            modparam("usrloc", "preload", "location")
            modparam("pv", "shvset", "x=s:abc")
            modparam("pv", "shvset", "n=i:7")
            modparam("htable", "htable", "a=>size=4;")
            modparam("dispatcher", "list_file", "{dir}/dispatcher.list")
            request_route { exit; }
            event_route[htable:mod-init] {
                $sht(a=>one) = "first value";
                $sht(a=>two) = 2;
            }
            "#,
        )
}

#[test]
fn every_exchange_is_as_it_was() {
    let mut server = described().start();
    let exchanges = exchanges();
    assert_eq!(exchanges.len(), 119);
    let mut different = Vec::new();
    for Exchange { request, reply } in &exchanges {
        let Some(reply) = reply else {
            // `kill` ends the server and has no answer.
            assert_eq!(request, b":kill:\n");
            datagram::send(&server.path("mi"), request);
            assert!(server.wait_exit().success());
            break;
        };
        let ours = text(&datagram::ask(&server.path("mi"), request));
        let asked = text(request);
        if let Err(why) = alike(&asked, reply, &ours) {
            different.push(format!("{asked:?} {why}\nthen: {reply}\nours: {ours}"));
        }
    }
    assert!(
        different.is_empty(),
        "{} differ\n{}",
        different.len(),
        different.join("\n")
    );
}

fn exchanges() -> Vec<Exchange> {
    let all: Value = serde_json::from_str(EXCHANGES).expect("the fixture is JSON");
    let list = all["exchanges"].as_array().expect("a list");
    // Each character of the fixture's text stands for a byte.
    let bytes = |text: &str| text.chars().map(|c| c as u8).collect();
    list.iter()
        .map(|exchange| Exchange {
            request: bytes(exchange["request"].as_str().expect("text")),
            reply: exchange["reply"].as_str().map(str::to_owned),
        })
        .collect()
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Whether our reply is the old one, as far as it can be.
fn alike(asked: &str, old: &str, ours: &str) -> Result<(), &'static str> {
    let (old, ours): (Vec<&str>, Vec<&str>) = (old.lines().collect(), ours.lines().collect());
    match asked.split(':').nth(1).unwrap_or_default() {
        // This is another server, which has the same commands and more.
        "which" if asked == ":which:\n" => contains_all(&old, &ours),
        // These requests were refused, but clients in Ruby and PHP send them.
        "which" if [":which:", ":which:\r\n"].contains(&asked) => equal(&ours[..1], &["200 OK"]),
        "get_statistics" if old.len() > 5 => contains_all(&names(&old), &names(&ours)),
        "arg" => equal(&old[..1], &ours[..1]),
        "ps" => {
            let first: Vec<String> = old[..2].iter().map(|line| without_numbers(line)).collect();
            let ours: Vec<String> = ours.iter().map(|line| without_numbers(line)).collect();
            equal(&first[..], &ours[..2])?;
            let is_process = |line: &String| line.starts_with("Process::  ID=0 PID=0 Type=");
            let all = ours[1..].iter().all(is_process);
            all.then_some(()).ok_or("a line is no process")
        }
        _ => {
            // The reply to `version` had an empty line.
            let old = old.iter().filter(|line| !line.is_empty());
            let old: Vec<String> = old.map(|line| settled(line)).collect();
            let ours: Vec<String> = ours.iter().map(|line| settled(line)).collect();
            equal(&old, &ours)
        }
    }
}

fn equal<T: PartialEq>(old: &[T], ours: &[T]) -> Result<(), &'static str> {
    (old == ours).then_some(()).ok_or("differs")
}

fn contains_all<T: PartialEq>(old: &[T], ours: &[T]) -> Result<(), &'static str> {
    let all = old.iter().all(|line| ours.contains(line));
    all.then_some(()).ok_or("lacks a line")
}

/// The names in `name = value`. usrloc has had others since then.
fn names(lines: &[&str]) -> Vec<String> {
    let name = |line: &&str| {
        let name = line.split(" = ").next().unwrap_or_default();
        match name.strip_prefix("usrloc:") {
            Some(_) => name.replace('-', "_"),
            None => name.to_owned(),
        }
    };
    lines.iter().map(name).collect()
}

fn without_numbers(line: &str) -> String {
    let mut shape = String::new();
    for character in line.chars() {
        match character {
            '0'..='9' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            other => shape.push(other),
        }
    }
    shape
}

/// What differs on every server and in every run.
const VOLATILE: &[&str] = &[
    "Server:: ",
    "Build:: ",
    "Flags:: ",
    "GIT:: ",
    "Now:: ",
    "Up since:: ",
    "Up time:: ",
    // Today's command gives this to the contacts that it adds.
    "\t\t\tCallid:: ",
    "\t\t\tCseq:: ",
    "\t\t\tUser-agent:: ",
    "\t\t\tRuid:: ",
    "\t\t\tLast-Keepalive:: ",
];

/// The line without what differs.
fn settled(line: &str) -> String {
    if let Some(name) = VOLATILE.iter().find(|name| line.starts_with(**name)) {
        // The flags of a contact are not a version.
        return (*name).to_owned();
    }
    match line.split_once("user_agent=<") {
        Some((before, rest)) => {
            let behind = rest.split_once('>').map_or("", |(_, behind)| behind);
            format!("{before}user_agent=<>{behind}")
        }
        None => line.to_owned(),
    }
}

#[test]
fn both_names_of_a_command_work() {
    let server = described().start();
    let ask = |request: &str| text(&datagram::ask(&server.path("mi"), request.as_bytes()));
    let old = ask(":ul_dump:\n");
    assert!(old.starts_with("200 OK\nDomain:: location table="), "{old}");
    let today = ask(":ul.dump:\n");
    let expected = "200 OK\nstruct:: \n\tDomains:: \n\t\tDomain:: \n\t\t\tDomain:: location\n";
    assert!(today.starts_with(expected), "{today}");
}

/// These cases are not among the old exchanges.
#[test]
fn addresses_are_listed_in_the_old_style() {
    let server = described()
        .file("address.list", "1 10.0.0.1 32 5060 gw\n2 10.0.0.2 32 0\n")
        .config(r#"modparam("permissions", "address_file", "{dir}/address.list")"#)
        .start();
    let ask = |request: &str| text(&datagram::ask(&server.path("mi"), request.as_bytes()));
    assert_eq!(ask(":address_reload:\n"), "200 OK\n");
    let reply = ask(":address_dump:\n");
    let mut lines: Vec<&str> = reply.lines().map(|line| line.split_at(4).1).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [" <1, 10.0.0.1, 5060> [gw]", " <2, 10.0.0.2, 0> []", "OK"]
    );
}
