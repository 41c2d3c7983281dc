//! What the build says when it cannot go on: its script is run as cargo runs
//! it, with trees of headers that are wrong in one way each.
#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use harness::modules::{kamailio, workspace};
use tempfile::TempDir;

/// What the build is for; cargo tells it the script.
fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// The headers of the installed Kamailio, where `make headers` put them.
fn headers() -> PathBuf {
    let output = Command::new(kamailio())
        .arg("-V")
        .output()
        .expect("Kamailio tells its version");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text
        .split_whitespace()
        .nth(2)
        .expect("the third word is the version");
    workspace().join(format!(".deps/kamailio-{version}"))
}

/// The newest compiled build script, of whichever profile.
fn build_script() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a path");
    let profiles = program
        .ancestors()
        .find(|directory| directory.join("build").is_dir())
        .and_then(Path::parent)
        .expect("this program lies in cargo's target directory");
    let age = |path: &PathBuf| {
        let metadata = fs::metadata(path).and_then(|metadata| metadata.modified());
        metadata.unwrap_or(SystemTime::UNIX_EPOCH)
    };
    entries(profiles)
        .flat_map(|profile| entries(&profile.join("build")))
        .filter(|path| path.file_name().is_some_and(is_ours))
        .map(|path| path.join("build-script-build"))
        .filter(|path| path.is_file())
        .max_by_key(age)
        .expect("kamailio-core is compiled: run make first")
}

fn entries(directory: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

fn is_ours(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with("kamailio-core-")
}

/// Runs the script for the workspace at `root` and returns what it complains
/// about.
fn complaint(root: &Path, tree: &Path) -> String {
    let output = run_script(root, tree, &kamailio());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "the build goes on:\n{said}");
    said
}

/// Runs the script for the workspace at `root`, with these headers and this
/// server.
fn run_script(root: &Path, tree: &Path, server: &Path) -> Output {
    let out = TempDir::new().expect("a temporary directory");
    Command::new(build_script())
        .current_dir(root.join("src/core"))
        .env("CARGO_MANIFEST_DIR", root.join("src/core"))
        .env("CARGO_PKG_RUST_VERSION", env!("CARGO_PKG_RUST_VERSION"))
        .env("OUT_DIR", out.path())
        .env("OPT_LEVEL", "0")
        .env("HOST", triple())
        .env("TARGET", triple())
        .env("KAMAILIO_SRC", tree)
        .env("KAMAILIO_BIN", server)
        .env_remove("KAMAILIO_RS_UPDATE_HEADER")
        .output()
        .expect("the build script can be run")
}

/// A program that answers `-V` with these lines and holds these strings.
fn server_that_says(directory: &Path, version: &str, flags: &str, strings: &[&str]) -> PathBuf {
    let program = directory.join("kamailio");
    let script = format!("#!/bin/sh\necho 'version: {version}'\necho 'flags: {flags}'\nexit\n");
    let held: String = strings.iter().map(|text| format!("\0{text}\0")).collect();
    fs::write(&program, script + &held).expect("the file is new");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("the file is ours");
    program
}

/// What the installed server says behind `version:` or `flags:`.
fn said_by_the_server(key: &str) -> String {
    let output = Command::new(kamailio()).arg("-V").output();
    let output = output.expect("Kamailio tells its version");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.expect("the server says it").trim().to_owned()
}

/// A tree like that of the installed Kamailio, with another configuration.
fn tree_with(config: Option<&str>) -> TempDir {
    let tree = TempDir::new().expect("a temporary directory");
    let source = tree.path().join("src");
    fs::create_dir(&source).expect("the directory is new");
    symlink(headers().join("src/core"), source.join("core")).expect("the link is new");
    if let Some(config) = config {
        fs::write(source.join("config.mak"), config).expect("the file is new");
    }
    tree
}

fn config() -> String {
    fs::read_to_string(headers().join("src/config.mak")).expect("the headers are configured")
}

#[test]
fn a_flag_that_the_headers_lack_is_named() {
    let tree = tree_with(Some(&config().replace("-DDBG_SR_MEMORY", "")));
    let said = complaint(workspace(), tree.path());
    assert!(
        said.contains("DBG_SR_MEMORY: the server has it, the headers have not"),
        "{said}"
    );
}

#[test]
fn a_flag_that_the_server_lacks_is_named() {
    let config = config().replace("-DUSE_MCAST", "-DUSE_MCAST -DNO_SIG_DEBUG");
    let said = complaint(workspace(), tree_with(Some(&config)).path());
    assert!(
        said.contains("NO_SIG_DEBUG: the headers have it, the server has not"),
        "{said}"
    );
}

#[test]
fn the_flags_that_count_are_those_of_the_load_check() {
    let directory = TempDir::new().expect("a temporary directory");
    let version = said_by_the_server("version: ");
    let checked = said_by_the_server("flags: ");
    let printed = checked.replace("DBG_SR_MEMORY", "DBG_SR_MEMORY, DBG_QM_MALLOC");
    // As in 6.1 and later.
    let server = server_that_says(directory.path(), &version, &printed, &[&printed, &checked]);
    let output = run_script(workspace(), &headers(), &server);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    // As if the load check asked for what `-V` prints.
    let server = server_that_says(directory.path(), &version, &printed, &[&printed]);
    let output = run_script(workspace(), &headers(), &server);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("DBG_QM_MALLOC: the server has it, the headers have not"),
        "{said}"
    );
}

#[test]
fn headers_of_another_version_are_refused() {
    let mut config = config();
    let version = config
        .split("-DVERSION='\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("the configuration names the version")
        .to_owned();
    config = config.replace(&version, "1.2.3");
    let said = complaint(workspace(), tree_with(Some(&config)).path());
    assert!(said.contains("another version than the server"), "{said}");
}

#[test]
fn missing_headers_are_told_with_the_command_that_gets_them() {
    let nothing = TempDir::new().expect("a temporary directory");
    let said = complaint(workspace(), nothing.path());
    assert!(said.contains("make headers"), "{said}");
}

#[test]
fn a_tree_that_is_not_configured_is_told_with_the_command_that_does_it() {
    let said = complaint(workspace(), tree_with(None).path());
    assert!(said.contains("FLAVOUR=kamailio cfg"), "{said}");
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
    let said = complaint(copy.path(), &headers());
    assert!(said.contains("make header"), "{said}");
}
