//! Short helpers that build the replies which the codecs' tests encode.

use super::{Container, Parent, Reply, Scalar};

pub(crate) fn put(reply: &mut Reply, parent: Parent, name: &str, value: Scalar<'_>) {
    reply.push(parent, member(name), value).expect("room");
}

pub(crate) fn open(reply: &mut Reply, parent: Parent, name: &str, kind: Container) -> Parent {
    Parent::Node(reply.open(parent, member(name), kind).expect("room"))
}

/// The name of a member; an empty one stands for none.
fn member(name: &str) -> Option<&[u8]> {
    (!name.is_empty()).then_some(name.as_bytes())
}
