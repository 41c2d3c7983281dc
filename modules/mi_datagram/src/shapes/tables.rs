//! Shared variables and hash tables.

use rpc_wire::mi::Tree;
use rpc_wire::value::{Reply, Values};

use super::Render::FromReply;
use super::{Shape, fault, first_struct, text};

pub(super) const SHAPES: &[Shape] = &[
    Shape::new("shv_get", (0, 1), FromReply(get)),
    Shape::new("shv_set", (3, 3), FromReply(set)),
    Shape::new("sht_dump", (1, 1), FromReply(dump)),
    Shape::new("sht_delete", (2, 2), FromReply(table_done)),
    Shape::new("sht_reload", (1, 1), FromReply(reload)),
];

fn get(reply: &Reply) -> Tree {
    if let Some(fault) = fault(reply, &[("Variable not found", (404, "Not found"))]) {
        return fault;
    }
    let mut tree = Tree::ok();
    let Some(told) = first_struct(reply) else {
        return tree;
    };
    if told.get("name").is_some() {
        put_variable(told, &mut tree);
    }
    for variable in told.within("items").containers() {
        put_variable(variable, &mut tree);
    }
    tree
}

fn put_variable(variable: Values<'_>, tree: &mut Tree) {
    let today = text(variable, "type");
    let kind = match &today[..] {
        b"int" => b"integer",
        other => other,
    };
    tree.push(0, "VAR")
        .value(text(variable, "name"))
        .attribute("type", kind)
        .attribute("value", text(variable, "value"));
}

fn set(reply: &Reply) -> Tree {
    let words: &[(&str, (i32, &str))] = &[
        ("Missing integer", (500, "bad integer value")),
        ("Variable not found", (404, "Not found")),
        ("Cannot set", (500, "cannot set shv value")),
    ];
    fault(reply, words).unwrap_or_else(Tree::ok)
}

/// The old words for a table that does not exist.
const NO_TABLE: (&str, (i32, &str)) = ("No such htable", (500, "no such hash table"));

fn dump(reply: &Reply) -> Tree {
    if let Some(fault) = fault(reply, &[NO_TABLE]) {
        return fault;
    }
    let mut tree = Tree::ok();
    for entry in reply.values().containers() {
        tree.push(0, "Entry").value(text(entry, "entry"));
        for item in entry.within("slot").containers() {
            tree.push(1, text(item, "name")).value(text(item, "value"));
        }
    }
    tree
}

fn table_done(reply: &Reply) -> Tree {
    fault(reply, &[NO_TABLE]).unwrap_or_else(Tree::ok)
}

/// Reloads a table. All failures except a wrong name had one text.
fn reload(reply: &Reply) -> Tree {
    let words = &[NO_TABLE, ("", (500, "ERROR Reloading data"))];
    fault(reply, words).unwrap_or_else(Tree::ok)
}
