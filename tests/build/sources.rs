//! The sources of headers, and the ways in which they are configured.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::modules::workspace;
use tempfile::TempDir;

use crate::{Run, checked_flags, headers, said_by_the_server, server_that_says, tree};

/// Links to everything in a source tree except what configuring and building leave
/// there.
pub(crate) fn unbuilt(tree: &Path, copy: &Path) {
    let made = ["config.mak", "modules.lst", "kamailio", "build", ".git"];
    for directory in ["", "src"] {
        fs::create_dir_all(copy.join(directory)).expect("the directory can be made");
        for entry in fs::read_dir(tree.join(directory)).expect("the tree has it") {
            let entry = entry.expect("the directory can be read");
            let name = entry.file_name();
            if name != "src" && !made.iter().any(|made| name == *made) {
                symlink(entry.path(), copy.join(directory).join(name)).expect("the link is new");
            }
        }
    }
}

/// The names in a directory and in its `src`.
fn names(tree: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    for directory in [tree.to_owned(), tree.join("src")] {
        for entry in fs::read_dir(directory).expect("the directory is there") {
            names.push(entry.expect("the directory can be read").path());
        }
    }
    names.sort();
    names
}

#[test]
fn sources_that_nobody_has_configured_are_used_and_left_as_they_are() {
    let directory = TempDir::new().expect("a temporary directory");
    let sources = directory.path().join("a blank");
    unbuilt(&tree(), &sources);
    let before = names(&sources);
    Run::new().sources(&sources).succeeds();
    assert_eq!(names(&sources), before);
}

#[test]
fn sources_that_somebody_has_configured_are_read_so() {
    let directory = TempDir::new().expect("a temporary directory");
    let sources = directory.path().join("sources");
    unbuilt(&tree(), &sources);
    let configured = Command::new("make")
        .args([
            "-s",
            "FLAVOUR=kamailio",
            "extra_defs=-DTIMER_DEBUG",
            "cfg",
            "-C",
        ])
        .arg(sources.join("src"))
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .output()
        .expect("make runs");
    assert!(configured.status.success(), "{configured:?}");
    let told = Run::without_server().sources(&sources).succeeds();
    let version = told_for(&told, "KSR_FULL_VERSION");
    let flags = told_for(&told, "KSR_COMPILE_FLAGS");
    assert!(flags.contains("TIMER_DEBUG"), "{flags}");
    // No other configuration matches a server with these flags.
    let server = server_that_says(directory.path(), version, flags, &[flags]);
    Run::new().sources(&sources).server(&server).succeeds();
    // A configuration that is made for it matches one without them; those of CMake
    // differ.
    if said_by_the_server("version: ") == version {
        Run::new().sources(&sources).succeeds();
    }
}

/// The value that the build script has found in the sources for one of its variables.
fn told_for<'a>(told: &'a str, variable: &str) -> &'a str {
    told.lines()
        .filter_map(|line| line.strip_prefix("cargo::rustc-env=")?.split_once('='))
        .find_map(|(name, value)| (name == variable).then_some(value))
        .expect("the build script tells it")
}

#[test]
fn missing_headers_are_told_with_both_ways_to_get_them() {
    let nothing = TempDir::new().expect("a temporary directory");
    let said = Run::new().sources(nothing.path()).complaint();
    for remedy in ["make headers", "export KAMAILIO_SRC="] {
        assert!(said.contains(remedy), "{said}");
    }
}

#[test]
fn sources_that_cannot_be_configured_are_told_so() {
    let directory = TempDir::new().expect("a temporary directory");
    let source = directory.path().join("src");
    fs::create_dir(&source).expect("the directory is new");
    symlink(tree().join("src/core"), source.join("core")).expect("the link is new");
    let said = Run::new().sources(directory.path()).complaint();
    assert!(said.contains("is no complete source tree"), "{said}");
}

#[test]
fn a_stale_header_is_told_with_the_command_that_writes_it() {
    let copy = TempDir::new().expect("a temporary directory");
    let parts = ["src", "kamailio-glue", "build", "build.rs", "cbindgen.toml"];
    let copied = Command::new("cp")
        .arg("-r")
        .args(parts.map(|name| workspace().join(name)))
        .arg(copy.path())
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "copying");
    let include = copy.path().join("include");
    fs::create_dir(&include).expect("the directory is new");
    fs::write(include.join("kamailio_rs.h"), "/* of last year */\n").expect("the file is new");
    let said = Run::new().root(copy.path()).complaint();
    assert!(said.contains("make header"), "{said}");
}

#[test]
fn the_flags_of_the_tested_server_are_those_of_its_headers() {
    assert!(
        checked_flags().contains("USE_TCP"),
        "{}",
        headers().display()
    );
}
