//! Programs that replace those of the system.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::make::{output, script};
use harness::server::short_directory;
use tempfile::TempDir;

/// A directory with programs that come first in `PATH`.
pub(crate) struct Fakes(TempDir);

impl Fakes {
    pub(crate) fn new() -> Self {
        Self(short_directory())
    }

    /// Adds a program, which is a shell script. It records how it was called before it
    /// does what `body` says.
    pub(crate) fn with(self, name: &str, body: &str) -> Self {
        let file = self.0.path().join(name);
        let calls = self.calls_file();
        let text = format!(
            "#!/bin/sh\necho \"{name} $*\" >>'{}'\n{body}\n",
            calls.display()
        );
        fs::write(&file, text).expect("our own directory");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("our own file");
        self
    }

    fn calls_file(&self) -> PathBuf {
        self.0.path().join("calls")
    }

    /// The calls of the programs, one on each line.
    pub(crate) fn calls(&self) -> String {
        fs::read_to_string(self.calls_file()).unwrap_or_default()
    }

    /// A command of this project that finds these programs first.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut path = OsString::from(self.0.path());
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = script(program.as_ref());
        command
            .env("PATH", path)
            .env_remove("KAMAILIO_BIN")
            .env_remove("KAMAILIO_SRC")
            .env_remove("CARGO");
        command
    }

    /// A directory below this one.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

/// Everything that a command wrote, and whether it succeeded.
pub(crate) fn said(command: &mut Command) -> (bool, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = output(command);
    let text = [stdout, stderr].concat();
    (
        status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}
