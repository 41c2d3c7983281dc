//! The machine and the programs of a measurement.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use serde::{Deserialize, Serialize};

use crate::modules::{kamailio, workspace};

/// A machine, and the programs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The date of the last part, such as 2026-11-21.
    pub date: String,
    /// The commit of this project.
    pub commit: String,
    /// The server's version.
    pub kamailio: String,
    /// The version of the compiler.
    pub rustc: String,
    /// The distribution.
    pub system: String,
    /// The name, version and architecture of the kernel.
    pub kernel: String,
    /// The model of the processor.
    pub processor: String,
    /// The number of cores that this program may use.
    pub cores: usize,
}

impl Machine {
    /// The lines of a table about it.
    #[must_use]
    pub fn table(&self) -> String {
        let Machine {
            date,
            commit,
            kamailio,
            rustc,
            system,
            kernel,
            processor,
            cores,
        } = self;
        format!(
            "| | |\n| --- | --- |\n\
             | date | {date} |\n\
             | this project | commit {commit} |\n\
             | Kamailio and its C modules | {kamailio} |\n\
             | Rust | {rustc} |\n\
             | system | {system}, {kernel} |\n\
             | processor | {processor}, {cores} cores |\n"
        )
    }

    /// This machine, today.
    #[must_use]
    pub fn this() -> Self {
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

    /// Whether the two differ only in the date and the commit.
    #[must_use]
    pub fn is_same_but_for_date(&self, other: &Machine) -> bool {
        let dated = Machine {
            date: other.date.clone(),
            ..self.clone()
        };
        dated == *other
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
