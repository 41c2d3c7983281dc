//! Kamailio's RPC commands over BINRPC, the protocol of `kamcmd`, and over the
//! older line protocol.
//!
//! `config` keeps what the configuration says, `binrpc` and `linefifo` speak
//! the protocols, `commands` are the module's own, and this file is what the
//! server sees and when it calls.
#![deny(unsafe_code)]

mod binrpc;
mod commands;
mod config;
mod linefifo;
mod service;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use kamailio::core::process::{self, Rank};
use kamailio::core::{Error, server};
use kamailio::net::{self, Files, Listeners};
use parking_lot::Mutex;

use crate::service::Protocols;

// What this expands to is the module's only unsafe code.
#[allow(unsafe_code)]
mod exports {
    use crate::commands::{connections, listen, who};
    use crate::config;
    use crate::{child_init, destroy, init};

    kamailio::module! {
        name: "ctl",
        parameters: [
            "binrpc" => Text(config::add_binrpc),
            "fifo" => Text(config::add_fifo),
            "mode" => Int(config::set_mode),
            "user" => Text(config::set_user),
            "user" => Int(config::set_user_id),
            "group" => Text(config::set_group),
            "group" => Int(config::set_group_id),
            "autoconversion" => Int(config::set_autoconversion),
            "binrpc_max_body_size" => Int(config::ignore_size),
            "binrpc_struct_max_body_size" => Int(config::ignore_size),
            "binrpc_buffer_size" => Int(config::ignore_size),
        ],
        commands: [
            "ctl.who" => who, "list open connections";
            "ctl.connections" => connections, "returns number of open connections";
            "ctl.listen" => listen, "list ctl listen sockets";
        ],
        hooks: [ init: init, child_init: child_init, destroy: destroy ],
    }
}

/// The sockets, from `init` until the handler takes them.
static LISTENERS: Mutex<Option<Listeners>> = Mutex::new(None);

/// The files of the sockets; in the main process, which removes them.
static FILES: Mutex<Option<Files>> = Mutex::new(None);

/// True in the main process while it forks the handler, and so in the handler.
static IS_FORKING: AtomicBool = AtomicBool::new(false);

fn init() -> Result<(), Error> {
    let config = config::finished()?;
    let (listeners, files) = Listeners::open(config.places, config.owner.or_core())?;
    commands::remember(listeners.bound().collect());
    process::announce(1, listeners.descriptors())?;
    *FILES.lock() = Some(files);
    *LISTENERS.lock() = Some(listeners);
    Ok(())
}

fn child_init(rank: Rank) -> Result<(), Error> {
    match rank {
        Rank::Init => Ok(()),
        Rank::Main => fork_handler(),
        // Our own handler, on its way to `serve`.
        Rank::Rpc if IS_FORKING.load(Relaxed) => Ok(()),
        _ => {
            forget();
            Ok(())
        }
    }
}

fn fork_handler() -> Result<(), Error> {
    let Some(listeners) = LISTENERS.lock().take() else {
        return Ok(());
    };
    IS_FORKING.store(true, Relaxed);
    let forked = process::fork_handler(c"ctl handler", || {
        let mut service = Protocols::new(config::converts());
        net::serve(listeners, &mut service)
    });
    IS_FORKING.store(false, Relaxed);
    forked
}

/// Closes in this process what belongs to the handler.
fn forget() {
    drop(LISTENERS.lock().take());
    commands::remember(Vec::new());
}

fn destroy() {
    if let Some(files) = FILES.lock().take() {
        files.remove();
    }
}

/// Where clients look for the server if nobody tells them otherwise.
fn default_socket() -> String {
    let path = server::runtime_dir().join(format!("{}_ctl", server::name()));
    format!("unixs:{}", path.display())
}
