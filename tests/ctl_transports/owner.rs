//! The access to the Unix sockets and the pipe by `mode`, `user` and `group`, and after
//! the server has dropped its privileges.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use harness::builder::Builder;
use harness::modules::Flavor;
use harness::process::owner;
use harness::server::{Server, short_directory};
use rustix::process::{getegid, geteuid};
use tempfile::TempDir;

/// A file of each kind.
const FILES: [&str; 3] = ["stream", "datagram", "pipe"];

const EVERYWHERE: &str = r#"
modparam("ctl", "binrpc", "unix:{dir}/stream")
modparam("ctl", "binrpc", "unixd:{dir}/datagram")
modparam("ctl", "fifo", "fifo:{dir}/pipe")
"#;

/// A user and a group of this host.
#[derive(Clone, Debug)]
struct Somebody {
    user: String,
    uid: u32,
    group: String,
    gid: u32,
}

impl Somebody {
    /// This user and this group if we are root, and ourselves otherwise, because only
    /// root can give files to others.
    fn named(user: &str, group: &str) -> Self {
        let (user, group) = if geteuid().is_root() {
            (user.to_owned(), group.to_owned())
        } else {
            (said(&["id", "-un"]), said(&["id", "-gn"]))
        };
        Self {
            uid: number(&user, "passwd"),
            gid: number(&group, "group"),
            user,
            group,
        }
    }
}

fn said(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8(output.stdout).expect("ASCII");
    assert!(output.status.success(), "{command:?}");
    text.trim().to_owned()
}

/// The number of a user or a group in a database of the system.
fn number(name: &str, database: &str) -> u32 {
    let entry = said(&["getent", database, name]);
    let number = entry.split(':').nth(2).and_then(|field| field.parse().ok());
    number.unwrap_or_else(|| panic!("{entry:?} has no number"))
}

fn described(config: &str) -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(EVERYWHERE)
        .config(config)
        .socket("stream")
}

/// The mode, the user and the group of a file.
type Access = (u32, u32, u32);

fn access(path: &Path) -> Access {
    let file = fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    (file.permissions().mode() & 0o7777, file.uid(), file.gid())
}

#[track_caller]
fn assert_access(server: &Server, expected: Access) {
    for name in FILES {
        let found = access(&server.path(name));
        assert_eq!(
            (format!("{:04o}", found.0), found.1, found.2),
            (format!("{:04o}", expected.0), expected.1, expected.2),
            "{name}"
        );
    }
}

fn us() -> (u32, u32) {
    (geteuid().as_raw(), getegid().as_raw())
}

#[test]
fn only_the_servers_own_user_unless_it_is_told_otherwise() {
    let (uid, gid) = us();
    assert_access(&described("").start(), (0o600, uid, gid));
}

#[test]
fn a_mode_alone() {
    let (uid, gid) = us();
    for mode in [0o660, 0o666, 0o640, 0o1777] {
        let server = described(&format!(r#"modparam("ctl", "mode", 0{mode:o})"#)).start();
        assert_access(&server, (mode, uid, gid));
    }
}

#[test]
fn a_user_alone_by_name_and_by_number() {
    let (_, gid) = us();
    let somebody = Somebody::named("nobody", "nogroup");
    for value in [
        format!("\"{}\"", somebody.user),
        format!("\"{}\"", somebody.uid),
        somebody.uid.to_string(),
    ] {
        let server = described(&format!(r#"modparam("ctl", "user", {value})"#)).start();
        assert_access(&server, (0o600, somebody.uid, gid));
    }
}

#[test]
fn a_group_alone_by_name_and_by_number() {
    let (uid, _) = us();
    let somebody = Somebody::named("nobody", "nogroup");
    for value in [
        format!("\"{}\"", somebody.group),
        format!("\"{}\"", somebody.gid),
        somebody.gid.to_string(),
    ] {
        let server = described(&format!(r#"modparam("ctl", "group", {value})"#)).start();
        assert_access(&server, (0o600, uid, somebody.gid));
    }
}

#[test]
fn all_three_together() {
    let Somebody {
        uid, group, gid, ..
    } = &Somebody::named("nobody", "daemon");
    let config = format!(
        r#"
        modparam("ctl", "mode", 0660)
        modparam("ctl", "user", {uid})
        modparam("ctl", "group", "{group}")
        "#
    );
    assert_access(&described(&config).start(), (0o660, *uid, *gid));
}

/// The core makes its user the owner of its own sockets, and ours belong to the same.
#[test]
fn the_cores_user_and_group_own_what_the_module_leaves_open() {
    let directory = short_directory();
    let nobody = Somebody::named("nobody", "nogroup");
    let mut server = as_nobody(&directory, &nobody, "").start();
    assert_access(&server, (0o600, nobody.uid, nobody.gid));
    assert_runs_as(&server, &nobody);

    server.stop();
    for name in FILES {
        assert!(!server.path(name).exists(), "{name} is left");
    }
}

/// The server's `user` and `group` in the configuration drop privileges as the options
/// `-u` and `-g` do.
#[test]
fn the_cores_user_and_group_may_stand_in_the_configuration() {
    let directory = short_directory();
    let nobody = Somebody::named("nobody", "nogroup");
    give_to(&nobody, directory.path());
    let config = format!("user=\"{}\"\ngroup=\"{}\"", nobody.user, nobody.group);
    let server = described("")
        .core_config(&config)
        .directory(directory.path())
        .start();
    assert_access(&server, (0o600, nobody.uid, nobody.gid));
    assert_runs_as(&server, &nobody);
}

/// Only a privileged process can give files away, so that happens before the privileges
/// are dropped.
#[test]
fn the_modules_user_and_group_come_before_the_cores() {
    let directory = short_directory();
    let nobody = Somebody::named("nobody", "nogroup");
    let other = Somebody::named("daemon", "daemon");
    for (config, uid, gid) in [
        (
            format!(r#"modparam("ctl", "user", "{}")"#, other.user),
            other.uid,
            nobody.gid,
        ),
        (
            format!(r#"modparam("ctl", "group", "{}")"#, other.group),
            nobody.uid,
            other.gid,
        ),
    ] {
        let server = as_nobody(&directory, &nobody, &config).start();
        assert_access(&server, (0o600, uid, gid));
        assert_runs_as(&server, &nobody);
    }
}

/// A server that may not give files to others.
fn without_rights(flavor: Flavor, config: &str) -> Builder {
    let launcher: &[&str] = match geteuid().is_root() {
        true => &["setpriv", "--bounding-set=-chown"],
        false => &[],
    };
    Server::builder(flavor)
        .modules(["ctl"])
        .config(
            r#"
            modparam("ctl", "binrpc", "unix:{dir}/stream")
            modparam("ctl", "binrpc", "unixd:{dir}/datagram")
            "#,
        )
        .config(config)
        .socket("stream")
        .launcher(launcher.iter().copied())
}

const SOMEBODY_ELSE: &str = r#"modparam("ctl", "user", "daemon")"#;
const ANOTHER_GROUP: &str = r#"modparam("ctl", "group", "daemon")"#;

/// The C module ignores each of the two without the other.
#[test]
fn a_user_or_a_group_alone_that_cannot_be_had_is_a_warning() {
    let (uid, gid) = us();
    for (config, name) in [(SOMEBODY_ELSE, "user"), (ANOTHER_GROUP, "group")] {
        for flavor in [Flavor::C, Flavor::Rust] {
            let server = without_rights(flavor, config).start();
            for socket in ["stream", "datagram"] {
                assert_eq!(
                    access(&server.path(socket)),
                    (0o600, uid, gid),
                    "{flavor:?}"
                );
                let told = format!(
                    "parameter {name}: cannot change the {name} of {} to 1: Operation not permitted",
                    server.path(socket).display()
                );
                let tells = server.log().contains(&told);
                assert_eq!(tells, flavor == Flavor::Rust, "{}", server.log());
            }
        }
    }
}

#[test]
fn both_that_cannot_be_had_stop_the_start() {
    let both = format!("{SOMEBODY_ELSE}\n{ANOTHER_GROUP}");
    for flavor in [Flavor::C, Flavor::Rust] {
        let ended = without_rights(flavor, &both).start_failing();
        assert!(!ended.status.success(), "{flavor:?}");
        assert!(
            ended.log.contains("Operation not permitted"),
            "{}",
            ended.log
        );
    }
}

/// A server that runs as a user with few rights.
fn as_nobody(directory: &TempDir, nobody: &Somebody, config: &str) -> Builder {
    give_to(nobody, directory.path());
    described(config)
        .directory(directory.path())
        .options(["-u", &nobody.user, "-g", &nobody.group])
}

/// A server that removes its files at its end must own the directory.
fn give_to(somebody: &Somebody, directory: &Path) {
    chown(directory, Some(somebody.uid), Some(somebody.gid))
        .unwrap_or_else(|error| panic!("{directory:?}: {error}"));
}

fn assert_runs_as(server: &Server, somebody: &Somebody) {
    let handler = server.process("ctl handler");
    assert_eq!(owner(handler), (somebody.uid, somebody.gid));
}
