//! Runs the build script as cargo does, with servers and sources of every kind, and
//! checks what it says if it cannot go on.
#![forbid(unsafe_code)]

mod cmake;
mod commit;
mod flags;
mod products;
mod scripts;
mod servers;
mod sources;

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::modules::{kamailio, workspace};
use tempfile::TempDir;

/// The target of the build, which cargo tells the script.
fn triple() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// A run of the build script.
struct Run {
    root: PathBuf,
    variables: Vec<(&'static str, OsString)>,
}

impl Run {
    /// A run for the server under test, which is named, and for its headers.
    fn new() -> Self {
        Self::without_server().with("KAMAILIO_BIN", kamailio())
    }

    /// A run for those headers, and for whatever server there is.
    fn without_server() -> Self {
        Self {
            root: workspace().to_owned(),
            variables: vec![("KAMAILIO_SRC", headers().into())],
        }
    }

    fn root(mut self, root: &Path) -> Self {
        root.clone_into(&mut self.root);
        self
    }

    fn sources(self, directory: &Path) -> Self {
        self.with("KAMAILIO_SRC", directory)
    }

    fn server(self, program: &Path) -> Self {
        self.with("KAMAILIO_BIN", program)
    }

    fn with(mut self, variable: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((variable, value.into()));
        self
    }

    fn output(&self) -> Output {
        let out = TempDir::new().expect("a temporary directory");
        let package = self.root.join("src/core");
        Command::new(env!("CARGO_BIN_EXE_build_script"))
            .current_dir(&package)
            .env("CARGO_MANIFEST_DIR", &package)
            .env("CARGO_PKG_RUST_VERSION", env!("CARGO_PKG_RUST_VERSION"))
            .env("OUT_DIR", out.path())
            .env("OPT_LEVEL", "0")
            .env("HOST", triple())
            .env("TARGET", triple())
            .env_remove("KAMAILIO_BIN")
            .env_remove("KAMAILIO_DEFS")
            .env_remove("KAMAILIO_RS_UPDATE_HEADER")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the build script can be run")
    }

    /// The complaint with which it fails.
    fn complaint(&self) -> String {
        let output = self.output();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "the build goes on:\n{said}");
        said
    }

    /// The output for cargo with which it succeeds.
    fn succeeds(&self) -> String {
        let output = self.output();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// The text that the server under test prints behind `version:` or `flags:`.
fn said_by_the_server(key: &str) -> String {
    let output = Command::new(kamailio()).arg("-V").output();
    let output = output.expect("Kamailio tells its version");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.expect("the server says it").trim().to_owned()
}

/// The version of the server, such as `5.6.3`.
fn version() -> String {
    let version = said_by_the_server("version: ");
    let version = version.split_whitespace().nth(1);
    version.expect("the second word is the version").to_owned()
}

/// The flags that its load check compares, as build/server.rs has found them.
fn checked_flags() -> String {
    let told = Run::new().succeeds();
    let flags = told
        .lines()
        .find_map(|line| line.strip_prefix("cargo::rustc-env=KSR_COMPILE_FLAGS="));
    flags.expect("the build script tells the flags").to_owned()
}

/// The headers of the server under test, which are named or were fetched by `make
/// headers`.
fn headers() -> PathBuf {
    match std::env::var_os("KAMAILIO_SRC").filter(|path| !path.is_empty()) {
        Some(named) => workspace().join(named),
        None => workspace().join(format!(".deps/kamailio-{}", version())),
    }
}

/// The source tree, which CMake knows if it has built it.
fn tree() -> PathBuf {
    let headers = headers();
    match fs::read_to_string(headers.join("CMakeCache.txt")) {
        Ok(cache) => cache
            .lines()
            .find_map(|line| line.strip_prefix("CMAKE_HOME_DIRECTORY:INTERNAL="))
            .expect("CMake names the tree")
            .into(),
        Err(_) => headers,
    }
}

/// A program that answers `-V` with these lines and contains these strings.
fn server_that_says(directory: &Path, version: &str, flags: &str, held: &[&str]) -> PathBuf {
    let program = directory.join("kamailio");
    let script = format!("#!/bin/sh\necho 'version: {version}'\necho 'flags: {flags}'\nexit\n");
    let held: String = held.iter().map(|text| format!("\0{text}\0")).collect();
    fs::write(&program, script + &held).expect("the file is new");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("the file is ours");
    program
}
