//! Counters.

use rpc_wire::mi::Tree;
use rpc_wire::value::Reply;

use super::Render::{Custom, FromReply};
use super::Shape;
use crate::runner::Runner;

pub(super) const SHAPES: &[Shape] = &[
    Shape::new("get_statistics", (1, usize::MAX), FromReply(found)),
    Shape::new("clear_statistics", (1, usize::MAX), FromReply(found)),
    Shape::new("reset_statistics", (1, usize::MAX), Custom(reset)),
];

/// The lines `group:name = value`. Today's commands give none for a name that they do
/// not know.
fn found(reply: &Reply) -> Tree {
    let tree = Tree::of_reply(reply);
    if tree.code == 200 && tree.nodes.is_empty() {
        return Tree::status(404, "Statistics Not Found");
    }
    tree
}

/// Resets statistics. Today's command answers the same whether or not it knows a name.
fn reset(runner: &mut Runner, names: &[&[u8]]) -> Option<Tree> {
    let known = runner.call(b"stats.get_statistics", names, found);
    if known.code != 200 {
        return Some(known);
    }
    Some(runner.call(b"stats.reset_statistics", names, super::only_status))
}
