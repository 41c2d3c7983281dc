//! Servers and modules of another version, which are copies of the installed ones with
//! another version in them. The server compares the version first, so such a server
//! refuses our modules, and loads those that were changed likewise.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use harness::make::run;
use harness::modules::{kamailio, our_modules, ours};
use harness::server::short_directory;
use tempfile::TempDir;

/// The version of the server under test, such as `5.6.3`.
pub(crate) fn installed() -> String {
    let text = run(Command::new(kamailio()).arg("-V"));
    let version = text.split_whitespace().nth(2);
    version.expect("the third word is the version").to_owned()
}

/// A later version with as many characters.
pub(crate) fn next() -> String {
    let mut version = installed();
    let last = version.pop().expect("a version is not empty");
    let next = char::from_digit(last.to_digit(10).map_or(0, |digit| (digit + 1) % 10), 10);
    version.push(next.expect("a digit"));
    version
}

/// Copies a server or a module and changes its version.
pub(crate) fn copy(from: &Path, to: &Path, version: &str) {
    let installed = installed();
    assert_eq!(
        installed.len(),
        version.len(),
        "{version} is written as long"
    );
    let change = format!("s/kamailio {installed} (/kamailio {version} (/g");
    let file = File::create(to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    run(Command::new("sed")
        .env("LC_ALL", "C")
        .arg(change)
        .arg(from)
        .stdout(file));
}

/// A directory with our modules as if they had been built for a version.
pub(crate) fn modules(version: &str) -> TempDir {
    let directory = short_directory();
    for name in ours() {
        let file = format!("{name}.so");
        copy(
            &our_modules().join(&file),
            &directory.path().join(&file),
            version,
        );
    }
    directory
}
