//! Where and with what it was measured.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use harness::modules::{kamailio, workspace};
use serde::{Deserialize, Serialize};

/// A machine, and the programs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Of the last part, as in 2026-11-21.
    pub(crate) date: String,
    /// Of this project.
    pub(crate) commit: String,
    pub(crate) kamailio: String,
    pub(crate) rustc: String,
    pub(crate) system: String,
    pub(crate) kernel: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
}

impl Machine {
    /// This one, today.
    pub(crate) fn this() -> Self {
        let server = kamailio().display().to_string();
        let version = told(&[&server, "-v"]);
        let version = version.lines().next().unwrap_or_default();
        Machine {
            date: told(&["date", "-u", "+%F"]),
            commit: commit(),
            kamailio: version
                .trim_start_matches("version: kamailio")
                .trim()
                .to_owned(),
            rustc: told(&["rustc", "-V"]).replacen("rustc ", "", 1),
            system: field("/etc/os-release", "PRETTY_NAME=").replace('"', ""),
            kernel: told(&["uname", "-srm"]),
            processor: field("/proc/cpuinfo", "model name"),
            cores: available_parallelism().map_or(1, usize::from),
        }
    }

    pub(crate) fn is_same_but_for_date(&self, other: &Machine) -> bool {
        let dated = Machine {
            date: other.date.clone(),
            ..self.clone()
        };
        dated == *other
    }
}

/// The commit, and whether what was measured differs from it.
fn commit() -> String {
    let commit = told(&["git", "rev-parse", "--short=12", "HEAD"]);
    // The documents are where the results go.
    let changed = told(&["git", "status", "--porcelain", "--", ".", ":!docs"]);
    match changed.as_str() {
        "" => commit,
        _ => format!("{commit} and changes"),
    }
}

/// What a command prints, or that it cannot be had.
fn told(command: &[&str]) -> String {
    let output = Command::new(command[0])
        .args(&command[1..])
        .current_dir(workspace())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}

/// The value of the first line that starts with `name`.
fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name));
    value
        .map_or("unknown", |value| {
            value.trim_start_matches([':', ' ', '\t'])
        })
        .to_owned()
}
