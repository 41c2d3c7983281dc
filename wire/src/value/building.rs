//! Shorter words for building the replies that tests of the codecs encode.

use super::{Container, Parent, Reply, Scalar};

pub(crate) fn put(reply: &mut Reply, parent: Parent, name: &str, value: Scalar<'_>) {
    reply.push(parent, member(name), value).expect("room");
}

pub(crate) fn open(reply: &mut Reply, parent: Parent, name: &str, kind: Container) -> Parent {
    Parent::Node(reply.open(parent, member(name), kind).expect("room"))
}

/// No name where it is empty.
fn member(name: &str) -> Option<&[u8]> {
    (!name.is_empty()).then_some(name.as_bytes())
}
