//! Kamailio's RPC commands over BINRPC, the protocol of `kamcmd`, and over the older
//! line protocol.
//!
//! `config` keeps the parameters, `binrpc` and `linefifo` implement the protocols, and
//! `commands` has the module's own commands. This file declares the module and its
//! hooks.
#![deny(unsafe_code)]

mod binrpc;
mod bounded;
mod commands;
mod config;
mod linefifo;
mod service;

use kamailio::core::process::Rank;
use kamailio::core::{Error, server};
use kamailio::net::{Group, Handlers};

// The expansion of the declaration is the module's only unsafe code.
#[allow(unsafe_code)]
mod exports {
    use crate::commands::{connections, listen, who};
    use crate::config;
    use crate::{child_init, destroy, init};

    kamailio::module! {
        name: "ctl",
        parameters: [
            "fifo" => Text(config::add_fifo),
            "binrpc" => Text(config::add_binrpc),
            "mode" => Int(config::set_mode) = 0o600,
            "user" => Text(config::set_user),
            "user" => Int(config::set_user_id),
            "group" => Text(config::set_group),
            "group" => Int(config::set_group_id),
            "autoconversion" => Int(config::set_autoconversion) = 0,
            "binrpc_max_body_size" => Int(config::set_max_body) = 32 * 1024,
            "binrpc_struct_max_body_size" => Int(config::set_max_struct) = 8 * 1024,
            "binrpc_buffer_size" => Int(config::ignore_size) = 1024,
            "max_reply" => Int(config::set_max_reply) = config::DEFAULT_MAX_REPLY,
        ],
        commands: [
            "ctl.who" => who, "list open connections";
            "ctl.connections" => connections, "returns number of open connections";
            "ctl.listen" => listen, "list ctl listen sockets";
        ],
        hooks: [ init: init, child_init: child_init, destroy: destroy ],
    }
}

static HANDLERS: Handlers = Handlers::new();

fn init() -> Result<(), Error> {
    let config = config::finished()?;
    config::show_sizes();
    HANDLERS.open(vec![Group {
        name: c"ctl handler",
        processes: 1,
        endpoints: config.endpoints,
        owner: config.owner.owner(),
    }])
}

fn child_init(rank: Rank) -> Result<(), Error> {
    HANDLERS.child_init(rank, || Box::new(config::protocols()))
}

fn destroy() {
    HANDLERS.destroy();
}

/// The path at which clients look for the server by default.
fn default_socket() -> String {
    let path = server::runtime_dir().join(format!("{}_ctl", server::name()));
    format!("unixs:{}", path.display())
}
