//! Kamailio's RPC commands over JSON-RPC 2.0: on a named pipe, datagram
//! sockets, TCP and HTTP, and from the routing script.
//!
//! `config` keeps the parameters, and `endpoints` derives from them where to listen.
//! `document` answers a document, whoever sent it: `service` has the clients of our own
//! sockets, and `http` and `script` have those of the script. `store` puts answers into
//! files.
#![deny(unsafe_code)]

mod config;
mod document;
mod endpoints;
mod http;
mod script;
mod service;
mod store;

use kamailio::core::Error;
use kamailio::core::process::Rank;
use kamailio::net::Handlers;

use crate::service::Documents;

// The expansion of the declaration is the module's only unsafe code.
#[allow(unsafe_code)]
mod exports {
    use crate::config;
    use crate::http::dispatch;
    use crate::script::{echo, exec, parse_reply, reply, response};
    use crate::{child_init, destroy, init};

    kamailio::module! {
        name: "jsonrpcs",
        parameters: [
            "pretty_format" => Int(config::set_pretty) = 1,
            "transport" => Int(config::set_transport) = 6,
            "fifo_name" => Text(config::set_fifo_name) = None,
            "fifo_mode" => Int(config::set_fifo_mode) = 0o660,
            "fifo_group" => Text(config::set_fifo_group) = None,
            "fifo_group" => Int(config::set_fifo_group_id) = -1,
            "fifo_user" => Text(config::set_fifo_user) = None,
            "fifo_user" => Int(config::set_fifo_user_id) = -1,
            "fifo_reply_dir" => Text(config::set_fifo_reply_dir) = Some("/tmp/"),
            "dgram_socket" => Text(config::set_dgram_socket) = None,
            "dgram_workers" => Int(config::set_dgram_workers) = 1,
            "dgram_timeout" => Int(config::ignore_timeout) = 2000,
            "dgram_mode" => Int(config::set_dgram_mode) = 0o660,
            "dgram_group" => Text(config::set_dgram_group) = None,
            "dgram_group" => Int(config::set_dgram_group_id) = -1,
            "dgram_user" => Text(config::set_dgram_user) = None,
            "dgram_user" => Int(config::set_dgram_user_id) = -1,
            "tcp_socket" => Text(config::set_tcp_socket) = None,
            "tcp_keep" => Int(config::set_tcp_keep) = 0,
            "stream_socket" => Text(config::add_stream_socket) = None,
            "strict" => Int(config::set_strict) = 0,
            "store_dir" => Text(config::set_store_dir) = None,
            "all_values" => Int(config::set_all_values) = 0,
            "max_reply" => Int(config::set_max_reply) = config::DEFAULT_MAX_REPLY,
            "http_over_udp" => Int(config::set_http_over_udp) = 0,
        ],
        functions: [
            "jsonrpc_dispatch" => dispatch() in REQUEST_ROUTE,
            "jsonrpc_exec" => exec(Text) in ANY_ROUTE,
        ],
        variables: [
            "jsonrpl" => reply, parse_reply;
        ],
        commands: [
            "jsonrpc.echo" => echo, "Sample echo command", returns_array;
        ],
        kemi: [
            "dispatch" => dispatch() -> Int,
            "exec" => exec(Text) -> Int,
            "execx" => exec(Text) -> Int,
            "response" => response() -> Value,
        ],
        hooks: [ init: init, child_init: child_init, destroy: destroy ],
    }
}

static HANDLERS: Handlers = Handlers::new();

fn init() -> Result<(), Error> {
    let settings = config::settings();
    http::bind(&settings)?;
    endpoints::open(&settings, &HANDLERS)
}

fn child_init(rank: Rank) -> Result<(), Error> {
    HANDLERS.child_init(rank, || Box::new(Documents::new(&config::settings())))
}

fn destroy() {
    HANDLERS.destroy();
}
