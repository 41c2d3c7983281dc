//! Running the project's own commands as a user types them.

use std::ffi::OsStr;
use std::process::{Command, Output};

use crate::modules::{our_modules, workspace};

/// `make TARGET`, which takes the modules under test for those that it has built.
#[must_use]
pub fn make(target: &str) -> Command {
    let mut command = script("make");
    command.arg("--no-print-directory").arg(target).env(
        "CARGO_TARGET_DIR",
        our_modules()
            .parent()
            .expect("make leaves modules in a folder of the target directory"),
    );
    command
}

/// A program or script that runs in the root of the workspace.
#[must_use]
pub fn script(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(workspace());
    // The variables of the make that runs the tests must not reach this one.
    for variable in ["MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"] {
        command.env_remove(variable);
    }
    command
}

/// Runs a command that must succeed, and returns its standard output.
///
/// # Panics
///
/// It fails. The message contains all of its output.
pub fn run(command: &mut Command) -> String {
    let output = output(command);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{command:?} ends with {}:\n{text}{errors}",
        output.status
    );
    text
}

/// Runs a command to its end.
///
/// # Panics
///
/// There is no such program.
pub fn output(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}
