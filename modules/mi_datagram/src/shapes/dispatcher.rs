//! Destinations and their states.

use rpc_wire::mi::Tree;
use rpc_wire::value::{Reply, Values};

use super::Render::FromReply;
use super::{ANY, Shape, fault, first_struct, set_text, text};

pub(super) const SHAPES: &[Shape] = &[
    Shape::new("ds_list", ANY, FromReply(list)),
    Shape::new("ds_set_state", (3, 3), FromReply(set_state)),
    Shape::new("ds_reload", ANY, FromReply(super::only_status)),
];

fn list(reply: &Reply) -> Tree {
    if let Some(fault) = fault(reply, &[]) {
        return fault;
    }
    let mut tree = Tree::ok();
    let Some(told) = first_struct(reply) else {
        return tree;
    };
    tree.push(0, "SET_NO").value(text(told, "NRSETS"));
    for set in told.within("RECORDS").containers() {
        tree.push(0, "SET").value(text(set, "ID"));
        for destination in set.within("TARGETS").containers() {
            put_destination(destination, &mut tree);
        }
    }
    tree
}

fn put_destination(destination: Values<'_>, tree: &mut Tree) {
    let node = tree.push(1, "URI");
    node.value(text(destination, "URI"))
        .attribute("flags", text(destination, "FLAGS"))
        .attribute("priority", text(destination, "PRIORITY"));
    if let Some(attributes) = set_text(destination.within("ATTRS"), "BODY") {
        node.attribute("attrs", attributes);
    }
}

fn set_state(reply: &Reply) -> Tree {
    let words: &[(&str, (i32, &str))] = &[
        ("Unknown State Value", (500, "unknown state value")),
        ("State Update Failed", (404, "destination not found")),
    ];
    fault(reply, words).unwrap_or_else(Tree::ok)
}
