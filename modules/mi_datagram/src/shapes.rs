//! Replies in the shape that they had in the old Management Interface.
//!
//! For its everyday commands. What those told and today's commands do not tell
//! is left out. Every other command's reply is written by the one rule of
//! `Tree::of_reply`.

mod dialogs;
mod dispatcher;
mod permissions;
mod server;
mod statistics;
mod tables;
mod users;

use rpc_wire::mi::Tree;
use rpc_wire::value::{Fault, Reply, Scalar, Value, Values};

use crate::runner::Runner;

/// An old command and its replies.
#[derive(Debug)]
pub(crate) struct Shape {
    name: &'static str,
    /// How many arguments it takes: the least and the most.
    takes: (usize, usize),
    /// How its reply is rendered.
    pub(crate) render: Render,
}

/// How the reply to an old command is rendered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Render {
    /// The function makes it from the reply of the command that runs today.
    FromReply(fn(&Reply) -> Tree),
    /// The function runs several commands, or none.
    Custom(fn(&mut Runner, &[&[u8]]) -> Option<Tree>),
}

impl Shape {
    const fn new(name: &'static str, takes: (usize, usize), render: Render) -> Self {
        Shape {
            name,
            takes,
            render,
        }
    }

    /// Whether it takes so many arguments.
    pub(crate) fn takes(&self, count: usize) -> bool {
        (self.takes.0..=self.takes.1).contains(&count)
    }
}

/// For commands that did not look.
const ANY: (usize, usize) = (0, usize::MAX);

const FAMILIES: &[&[Shape]] = &[
    server::SHAPES,
    statistics::SHAPES,
    users::SHAPES,
    dispatcher::SHAPES,
    tables::SHAPES,
    dialogs::SHAPES,
    permissions::SHAPES,
];

/// The old command of this name, if its replies have their old shape.
pub(crate) fn lookup(name: &[u8]) -> Option<&'static Shape> {
    let mut shapes = FAMILIES.iter().flat_map(|shapes| *shapes);
    shapes.find(|shape| shape.name.as_bytes() == name)
}

/// That all went well, whatever the command says to that, or its fault.
fn only_status(reply: &Reply) -> Tree {
    match reply.fault() {
        Some(Fault { code, reason }) => Tree::status(code, reason),
        None => Tree::ok(),
    }
}

/// The fault of a command in the words of the old one.
///
/// `words` has pairs: how the fault starts, and code and reason in its place.
fn fault(reply: &Reply, words: &[(&str, (i32, &str))]) -> Option<Tree> {
    let Fault { code, reason } = reply.fault()?;
    let old = words
        .iter()
        .find(|(new, _)| reason.starts_with(new.as_bytes()));
    Some(match old {
        Some((_, (code, reason))) => Tree::status(*code, reason),
        None => Tree::status(code, reason),
    })
}

/// The members of the first structure of a reply.
fn first_struct(reply: &Reply) -> Option<Values<'_>> {
    reply.values().containers().next()
}

/// A member's value as text, empty where there is none or it is null.
fn text(members: Values<'_>, name: &str) -> Vec<u8> {
    match members.get(name) {
        None | Some(Value::Scalar(Scalar::Null)) => Vec::new(),
        Some(value) => value.text(),
    }
}

/// The same, and none where it is empty.
fn set_text(members: Values<'_>, name: &str) -> Option<Vec<u8>> {
    Some(text(members, name)).filter(|text| !text.is_empty())
}
