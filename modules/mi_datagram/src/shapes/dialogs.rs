//! Calls.

use kamailio::rpc;
use rpc_wire::mi::Tree;
use rpc_wire::value::{Reply, Values};

use super::Render::{Custom, FromReply};
use super::{Shape, fault, text};
use crate::runner::Runner;

pub(super) const SHAPES: &[Shape] = &[
    Shape::new("dlg_list", (0, 2), Custom(list)),
    Shape::new("dlg_end_dlg", (2, 2), FromReply(end)),
];

/// Lists all calls without arguments, otherwise the one with this Call-ID and From tag.
/// If there is none, today's command for a single call answers nothing.
fn list(runner: &mut Runner, arguments: &[&[u8]]) -> Option<Tree> {
    let command: &[u8] = match arguments {
        [] if rpc::exists(b"dlg.list") => b"dlg.list",
        [] => b"dlg2.list",
        _ => b"dlg.dlg_list",
    };
    let tree = runner.call(command, arguments, listed);
    let is_missing = !arguments.is_empty() && tree.code == 200 && tree.nodes.is_empty();
    // The old reply spelled it like this.
    Some(if is_missing {
        Tree::status(404, "Nu such dialog")
    } else {
        tree
    })
}

fn listed(reply: &Reply) -> Tree {
    if let Some(fault) = fault(reply, &[]) {
        return fault;
    }
    let mut tree = Tree::ok();
    for dialog in reply.values().containers() {
        put_dialog(dialog, &mut tree);
    }
    tree
}

fn put_dialog(dialog: Values<'_>, tree: &mut Tree) {
    let hash = [&text(dialog, "h_entry")[..], b":", &text(dialog, "h_id")].concat();
    tree.push(0, "dialog").attribute("hash", hash);
    let (caller, callee) = (dialog.within("caller"), dialog.within("callee"));
    for (name, of, today) in [
        ("state", dialog, "state"),
        ("ref_count", dialog, "ref"),
        ("timestart", dialog, "start_ts"),
        ("timeout", dialog, "timeout"),
        ("callid", dialog, "call-id"),
        ("from_uri", dialog, "from_uri"),
        ("from_tag", caller, "tag"),
        ("caller_contact", caller, "contact"),
        ("caller_cseq", caller, "cseq"),
        ("caller_route_set", caller, "route_set"),
        ("caller_bind_addr", caller, "socket"),
        ("callee_bind_addr", callee, "socket"),
        ("to_uri", dialog, "to_uri"),
        ("to_tag", callee, "tag"),
        ("callee_contact", callee, "contact"),
        ("callee_cseq", callee, "cseq"),
        ("callee_route_set", callee, "route_set"),
    ] {
        if of.get(today).is_some() {
            tree.push(1, name).value(text(of, today));
        }
    }
}

fn end(reply: &Reply) -> Tree {
    let words = &[("Dialog not found", (404, "Requested Dialog not found"))];
    fault(reply, words).unwrap_or_else(Tree::ok)
}
