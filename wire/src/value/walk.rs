//! A reply as the row of its values, which is how codecs write it.

use super::node::{Body, NONE};
use super::reply::{Container, Reply, Scalar};

/// A step of [`Reply::walk`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'a> {
    /// A value without members.
    Scalar {
        /// The member's name, if it has one.
        name: Option<&'a [u8]>,
        /// The value.
        value: Scalar<'a>,
    },
    /// A structure or an array begins. Its members follow, up to the `Close` of the
    /// same depth.
    Open {
        /// The member's name, if it has one.
        name: Option<&'a [u8]>,
        /// The kind of what begins.
        kind: Container,
    },
    /// The container that was opened last is complete.
    Close {
        /// The kind of what ends.
        kind: Container,
    },
}

/// The iterator of [`Reply::walk`].
#[derive(Debug)]
pub struct Walk<'a> {
    reply: &'a Reply,
    next: u32,
    /// The open containers, each with the node that follows it.
    open: Vec<(Container, u32)>,
}

impl<'a> Walk<'a> {
    /// Starts at the node `first`.
    pub(super) fn new(reply: &'a Reply, first: u32) -> Self {
        Walk {
            reply,
            next: first,
            open: Vec::new(),
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Event<'a>;

    // A codec is one loop over this, and takes each event apart as soon as it is made.
    // Inlining makes the two a tenth faster together.
    #[inline(always)]
    fn next(&mut self) -> Option<Event<'a>> {
        if self.next == NONE {
            let (kind, next) = self.open.pop()?;
            self.next = next;
            return Some(Event::Close { kind });
        }
        let (node, name) = self.reply.node(self.next)?;
        self.next = node.next;
        let value = match node.body() {
            Body::Members { kind, first, .. } => {
                self.open.push((kind, node.next));
                self.next = first;
                return Some(Event::Open { name, kind });
            }
            body => self.reply.scalar(body),
        };
        Some(Event::Scalar { name, value })
    }
}
