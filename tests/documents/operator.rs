//! The user who runs the server, and the user who types the commands of a page.
//!
//! They are as on Debian: the server runs as the user `kamailio`, and its operator is
//! root or a member of the group `kamailio`.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::{fs, str};

use harness::builder::Builder;
use rustix::process::geteuid;

use crate::page::Places;

/// The user and the group that Debian's package creates.
const SERVER: &str = "kamailio";

/// The mode of `/run/kamailio` by Debian's systemd unit.
const DIRECTORY_MODE: u32 = 0o770;

/// The person at the terminal.
#[derive(Debug)]
pub(crate) enum Operator {
    /// The user who runs the tests.
    Ourselves,
    /// A user who has only the group of the server.
    Member,
}

/// All operators that can be tried here. Only root can run commands as others; for
/// other users the server runs as themselves.
pub(crate) fn operators() -> &'static [Operator] {
    match geteuid().is_root() {
        true => &[Operator::Ourselves, Operator::Member],
        false => {
            eprintln!("left out: only root can be another user than the server");
            &[Operator::Ourselves]
        }
    }
}

/// Makes the server run as its own user in a directory that is like `/run/kamailio`.
pub(crate) fn as_its_own_user(server: Builder, directory: &Path) -> Builder {
    let server = server.directory(directory);
    fs::set_permissions(directory, fs::Permissions::from_mode(DIRECTORY_MODE))
        .expect("our own directory");
    if !geteuid().is_root() {
        return server;
    }
    chown(
        directory,
        Some(number(&["-u", SERVER])),
        Some(number(&["-g", SERVER])),
    )
    .expect("root may");
    server.options(["-u", SERVER, "-g", SERVER])
}

fn number(of: &[&str]) -> u32 {
    let output = Command::new("id")
        .args(of)
        .output()
        .expect("a usual command");
    let text = str::from_utf8(&output.stdout).expect("ASCII");
    text.trim()
        .parse()
        .unwrap_or_else(|_| panic!("Debian's package makes the user {SERVER}"))
}

/// The programs look in the server's directory if a page names none.
const CLIENTS: &str = r#"
kamcmd() {
    case $1 in
    -s | -D) command kamcmd "$@" ;;
    *) command kamcmd -s unix:/run/kamailio/kamailio_ctl "$@" ;;
    esac
}
export RPCFIFOPATH=/run/kamailio/kamailio_rpc.fifo
"#;

/// An operator who is not a member of the server's group is the server's user.
const OWN_GROUP: &str = r#"
chgrp() { command chgrp "$(id -gn)" "${@:2}"; }
"#;

/// The shell in which an operator types.
pub(crate) struct Shell<'a> {
    pub(crate) operator: &'a Operator,
    pub(crate) directory: &'a Path,
}

impl Shell<'_> {
    pub(crate) fn run(&self, text: &str, places: &Places) -> Output {
        let group = match geteuid().is_root() {
            true => "",
            false => OWN_GROUP,
        };
        let text = places.put(&format!("{CLIENTS}{group}{text}"));
        let launcher: &[&str] = match self.operator {
            Operator::Ourselves => &[],
            Operator::Member => &[
                "setpriv",
                "--reuid=nobody",
                "--regid=nogroup",
                "--groups",
                SERVER,
            ],
        };
        // A command that waits for ever has failed, too.
        let words = ["timeout", "60", "bash", "-e", "-o", "pipefail", "-c", &text];
        let words = [launcher, &words].concat();
        Command::new(words[0])
            .args(&words[1..])
            .current_dir(self.directory)
            .stdin(Stdio::null())
            .output()
            .expect("a shell is there")
    }
}
