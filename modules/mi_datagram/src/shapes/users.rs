//! Registered users.

use rpc_wire::mi::{Node, Tree};
use rpc_wire::value::{Reply, Values};

use super::Render::FromReply;
use super::{ANY, Shape, fault, first_struct, set_text, text};

pub(super) const SHAPES: &[Shape] = &[
    Shape::new("ul_add", (9, 9), FromReply(done)),
    Shape::new("ul_rm", (2, 2), FromReply(done)),
    Shape::new("ul_rm_contact", (3, 3), FromReply(done)),
    Shape::new("ul_flush", ANY, FromReply(done)),
    Shape::new("ul_dump", (0, 1), FromReply(dump)),
    Shape::new("ul_show_contact", (2, 2), FromReply(show_contact)),
];

/// The old words for today's faults.
const FAULTS: &[(&str, (i32, &str))] = &[
    ("Domain table not found", (404, "Table not found")),
    ("AOR not found", (404, "AOR not found")),
    ("AOR has no contacts", (404, "AOR not found")),
    ("Domain missing in AOR", (400, "Domain missing in AOR")),
    ("Not enough parameters", (400, "Bad parameter")),
];

/// The text of today's commands for a missing value.
const NOT_SET: &[u8] = b"[not set]";

fn done(reply: &Reply) -> Tree {
    fault(reply, FAULTS).unwrap_or_else(Tree::ok)
}

fn dump(reply: &Reply) -> Tree {
    if let Some(fault) = fault(reply, FAULTS) {
        return fault;
    }
    let mut tree = Tree::ok();
    let domains = first_struct(reply).map(|told| told.within("Domains"));
    for domain in domains.into_iter().flat_map(Values::containers) {
        let stats = domain.within("Stats");
        tree.push(0, "Domain")
            .value(text(domain, "Domain"))
            .attribute("table", text(domain, "Size"))
            .attribute("records", text(stats, "Records"))
            .attribute("max_slot", text(stats, "Max-Slots"));
        for (_, aor) in domain.within("AoRs") {
            match aor.members() {
                Some(user) => put_user(user, &mut tree),
                None => tree.nodes.push(aor_node(aor.text())),
            }
        }
    }
    tree
}

fn aor_node(aor: Vec<u8>) -> Node {
    Node {
        level: 1,
        name: Some(b"AOR".to_vec()),
        value: Some(aor),
        ..Node::default()
    }
}

fn put_user(user: Values<'_>, tree: &mut Tree) {
    tree.nodes.push(aor_node(text(user, "AoR")));
    for contact in user.within("Contacts").containers() {
        tree.push(2, "Contact")
            .value(text(contact, "Address"))
            .attribute("Q", quality(contact));
        let mut put = |name: &str, value: Vec<u8>| {
            tree.push(3, name).value(value);
        };
        for (name, today) in [
            ("Expires", "Expires"),
            ("Callid", "Call-ID"),
            ("Cseq", "CSeq"),
            ("User-agent", "User-Agent"),
            ("Received", "Received"),
            ("Path", "Path"),
            ("State", "State"),
            ("Flags", "Flags"),
            ("Cflag", "CFlags"),
            ("Socket", "Socket"),
            ("Methods", "Methods"),
            ("Ruid", "Ruid"),
            ("Instance", "Instance"),
            ("Reg-Id", "Reg-Id"),
            ("Last-Keepalive", "Last-Keepalive"),
            ("Last-Modified", "Last-Modified"),
        ] {
            if let Some(value) = told(contact, today) {
                put(name, value);
            }
        }
    }
}

/// A member's text, unless it says that the value is not set.
fn told(contact: Values<'_>, name: &str) -> Option<Vec<u8>> {
    set_text(contact, name).filter(|value| value != NOT_SET)
}

/// The q value of a contact, which is empty if there is none.
fn quality(contact: Values<'_>) -> Vec<u8> {
    let q = text(contact, "Q");
    if q.starts_with(b"-") { Vec::new() } else { q }
}

fn show_contact(reply: &Reply) -> Tree {
    if let Some(fault) = fault(reply, FAULTS) {
        return fault;
    }
    let mut tree = Tree::ok();
    let contacts = first_struct(reply).map(|told| told.within("Contacts"));
    for contact in contacts.into_iter().flat_map(Values::containers) {
        tree.push(0, "Contact").value(one_line(contact));
    }
    tree
}

/// Writes a contact as a line of parameters.
fn one_line(contact: Values<'_>) -> Vec<u8> {
    let mut line = Vec::new();
    let mut put = |piece: &[u8]| line.extend_from_slice(piece);
    put(b"<");
    put(&text(contact, "Address"));
    put(b">;q=");
    put(&quality(contact));
    for (parameter, value) in [
        ("expires", text(contact, "Expires")),
        ("flags", hexadecimal(contact, "Flags")),
        ("cflags", hexadecimal(contact, "CFlags")),
        ("state", state(&text(contact, "State")).to_vec()),
    ] {
        put(format!(";{parameter}=").as_bytes());
        put(&value);
    }
    put(b";socket=<");
    put(&told(contact, "Socket").unwrap_or_else(|| b"NUL".to_vec()));
    put(b">;methods=");
    put(&hexadecimal(contact, "Methods"));
    for (parameter, name) in [
        ("received", "Received"),
        ("user_agent", "User-Agent"),
        ("path", "Path"),
        ("instance", "Instance"),
    ] {
        if let Some(value) = told(contact, name) {
            put(format!(";{parameter}=<").as_bytes());
            put(&value);
            put(b">");
        }
    }
    put(b";reg-id=");
    put(&text(contact, "Reg-Id"));
    line
}

fn hexadecimal(contact: Values<'_>, name: &str) -> Vec<u8> {
    let value = text(contact, name);
    let number = std::str::from_utf8(&value).ok().map(str::parse::<u64>);
    match number {
        Some(Ok(number)) => format!("0x{number:X}").into_bytes(),
        _ => value,
    }
}

/// The number that stood for a state.
fn state(name: &[u8]) -> &[u8] {
    match name {
        b"CS_NEW" => b"0",
        b"CS_SYNC" => b"1",
        b"CS_DIRTY" => b"2",
        other => other,
    }
}
