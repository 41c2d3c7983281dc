//! Kamailio's RPC commands in the text syntax of the old Management Interface,
//! on a Unix or UDP datagram socket.
//!
//! `config` keeps the parameters, `service` answers datagrams and `runner` runs
//! commands for it. `aliases` has the old names of commands, and `shapes` the replies
//! in their old shape.
#![deny(unsafe_code)]

mod aliases;
mod config;
mod runner;
mod service;
mod shapes;

use kamailio::core::Error;
use kamailio::core::process::Rank;
use kamailio::net::{Group, Handlers};

use crate::service::Management;

// The expansion of the declaration is the module's only unsafe code.
#[allow(unsafe_code)]
mod exports {
    use crate::config;
    use crate::{child_init, destroy, init};

    kamailio::module! {
        name: "mi_datagram",
        parameters: [
            "socket_name" => Text(config::set_socket_name) = None,
            "children_count" => Int(config::set_children_count) = 1,
            "unix_socket_mode" => Int(config::set_mode) = 0o660,
            "unix_socket_group" => Text(config::set_group) = None,
            "unix_socket_group" => Int(config::set_group_id) = -1,
            "unix_socket_user" => Text(config::set_user) = None,
            "unix_socket_user" => Int(config::set_user_id) = -1,
            "socket_timeout" => Int(config::set_timeout) = 2000,
            "reply_indent" => Text(config::set_indent) = Some("\t"),
            "max_reply" => Int(config::set_max_reply) = config::DEFAULT_MAX_REPLY,
            "alias" => Text(config::add_alias),
        ],
        hooks: [ init: init, child_init: child_init, destroy: destroy ],
    }
}

static HANDLERS: Handlers = Handlers::new();

fn init() -> Result<(), Error> {
    let settings = config::settings();
    HANDLERS.open(vec![Group {
        name: c"MI DATAGRAM",
        processes: settings.children,
        endpoints: vec![settings.endpoint()?],
        owner: settings.owner.owner(),
    }])
}

fn child_init(rank: Rank) -> Result<(), Error> {
    HANDLERS.child_init(rank, || Box::new(Management::new(config::settings())))
}

fn destroy() {
    HANDLERS.destroy();
}
