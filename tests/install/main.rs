//! `make install`, `make uninstall` and the Debian package: what they leave behind,
//! that a server loads the modules from there, and what happens when the server is
//! upgraded.
//!
//! Nothing is installed into this system. Copies go into a directory, and packages into
//! a root of their own.
#![forbid(unsafe_code)]

mod copied;
mod package;
mod private;
mod side_by_side;
mod upgrade;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};

use harness::process;
use harness::server::Server;

/// The module files, of ours or of C, that the handler of `ctl` has in memory.
fn loaded(server: &Server, name: &str) -> Vec<PathBuf> {
    process::mapped_files(server.pid())
        .into_iter()
        .filter(|file| file.file_name().is_some_and(|found| found == name))
        .collect()
}

/// Asserts that a server has loaded this file, and answers through it.
#[track_caller]
fn assert_runs_with(server: &Server, file: &Path) {
    let version = server.client().call("core.version", &[]);
    let text = version.values().first().and_then(|value| value.as_str());
    assert!(
        text.is_some_and(|text| text.starts_with("kamailio ")),
        "{version}"
    );
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.expect("modules have names");
    assert_eq!(loaded(server, name), [file]);
}

/// All files and links below a directory, by their paths from there.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            match path.is_dir() && !path.is_symlink() {
                true => left.push(path),
                false => found.push(path.strip_prefix(directory).expect("below it").to_owned()),
            }
        }
    }
    found.sort();
    found
}

/// The folder to which the stable name of the modules leads.
#[track_caller]
fn selected(modules: &Path) -> PathBuf {
    let link = modules.join("rust");
    let target = fs::read_link(&link).unwrap_or_else(|error| panic!("{}: {error}", link.display()));
    modules.join(target)
}

/// The folders of builds in a directory of modules.
fn builds(modules: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(modules).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("rust-"))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}
