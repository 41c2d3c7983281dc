//! The machine that something is measured on.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use report::machine::Machine;

use crate::modules::{kamailio, workspace};

/// This machine, today.
#[must_use]
pub fn this() -> Machine {
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

/// The commit, and whether the measured sources differ from it.
fn commit() -> String {
    let commit = told(&["git", "rev-parse", "--short=12", "HEAD"]);
    // The results are written into the documents.
    let documents = [":!docs", ":!README.md"];
    let changed = told(&[&["git", "status", "--porcelain", "--", "."][..], &documents].concat());
    match changed.as_str() {
        "" => commit,
        _ => format!("{commit} and changes"),
    }
}

/// The output of a command, or a note that there is none.
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
