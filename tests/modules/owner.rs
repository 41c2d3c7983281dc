//! The owners of sockets and pipes in all modules, if the server starts as root and
//! continues as another user.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use harness::builder::Builder;
use harness::modules::Flavor;
use harness::server::{Server, short_directory};
use rustix::process::geteuid;
use tempfile::TempDir;

const NOBODY: u32 = 65_534;
const NOGROUP: u32 = 65_534;
const DAEMON: u32 = 1;
const ROOT: u32 = 0;

/// The mode, user and group of each file.
type Files = BTreeMap<&'static str, (u32, u32, u32)>;

const PLACES: &str = r#"
modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")
modparam("ctl", "binrpc", "unixd:{dir}/kamailio_ctl_datagram")
modparam("ctl", "fifo", "{dir}/kamailio_fifo")
modparam("mi_datagram", "socket_name", "{dir}/mi.sock")
"#;

const CTL: [&str; 3] = ["kamailio_ctl", "kamailio_ctl_datagram", "kamailio_fifo"];
const OTHERS: [&str; 3] = ["kamailio_rpc.fifo", "kamailio_rpc.sock", "mi.sock"];

/// Whether we are root. Other users cannot start a server that continues as another
/// user.
fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        eprintln!("left out: only root may start a server that changes its user");
    }
    is_root
}

fn described(directory: &TempDir, config: &str) -> Builder {
    chown(directory.path(), Some(NOBODY), Some(NOGROUP)).expect("root may");
    Server::builder(Flavor::Rust)
        .modules(["ctl", "jsonrpcs", "mi_datagram"])
        .directory(directory.path())
        .config(PLACES)
        .config(config)
}

fn files(directory: &Path) -> Files {
    let access = |name| {
        let file = fs::symlink_metadata(directory.join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        (file.permissions().mode() & 0o7777, file.uid(), file.gid())
    };
    let names = CTL.into_iter().chain(OTHERS);
    names.map(|name| (name, access(name))).collect()
}

/// The values of all files without parameters.
fn all_of(user: u32, group: u32) -> Files {
    let of_ctl = CTL.map(|name| (name, (0o600, user, group)));
    let of_others = OTHERS.map(|name| (name, (0o660, user, group)));
    of_ctl.into_iter().chain(of_others).collect()
}

#[test]
fn the_user_and_group_of_the_server_have_what_no_parameter_gives_away() {
    if !is_root() {
        return;
    }
    let both = ["-u", "nobody", "-g", "daemon"];
    for (options, core, group) in [
        (&both[..], "", DAEMON),
        (&both[..2], "", NOGROUP),
        (&[][..], "user=\"nobody\"\ngroup=\"daemon\"", DAEMON),
        (&[][..], "user=\"nobody\"", NOGROUP),
    ] {
        let directory = short_directory();
        let mut server = described(&directory, "")
            .core_config(core)
            .options(options.iter().copied())
            .start();
        assert_eq!(
            files(directory.path()),
            all_of(NOBODY, group),
            "{options:?} {core}"
        );
        server.stop();
        for name in CTL.into_iter().chain(OTHERS) {
            assert!(!directory.path().join(name).exists(), "{name} is left");
        }
    }
}

#[test]
fn parameters_come_first() {
    if !is_root() {
        return;
    }
    let directory = short_directory();
    let config = r#"
        modparam("ctl", "group", "daemon")
        modparam("jsonrpcs", "fifo_user", "daemon")
        modparam("jsonrpcs", "dgram_user", 0)
        modparam("mi_datagram", "unix_socket_group", "daemon")
    "#;
    let _server = described(&directory, config)
        .options(["-u", "nobody", "-g", "nogroup"])
        .start();
    let mut expected: Files = CTL
        .into_iter()
        .map(|name| (name, (0o600, NOBODY, DAEMON)))
        .collect();
    // A name brings its group along, a number does not.
    expected.insert("kamailio_rpc.fifo", (0o660, DAEMON, DAEMON));
    expected.insert("kamailio_rpc.sock", (0o660, ROOT, NOGROUP));
    expected.insert("mi.sock", (0o660, NOBODY, DAEMON));
    assert_eq!(files(directory.path()), expected);
}

/// A container may let a server change its user but not give files away. The C
/// `jsonrpcs` starts there.
#[test]
fn a_server_that_may_give_nothing_away_starts_and_says_so() {
    if !is_root() {
        return;
    }
    let directory = short_directory();
    let server = described(&directory, "")
        .launcher(["setpriv", "--bounding-set=-chown"])
        .options(["-u", "nobody", "-g", "nogroup"])
        .socket("kamailio_ctl")
        .start();
    assert_eq!(files(directory.path()), all_of(ROOT, ROOT));
    let log = server.log();
    for name in CTL.into_iter().chain(OTHERS) {
        for what in ["user", "group"] {
            let line = format!(
                "the server's own user and group: cannot change the {what} of {}/{name} to {NOBODY}: \
                 Operation not permitted",
                directory.path().display()
            );
            assert!(log.contains(&line), "{line}\n{log}");
        }
    }
}
