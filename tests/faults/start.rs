//! What the system refuses while the server starts.

use harness::builder::Builder;
use harness::modules::Flavor;
use harness::server::{Server, short_directory};
use rpc_wire::binrpc::client::Answer;

const HANDLERS: [&str; 4] = [
    "ctl handler",
    "JSONRPCS FIFO",
    "JSONRPCS DATAGRAM",
    "MI DATAGRAM",
];

fn builder() -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl", "jsonrpcs", "mi_datagram"])
        .config(r#"modparam("mi_datagram", "socket_name", "{dir}/mi")"#)
}

/// If the system has no process for a handler the start fails. The core then waits for
/// some of its processes, which modules cannot change.
#[test]
fn a_handler_that_cannot_be_forked_is_named() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: only root can be a user without other processes");
        return;
    }
    let processes = builder().start().client().call("core.ps", &[]);
    for (number, name) in HANDLERS.into_iter().enumerate() {
        // This many processes are forked before it.
        let allowed = position(&processes, name);
        let directory = short_directory();
        let user = 1_500_000_000 + 10 * std::process::id() + number as u32;
        // The modules may be in a directory that only root can read.
        let script = format!(
            r#"cd {} && cp -rL modules copies && rm -r modules && mv copies modules &&
               chown -R {user} . &&
               exec setpriv --reuid {user} --clear-groups prlimit --nproc={allowed} "$0" "$@""#,
            directory.path().display(),
        );
        let server = builder()
            .directory(directory.path())
            .launcher(["/bin/sh", "-c", &script])
            .ready_on_log("error in init_child")
            .try_start();
        let log = server.map_or_else(|ended| ended.log, |server| server.log());
        assert!(log.contains(&format!("cannot fork {name}")), "{log}");
    }
}

/// The position of a process among those that were forked one after the other.
fn position(processes: &Answer, name: &str) -> usize {
    let mut pairs = processes.values().chunks_exact(2);
    let found = pairs.position(|process| process[1].as_str() == Some(name));

    found.unwrap_or_else(|| panic!("no {name} in\n{processes}"))
}
