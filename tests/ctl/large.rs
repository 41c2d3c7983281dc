//! Replies that the C module refuses or cuts, and one for which it takes long.

use std::collections::HashMap;
use std::process::Command;

use harness::binrpc::Client;
use harness::builder::Builder;
use harness::contacts;
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use rpc_wire::binrpc::client::{Answer, Arg, Node};

const CONTACTS: usize = 5_000;
const ENTRIES: usize = 100_000;

fn with_contacts(flavor: Flavor) -> Builder {
    Server::builder(flavor)
        .modules(["ctl", "usrloc"])
        .config(r#"modparam("usrloc", "preload", "location")"#)
}

#[test]
fn ul_dump_tells_5000_contacts() {
    let server = with_contacts(Flavor::Rust).start();
    let mut client = server.client();
    contacts::add(&mut client, CONTACTS);

    let answer = client.call("ul.dump", &[]);

    let records = path(&answer, &["Domains", "Domain", "AoRs"]);
    let told: HashMap<&str, &str> = records.members().map(name_and_address).collect();
    assert_eq!(records.members().count(), CONTACTS);
    for number in 0..CONTACTS {
        let (user, address) = (contacts::user(number), contacts::address(number));
        assert_eq!(told.get(user.as_str()), Some(&address.as_str()));
    }
}

/// This shows that the test above is worth something.
#[test]
fn ul_dump_of_5000_contacts_is_too_much_for_the_c_module() {
    let server = with_contacts(Flavor::C).start();
    let mut client = server.client();
    contacts::add(&mut client, CONTACTS);

    let answer = client.call("ul.dump", &[]);

    assert!(
        matches!(answer, Answer::Fault { code: 500, .. }),
        "{answer}"
    );
}

/// `kamcmd` has a buffer of 128 KiB; other clients have no such limit.
#[test]
fn public_clients_read_5000_contacts() {
    let [line, json] = [free_port(), free_port()];
    let server = with_contacts(Flavor::Rust)
        .modules(["jsonrpcs"])
        .config(&format!(
            r#"
            modparam("ctl", "binrpc", "unix:{{dir}}/kamailio_ctl")
            modparam("ctl", "fifo", "tcp:127.0.0.1:{line}")
            modparam("jsonrpcs", "transport", 10)
            modparam("jsonrpcs", "tcp_socket", "tcp:127.0.0.1:{json}")
            "#
        ))
        .start();
    contacts::add(&mut server.client(), CONTACTS);

    let document = r#"{"jsonrpc":"2.0","method":"ul.dump","id":1}"#;
    for command in [
        format!(r"printf ':ul.dump:\n\n' | socat -t 60 - TCP:127.0.0.1:{line}"),
        format!("echo '{document}' | socat -t 60 - TCP:127.0.0.1:{json}"),
        format!(
            "RPCFIFOPATH={} kamctl rpc ul.dump",
            server.path("kamailio_rpc.fifo").display()
        ),
    ] {
        let printed = printed(&command);
        let contacts = printed.matches("@192.0.2.").count();
        assert_eq!(contacts, CONTACTS, "{command}");
    }
    let socket = server.socket();
    let refused = printed(&format!("kamcmd -s unix:{} ul.dump", socket.display()));
    assert!(refused.contains("reply too big"), "{refused}");
}

/// The output of a shell command.
fn printed(command: &str) -> String {
    let output = Command::new("timeout")
        .args(["100", "sh", "-c", &format!("({command}) 2>&1")])
        .output()
        .expect("a shell is there");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn name_and_address(record: &Node) -> (&str, &str) {
    let contact = member(member(record, "Contacts"), "Contact");
    (text(record, "AoR"), text(contact, "Address"))
}

#[test]
fn htable_dump_tells_100_000_entries() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "htable"])
        .config(r#"modparam("htable", "htable", "t=>size=14")"#)
        .start();
    let mut client = server.client();
    let value = |number: usize| format!("the value of entry {number}, made a little longer");
    fill_table(&mut client, ENTRIES, value);

    let answer = client.call("htable.dump", &["t".into()]);

    assert_table(&answer, ENTRIES, value);
}

/// The table has few slots, each of which is one struct in the reply.
#[test]
fn a_struct_may_have_a_megabyte() {
    const VALUES: usize = 120;
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "htable"])
        .config(r#"modparam("htable", "htable", "t=>size=2")"#)
        .start();
    let mut client = server.client();
    let value = |number: usize| number.to_string().repeat(20_000);
    fill_table(&mut client, VALUES, value);

    let answer = client.call("htable.dump", &["t".into()]);

    assert_table(&answer, VALUES, value);
    let largest = answer.values().iter().map(size).max();
    assert!(
        largest > Some(1 << 20),
        "the largest struct has {largest:?} bytes"
    );
}

/// `xhttp_prom.metric_list_print` formats all metrics into one text, of which C
/// takes 1,024 bytes.
#[test]
fn a_formatted_text_may_be_long() {
    const METRICS: usize = 200;
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "sl", "xhttp", "xhttp_prom"])
        .config(
            r#"
            modparam("xhttp_prom", "prom_gauge", "name=load;label=host")
            request_route { exit; }
            event_route[xhttp:request] { exit; }
            "#,
        )
        .tcp()
        .start();
    let mut client = server.client();
    let host = |number: usize| Arg::from(&*format!("host{number}"));
    let gauge = |number| vec!["load".into(), f64::from(number as u16).into(), host(number)];
    client.call_many("xhttp_prom.gauge_set", (0..METRICS).map(gauge), |answer| {
        assert_eq!(answer, Answer::Reply(vec![]));
    });

    let answer = client.call("xhttp_prom.metric_list_print", &[]);

    let text = answer.values()[0].as_str().expect("one text");
    assert!(text.len() > 8 * 1024, "{} bytes", text.len());
    for number in 0..METRICS {
        let start = format!("kamailio_load{{host=\"host{number}\"}} {number}.000000 ");
        assert!(
            text.lines().any(|line| line.starts_with(&start)),
            "no {start:?} in {text}"
        );
    }
}

fn fill_table(client: &mut Client, count: usize, value: impl Fn(usize) -> String) {
    let entry = |number| {
        vec![
            "t".into(),
            Arg::from(&*key(number)),
            Arg::from(&*value(number)),
        ]
    };
    let done = Answer::Reply(vec![Node::Str(b"Ok. Key set to new value.".to_vec())]);
    client.call_many("htable.sets", (0..count).map(entry), |answer| {
        assert_eq!(answer, done);
    });
}

/// Checks a dump, in which each slot of the table is a struct with a number, the count
/// of its entries, and the entries.
fn assert_table(dump: &Answer, count: usize, value: impl Fn(usize) -> String) {
    let slots = dump.values().iter().map(|slot| member(slot, "slot"));
    let entries: Vec<&Node> = slots.flat_map(Node::members).collect();
    assert_eq!(entries.len(), count);
    let told: HashMap<&str, &str> = entries
        .into_iter()
        .map(|entry| (text(entry, "name"), text(entry, "value")))
        .collect();
    for number in 0..count {
        assert_eq!(told.get(&*key(number)), Some(&&*value(number)));
    }
}

fn key(number: usize) -> String {
    format!("key-{number}")
}

/// The bytes of all texts in a value.
fn size(node: &Node) -> usize {
    match node {
        Node::Str(text) | Node::Bytes(text) => text.len(),
        _ => node.members().map(size).sum(),
    }
}

fn path<'a>(answer: &'a Answer, names: &[&str]) -> &'a Node {
    let first = answer.values().first();
    let first = first.unwrap_or_else(|| panic!("the answer is\n{answer}"));
    names.iter().fold(first, |node, name| member(node, name))
}

fn member<'a>(node: &'a Node, name: &str) -> &'a Node {
    node.get(name)
        .unwrap_or_else(|| panic!("there is no {name} in\n{node}"))
}

fn text<'a>(node: &'a Node, name: &str) -> &'a str {
    member(node, name)
        .as_str()
        .unwrap_or_else(|| panic!("{name} is no text in\n{node}"))
}

#[test]
fn a_reply_has_a_bound_in_memory() {
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "kex"])
        .config(r#"modparam("ctl", "max_reply", 65536)"#)
        .start();
    let mut client = server.client();
    let many = vec![Arg::from("a"); 4000];
    let fault = Answer::Fault {
        code: 500,
        reason: b"the reply is larger than 65536 bytes (max_reply)".to_vec(),
    };
    assert_eq!(client.call("core.echo", &many), fault);
    let line = "command core.echo: the reply is larger than 65536 bytes";
    assert!(server.log().contains(line), "{}", server.log());
    // The same connection can still be used.
    let answer = client.call("core.echo", &many[..2]);
    assert_eq!(answer.values().len(), 2, "{answer}");
}
