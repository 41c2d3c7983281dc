//! The command-line client that comes with Kamailio.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::additions;
use crate::modules;
use crate::terminal::Terminal;

/// The output of one run of `kamcmd`.
#[derive(Debug, PartialEq, Eq)]
pub struct Output {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Whether it ended with status 0.
    pub success: bool,
}

impl Output {
    /// The output that must be the same with the C modules: the list of commands has
    /// one on each line, and those that ours [add](additions) are left out.
    #[must_use]
    pub fn in_common(self) -> Self {
        let stdout = additions::without_lines(&self.stdout);
        Self { stdout, ..self }
    }
}

/// Runs `kamcmd` on the Unix stream socket at `socket`.
///
/// # Panics
///
/// It cannot be started.
#[must_use]
pub fn run(socket: &Path, args: &[&str]) -> Output {
    run_at(&at(socket), args)
}

/// Runs `kamcmd` on an address as its option `-s` takes it.
///
/// # Panics
///
/// It cannot be started.
#[must_use]
pub fn run_at(address: &str, args: &[&str]) -> Output {
    let output = on(address)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("kamcmd starts");
    Output {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        success: output.status.success(),
    }
}

/// Starts `kamcmd` on a terminal, where it asks for a command if none is given.
#[must_use]
pub fn interactive(socket: &Path) -> Terminal {
    Terminal::start(on(&at(socket)))
}

fn at(socket: &Path) -> String {
    format!("unix:{}", socket.display())
}

fn on(address: &str) -> Command {
    let mut command = Command::new(modules::kamcmd());
    command.arg("-s").arg(address);
    command
}
