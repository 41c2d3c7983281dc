//! Replies in the shape that they had in the old Management Interface.
//!
//! The everyday commands have their old shape here. What today's commands do not tell
//! any more is left out. All other replies follow the one rule of `Tree::of_reply`.

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
    /// The least and the largest number of arguments that it takes.
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

    /// Whether it takes this number of arguments.
    pub(crate) fn takes(&self, count: usize) -> bool {
        (self.takes.0..=self.takes.1).contains(&count)
    }
}

/// The numbers of arguments for commands that did not check them.
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

/// A reply that only says that all went well, or the fault of the command.
fn only_status(reply: &Reply) -> Tree {
    match reply.fault() {
        Some(Fault { code, reason }) => Tree::status(code, reason),
        None => Tree::ok(),
    }
}

/// The fault of a command in the words of the old one.
///
/// `words` has pairs: the start of a fault, and the code and the reason that replace
/// it.
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

/// The text of a member's value. It is empty if there is no such member, or if its
/// value is null.
fn text(members: Values<'_>, name: &str) -> Vec<u8> {
    match members.get(name) {
        None | Some(Value::Scalar(Scalar::Null)) => Vec::new(),
        Some(value) => value.text(),
    }
}

/// The text of a member's value, if it is not empty.
fn set_text(members: Values<'_>, name: &str) -> Option<Vec<u8>> {
    Some(text(members, name)).filter(|text| !text.is_empty())
}
