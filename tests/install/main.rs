//! `make install`, `make uninstall` and the Debian package: what they leave, that
//! a server takes the modules from there, and that nothing stays behind.
#![forbid(unsafe_code)]

mod copied;
mod package;

use std::path::{Path, PathBuf};

use harness::process;
use harness::server::Server;

/// The files of modules of ours or of C that the handler of `ctl` has in memory.
fn loaded(server: &Server, name: &str) -> Vec<PathBuf> {
    process::mapped_files(server.pid())
        .into_iter()
        .filter(|file| file.file_name().is_some_and(|found| found == name))
        .collect()
}

/// Asserts that a server runs with this file, and answers through it.
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
