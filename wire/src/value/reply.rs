//! The reply tree: what a command adds, before a codec writes it.
//!
//! Nodes lie in one vector and their text in another, so that a reply of a
//! hundred thousand values costs a handful of allocations, and a parent can be
//! extended after its children were: each container knows its last member.

use super::Span;
use super::node::{Body, NONE, Node};
use super::params::has_memory_for;
use super::view::Values;
use super::walk::Walk;

/// The most that a reply may take, in bytes.
///
/// The largest size of a reply, in bytes: BINRPC carries lengths of 31 bits, and no
/// client of the other protocols reads more.
const LIMIT: usize = i32::MAX as usize;

/// How many nodes and bytes of text a cleared reply keeps for the next one. That is
/// enough for any everyday command and little beside a server's memory.
const KEPT_NODES: usize = 4096;
const KEPT_TEXT: usize = 128 * 1024;

/// A structure or an array inside a [`Reply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(u32);

/// The place in a reply to which a value is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parent {
    /// The top level of the reply.
    Top,
    /// A structure or an array in the reply.
    Node(NodeId),
}

/// A value that holds others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// It holds named members, as a rule.
    Struct,
    /// It holds unnamed values, as a rule.
    Array,
}

/// A value without members. The variants follow the format characters of Kamailio's RPC
/// interface, because codecs write some of them differently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `d`
    Int(i32),
    /// `u`
    Unsigned(u32),
    /// `b`: the number as the command gave it; everything but 0 is true
    Bool(i32),
    /// `t`: seconds since 1970
    Time(i64),
    /// `f`
    Float(f64),
    /// `l` and `L`
    Long(i64),
    /// `j` and `J`
    UnsignedLong(u64),
    /// `s` and `S`, without a terminating NUL
    Text(&'a [u8]),
    /// `s` or `S` with a null pointer
    Null,
}

/// The error that a reply is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault<'a> {
    /// The command's own code, such as 400 or 500.
    pub code: i32,
    /// The text for the client.
    pub reason: &'a [u8],
}

/// The error for a length that no protocol carries, which is one above 2 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reply is larger than 2 GiB")]
pub struct TooLarge;

/// The reason why a reply takes no more values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The reply has reached its limit.
    #[error("the reply is larger than {0} bytes")]
    TooLarge(usize),
    /// The system has no memory for it.
    #[error("there is no memory for the reply")]
    NoMemory,
}

/// Makes room for `more` items. A list that must grow grows to four times its size, for
/// pages that are never touched cost nothing and copies do. Where addresses are scarce
/// it grows by a quarter; less is refused while some memory is still left for
/// everything else.
#[inline]
fn make_room<T>(list: &mut Vec<T>, more: usize) -> Result<(), Full> {
    if list.capacity() - list.len() >= more {
        return Ok(());
    }
    grow(list, more)
}

/// The rare path of [`make_room`], kept out of line so that the common one stays short.
#[cold]
fn grow<T>(list: &mut Vec<T>, more: usize) -> Result<(), Full> {
    let len = list.len();
    list.try_reserve_exact(more.max(len * 3))
        .or_else(|_| list.try_reserve_exact(more.max(len / 4)))
        .map_err(|_| Full::NoMemory)
}

/// The values of a reply in the order in which they were added, or a fault.
#[derive(Debug)]
pub struct Reply {
    nodes: Vec<Node>,
    text: Vec<u8>,
    limit: usize,
    first: u32,
    last: u32,
    fault: Option<(i32, Vec<u8>)>,
}

impl Default for Reply {
    fn default() -> Self {
        Self::new()
    }
}

impl Reply {
    /// A reply without values.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(LIMIT)
    }

    /// A reply without values that may take `limit` bytes of memory: those of its text,
    /// and 24 for each value. There is always a limit, so that a command which never
    /// stops adding values is stopped.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Reply {
            nodes: Vec::new(),
            text: Vec::new(),
            limit: limit.min(LIMIT),
            first: NONE,
            last: NONE,
            fault: None,
        }
    }

    /// Empties the reply, and gives back the memory of an unusually large one.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.nodes.shrink_to(KEPT_NODES);
        self.text.clear();
        self.text.shrink_to(KEPT_TEXT);
        self.forget_values();
        self.fault = None;
    }

    /// Drops the values at the top. Handles of containers stay valid, but what is added
    /// to them is no longer seen.
    pub fn forget_values(&mut self) {
        self.first = NONE;
        self.last = NONE;
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first == NONE
    }

    /// The fault, if the reply is one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault<'_>> {
        self.fault.as_ref().map(|(code, reason)| Fault {
            code: *code,
            reason,
        })
    }

    /// Makes the reply a fault. Its values no longer count.
    pub fn set_fault(&mut self, code: i32, reason: &[u8]) {
        self.fault = Some((code, reason.to_vec()));
    }

    /// Makes the reply an ordinary one again.
    pub fn clear_fault(&mut self) {
        self.fault = None;
    }

    /// The kind of a container.
    #[must_use]
    pub fn kind(&self, node: NodeId) -> Container {
        match self.nodes[node.0 as usize].body() {
            Body::Members { kind, .. } => kind,
            _ => unreachable!("a NodeId is only made for a container"),
        }
    }

    /// Adds a value without members.
    ///
    /// # Errors
    /// The reply takes no more; it is unchanged.
    pub fn push(
        &mut self,
        parent: Parent,
        name: Option<&[u8]>,
        value: Scalar<'_>,
    ) -> Result<(), Full> {
        let body = match value {
            Scalar::Int(v) => Body::Int(v),
            Scalar::Unsigned(v) => Body::Unsigned(v),
            Scalar::Bool(v) => Body::Bool(v),
            Scalar::Time(v) => Body::Time(v),
            Scalar::Float(v) => Body::Float(v),
            Scalar::Long(v) => Body::Long(v),
            Scalar::UnsignedLong(v) => Body::UnsignedLong(v),
            Scalar::Text(v) => Body::Text(self.store(v)?),
            Scalar::Null => Body::Null,
        };
        self.link(parent, name, body).map(drop)
    }

    /// Adds an empty structure or array, which can be filled through its handle in any
    /// order.
    ///
    /// # Errors
    /// The reply takes no more; it is unchanged.
    pub fn open(
        &mut self,
        parent: Parent,
        name: Option<&[u8]>,
        kind: Container,
    ) -> Result<NodeId, Full> {
        let body = Body::Members {
            kind,
            first: NONE,
            last: NONE,
        };
        self.link(parent, name, body).map(NodeId)
    }

    /// Iterates over the whole tree from the first value to the last. It does not
    /// recurse, however deep the tree is.
    #[must_use]
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(self, self.first)
    }

    /// The values at the top, each with its members.
    #[must_use]
    pub fn values(&self) -> Values<'_> {
        Values {
            reply: self,
            next: self.first,
        }
    }

    /// The value with this number and its name, if there is one.
    pub(super) fn node(&self, id: u32) -> Option<(&Node, Option<&[u8]>)> {
        let node = self.nodes.get(id as usize)?;
        Some((node, node.name().map(|name| name.of(&self.text))))
    }

    /// A value without members. For a container it gives null.
    pub(super) fn scalar(&self, body: Body) -> Scalar<'_> {
        match body {
            Body::Int(v) => Scalar::Int(v),
            Body::Unsigned(v) => Scalar::Unsigned(v),
            Body::Bool(v) => Scalar::Bool(v),
            Body::Time(v) => Scalar::Time(v),
            Body::Float(v) => Scalar::Float(v),
            Body::Long(v) => Scalar::Long(v),
            Body::UnsignedLong(v) => Scalar::UnsignedLong(v),
            Body::Text(span) => Scalar::Text(span.of(&self.text)),
            Body::Null | Body::Members { .. } => Scalar::Null,
        }
    }

    #[inline]
    fn store(&mut self, text: &[u8]) -> Result<Span, Full> {
        let start = self.text.len();
        if text.len() > self.limit.saturating_sub(self.size()) {
            return Err(Full::TooLarge(self.limit));
        }
        make_room(&mut self.text, text.len())?;
        self.text.extend_from_slice(text);
        Ok(Span {
            start: start as u32,
            len: text.len() as u32,
        })
    }

    #[inline]
    fn link(&mut self, parent: Parent, name: Option<&[u8]>, body: Body) -> Result<u32, Full> {
        if self.size() + size_of::<Node>() > self.limit {
            return Err(Full::TooLarge(self.limit));
        }
        let name = name.map(|name| self.store(name)).transpose()?;
        let id = self.nodes.len() as u32;
        make_room(&mut self.nodes, 1)?;
        self.nodes.push(Node::new(body, name));
        let before = self.append(parent, id);
        if before != NONE {
            self.nodes[before as usize].next = id;
        }
        Ok(id)
    }

    /// The bytes of memory that the reply takes.
    #[inline]
    fn size(&self) -> usize {
        self.text.len() + self.nodes.len() * size_of::<Node>()
    }

    /// Makes `id` the last member of `parent`, and returns the member that was the last
    /// before.
    fn append(&mut self, parent: Parent, id: u32) -> u32 {
        let (first, last) = match parent {
            Parent::Top => (self.first, self.last),
            Parent::Node(node) => match self.nodes[node.0 as usize].body() {
                Body::Members { first, last, .. } => (first, last),
                _ => unreachable!("a NodeId is only made for a container"),
            },
        };
        let first = if first == NONE { id } else { first };
        match parent {
            Parent::Top => (self.first, self.last) = (first, id),
            Parent::Node(node) => self.nodes[node.0 as usize].set_members(first, id),
        }
        last
    }

    /// Whether there is memory for writing the reply in any of the protocols.
    #[must_use]
    pub fn can_be_written(&self) -> bool {
        /// Below this size, in bytes, the question costs more than it is worth.
        const LARGE: usize = 128 * 1024;
        /// The bytes that other replies may have left in the same buffer.
        const BEFORE: usize = 4 * 1024 * 1024;
        /// The bytes of a value: a name, a number and what surrounds them.
        const VALUE: usize = 16;
        /// The bytes that JSON adds to a control character.
        const ESCAPE: usize = 5;
        let plain = self.text.len() + self.nodes.len() * VALUE;
        if plain < LARGE {
            return true;
        }
        let is_special = |byte: &&u8| **byte < b' ' || matches!(**byte, b'"' | b'\\' | 0x7f);
        let special = self.text.iter().filter(is_special).count();
        // A buffer that grows exists twice for a moment.
        has_memory_for(2 * (plain + special * ESCAPE) + BEFORE)
    }

    /// The approximate size of the written reply in bytes, for reserving memory before
    /// it is written.
    #[must_use]
    pub fn size_hint(&self) -> usize {
        /// The bytes around a value: a tag, a length and an end, or a short number.
        const AROUND_VALUE: usize = 8;
        self.memory_of(1, AROUND_VALUE)
    }

    /// The bytes of something that takes `byte` bytes for each byte of text and `value`
    /// bytes for each value.
    pub(crate) fn memory_of(&self, byte: usize, value: usize) -> usize {
        self.text.len() * byte + self.nodes.len() * value
    }
}

#[cfg(test)]
#[path = "reply_tests.rs"]
mod tests;
