//! Trusted addresses.

use rpc_wire::mi::Tree;
use rpc_wire::value::{Reply, Values};

use super::Render::FromReply;
use super::{ANY, Shape, fault, text};

pub(super) const SHAPES: &[Shape] = &[
    Shape::new("address_reload", ANY, FromReply(super::only_status)),
    Shape::new("address_dump", ANY, FromReply(dump)),
];

/// Lists the addresses. Today's command gives a bucket, a group and an item for each;
/// older versions put all of them into one structure.
fn dump(reply: &Reply) -> Tree {
    if let Some(fault) = fault(reply, &[]) {
        return fault;
    }
    let mut tree = Tree::ok();
    for told in reply.values().containers() {
        let (mut bucket, mut group) = (Vec::new(), Vec::new());
        for (name, value) in told {
            match (name, value.members()) {
                (Some(b"table"), None) => bucket = value.text(),
                (Some(b"group"), None) => group = value.text(),
                (_, Some(item)) => tree.push_value(0, line(&bucket, &group, item)),
                _ => {}
            }
        }
    }
    tree
}

/// Writes a line `bucket <group, address, port> [tag]`.
fn line(bucket: &[u8], group: &[u8], item: Values<'_>) -> Vec<u8> {
    let mut tag = text(item, "tag");
    if tag == b"NULL" {
        tag.clear();
    }
    let text_of = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let mut line = format!(
        "{:>4} <{}, {}, {}> [",
        text_of(bucket),
        text_of(group),
        text_of(&text(item, "ip")),
        text_of(&text(item, "port")),
    )
    .into_bytes();
    line.extend_from_slice(&tag);
    line.push(b']');
    line
}
