//! The server itself.

use kamailio::rpc;
use rpc_wire::mi::Tree;
use rpc_wire::value::Reply;

use super::Render::{Custom, FromReply};
use super::{ANY, Shape, first_struct, only_status, set_text, text};
use crate::aliases;
use crate::runner::Runner;
use crate::service::WRONG_COUNT;

pub(super) const SHAPES: &[Shape] = &[
    Shape::new("which", ANY, FromReply(which)),
    Shape::new("version", ANY, Custom(version)),
    Shape::new("uptime", ANY, FromReply(uptime)),
    Shape::new("pwd", ANY, FromReply(pwd)),
    Shape::new("ps", ANY, FromReply(ps)),
    Shape::new("kill", ANY, Custom(kill)),
    Shape::new("debug", (0, 2), Custom(debug)),
];

/// Lists the old names that work, and then the commands themselves.
fn which(reply: &Reply) -> Tree {
    let mut tree = Tree::ok();
    for alias in aliases::all() {
        if alias.is_available(rpc::exists) {
            tree.push_value(0, alias.name);
        }
    }
    tree.nodes.extend(Tree::of_reply(reply).nodes);
    tree
}

fn version(runner: &mut Runner, _: &[&[u8]]) -> Option<Tree> {
    let server = runner.call(b"core.version", &[], |reply| {
        let line = Tree::of_reply(reply).nodes.pop()?.value?;
        let line = line.trim_ascii().to_vec();
        let space = line.iter().position(|byte| *byte == b' ')?;
        let (name, version) = line.split_at(space);
        Some([name, b" (", version.trim_ascii(), b")"].concat())
    });
    Some(runner.call(b"core.info", &[], |reply| {
        let mut tree = Tree::ok();
        tree.push(0, "Server").value(server.unwrap_or_default());
        if let Some(info) = first_struct(reply) {
            let mut build = b"compiled".to_vec();
            // Reproducible builds do not tell when they were made.
            if let Some(when) = set_text(info, "compiled") {
                build.extend([b" on ", &when[..]].concat());
            }
            build.extend([b" with ", &text(info, "compiler")[..]].concat());
            tree.push(0, "Build").value(build);
            tree.push(0, "Flags").value(text(info, "flags"));
            tree.push(0, "GIT").value(text(info, "id").trim_ascii());
        }
        tree
    }))
}

fn uptime(reply: &Reply) -> Tree {
    let mut tree = Tree::ok();
    if let Some(told) = first_struct(reply) {
        let seconds = [&text(told, "uptime")[..], b" [sec]"].concat();
        tree.push(0, "Now").value(text(told, "now"));
        tree.push(0, "Up since").value(text(told, "up_since"));
        tree.push(0, "Up time").value(seconds);
    }
    tree
}

fn pwd(reply: &Reply) -> Tree {
    let mut tree = Tree::of_reply(reply);
    for node in &mut tree.nodes {
        node.name = Some(b"WD".to_vec());
    }
    tree
}

fn ps(reply: &Reply) -> Tree {
    let mut tree = Tree::ok();
    for process in reply.values().containers() {
        tree.push(0, "Process")
            .attribute("ID", text(process, "IDX"))
            .attribute("PID", text(process, "PID"))
            .attribute("Type", text(process, "DSC"));
    }
    tree
}

/// Ends the server without an answer, as it was.
fn kill(runner: &mut Runner, _: &[&[u8]]) -> Option<Tree> {
    /// The signal that asks the server to end.
    const TERM: &[u8] = b"15";
    runner.call(b"core.kill", &[TERM], |_| ());
    None
}

/// Serves `debug`. With two arguments it is the command of mohqueue that had the same
/// name.
fn debug(runner: &mut Runner, arguments: &[&[u8]]) -> Option<Tree> {
    if arguments.len() == 2 {
        return Some(queue_debug(runner, arguments));
    }
    let level = arguments.first().copied();
    let is_level = |text: &[u8]| {
        let text = std::str::from_utf8(text).ok();
        text.is_some_and(|text| text.parse::<i32>().is_ok())
    };
    if level.is_some_and(|level| !is_level(level)) {
        return Some(Tree::status(400, "Bad parameter"));
    }
    let parts: [&[u8]; 2] = [b"core", b"debug"];
    let (command, arguments) = match (rpc::exists(b"corex.debug"), level) {
        (true, _) => (&b"corex.debug"[..], arguments.to_vec()),
        (false, None) => (&b"cfg.get"[..], parts.to_vec()),
        (false, Some(level)) => (&b"cfg.seti"[..], [&parts[..], &[level]].concat()),
    };
    Some(runner.call(command, &arguments, |reply| {
        if reply.fault().is_some() {
            return only_status(reply);
        }
        let told = || Tree::of_reply(reply).nodes.pop()?.value;
        let now = level.map(<[u8]>::to_vec).or_else(told);
        let mut tree = Tree::ok();
        tree.push(0, "DEBUG").value(now.unwrap_or_default());
        tree
    }))
}

fn queue_debug(runner: &mut Runner, arguments: &[&[u8]]) -> Tree {
    /// Its arguments are the queue, and whether its debugging is on.
    const COMMAND: &[u8] = b"mohqueue.debug";
    if rpc::exists(COMMAND) {
        runner.call(COMMAND, arguments, Tree::of_reply)
    } else {
        Tree::status(400, WRONG_COUNT)
    }
}
