//! Writing replies, as a server does.

use std::fmt::Display;
use std::io::Write as _;

use crate::value::{Container, Event, Fault, Reply, Scalar, Value};

/// A reply: a code, a reason, and a tree as the list of its nodes, each of which
/// precedes those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The code, such as 200 or 404.
    pub code: i32,
    /// The meaning of the code.
    pub reason: Vec<u8>,
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A node of a [`Tree`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its depth, which is 0 at the top.
    pub level: usize,
    /// Its name.
    pub name: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// The names and values that follow it on its line.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Tree {
    /// A reply that only says that all went well.
    #[must_use]
    pub fn ok() -> Self {
        Self::status(200, "OK")
    }

    /// A reply without nodes.
    #[must_use]
    pub fn status(code: i32, reason: impl AsRef<[u8]>) -> Self {
        Tree {
            code,
            reason: reason.as_ref().to_vec(),
            nodes: Vec::new(),
        }
    }

    /// Makes a reply for a command that has no older shape.
    ///
    /// A fault is its code and its reason. Otherwise the values are nodes in
    /// their order, by one rule:
    ///
    /// - A named value is `name:: value`, and one without a name `value`.
    /// - A structure or an array is `name:: ` without a value, and its members
    ///   are the nodes below it. Without a name it is called `struct` or
    ///   `array`, at the top as well.
    /// - Whole numbers have all their digits, numbers with a fraction as many
    ///   as it takes, truth is 0 or 1, a time is in seconds since 1970, and a
    ///   null string is `<null string>`.
    #[must_use]
    pub fn of_reply(reply: &Reply) -> Self {
        if let Some(Fault { code, reason }) = reply.fault() {
            return Self::status(code, reason);
        }
        let mut tree = Self::ok();
        let mut level = 0;
        for event in reply.walk() {
            match event {
                Event::Scalar { name, value } => tree.nodes.push(Node {
                    level,
                    name: name.map(<[u8]>::to_vec),
                    value: Some(text_of(value)),
                    attributes: Vec::new(),
                }),
                Event::Open { name, kind } => {
                    let unnamed = match kind {
                        Container::Struct => &b"struct"[..],
                        Container::Array => b"array",
                    };
                    tree.nodes.push(Node {
                        level,
                        name: Some(name.unwrap_or(unnamed).to_vec()),
                        ..Node::default()
                    });
                    level += 1;
                }
                Event::Close { .. } => level -= 1,
            }
        }
        tree
    }

    /// The most memory that a tree with all values of the reply takes, including
    /// writing it.
    #[must_use]
    pub fn memory(reply: &Reply) -> usize {
        /// Each byte of text is in the tree and, with an escape, in a buffer that
        /// doubles.
        const BYTE: usize = 6;
        /// The bytes of a node in a list that doubles, and of its name and its value.
        const NODE: usize = 3 * size_of::<Node>() + 128;
        reply.memory_of(BYTE, NODE)
    }

    /// Appends the reply, with each level indented by `indent`.
    pub fn encode(&self, indent: &[u8], out: &mut Vec<u8>) {
        put_number(self.code, out);
        out.push(b' ');
        put_text(&self.reason, out);
        out.push(b'\n');
        for node in &self.nodes {
            node.encode(indent, out);
        }
    }

    /// Adds a node without a value.
    pub fn push(&mut self, level: usize, name: impl AsRef<[u8]>) -> &mut Node {
        self.nodes.push(Node {
            level,
            name: Some(name.as_ref().to_vec()),
            ..Node::default()
        });
        let last = self.nodes.len() - 1;
        &mut self.nodes[last]
    }

    /// Adds a node that has a value and no name.
    pub fn push_value(&mut self, level: usize, value: impl AsRef<[u8]>) {
        self.nodes.push(Node {
            level,
            value: Some(value.as_ref().to_vec()),
            ..Node::default()
        });
    }
}

impl Node {
    /// Gives the node a value.
    pub fn value(&mut self, value: impl AsRef<[u8]>) -> &mut Self {
        self.value = Some(value.as_ref().to_vec());
        self
    }

    /// Adds an attribute to the node.
    pub fn attribute(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> &mut Self {
        let attribute = (name.as_ref().to_vec(), value.as_ref().to_vec());
        self.attributes.push(attribute);
        self
    }

    fn encode(&self, indent: &[u8], out: &mut Vec<u8>) {
        for _ in 0..self.level {
            out.extend_from_slice(indent);
        }
        if let Some(name) = &self.name {
            put_text(name, out);
            out.extend_from_slice(b":: ");
        }
        if let Some(value) = &self.value {
            put_text(value, out);
        }
        for (name, value) in &self.attributes {
            out.push(b' ');
            put_text(name, out);
            out.push(b'=');
            put_text(value, out);
        }
        out.push(b'\n');
    }
}

impl Value<'_> {
    /// A value without members, as the Management Interface writes it. A container has
    /// no text.
    #[must_use]
    pub fn text(self) -> Vec<u8> {
        match self {
            Value::Scalar(value) => text_of(value),
            Value::Container(..) => Vec::new(),
        }
    }
}

/// The text of a value.
fn text_of(value: Scalar<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    match value {
        Scalar::Int(number) => put_number(number, &mut text),
        Scalar::Unsigned(number) => put_number(number, &mut text),
        Scalar::Bool(number) => put_number(u8::from(number != 0), &mut text),
        Scalar::Time(number) | Scalar::Long(number) => put_number(number, &mut text),
        Scalar::UnsignedLong(number) => put_number(number, &mut text),
        Scalar::Float(number) => put_number(number, &mut text),
        Scalar::Text(value) => text.extend_from_slice(value),
        Scalar::Null => text.extend_from_slice(b"<null string>"),
    }
    text
}

/// Appends a number in decimal.
fn put_number(number: impl Display, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{number}");
}

/// Appends a text that stays on its line and cannot end a client's string early.
fn put_text(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\0"),
            byte => out.push(*byte),
        }
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
