//! Servers and directories that CMake has built. Kamailio supports CMake from 6.0 on,
//! so the sources are those of the version that `make test` fetches for its second
//! build.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::modules::workspace;
use tempfile::TempDir;

use crate::{Run, server_that_says};

fn sources() -> PathBuf {
    let sources = workspace().join(".deps/kamailio-6.0.1");
    assert!(
        sources.join("CMakeLists.txt").is_file(),
        "the sources of 6.0.1 are not here: scripts/headers.sh 6.0.1"
    );
    sources
}

/// A program that answers like a server built there. Its version line differs from that
/// of a server built with make: the platform is spelled differently, and the files for
/// CMake of 6.0.1 still say 6.0.0-rc0.
fn server(directory: &Path, build: &Path) -> PathBuf {
    let told = Run::without_server().sources(build).succeeds();
    let value = |name: &str| -> String {
        let name = format!("cargo::rustc-env={name}=");
        let value = told.lines().find_map(|line| line.strip_prefix(&name));
        value.expect("the build script tells it").to_owned()
    };
    let version = value("KSR_FULL_VERSION");
    assert!(version.ends_with("/Linux)"), "{version}");
    let flags = value("KSR_COMPILE_FLAGS");
    server_that_says(directory, &version, &flags, &[&flags])
}

/// The directory that CMake has configured.
fn built(directory: &Path, options: &[&str]) -> PathBuf {
    let tree = directory.join("tree");
    crate::sources::unbuilt(&sources(), &tree);
    // CMake writes a header into this directory.
    let core = tree.join("src/core");
    fs::remove_file(&core).expect("it is a link");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(sources().join("src/core"))
        .arg(&core)
        .status();
    assert!(copied.is_ok_and(|status| status.success()), "copying");
    let modules: Vec<String> = fs::read_dir(sources().join("src/modules"))
        .expect("the tree has modules")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != "kex")
        .collect();
    let build = directory.join("build");
    let output = Command::new("cmake")
        .arg("-S")
        .arg(&tree)
        .arg("-B")
        .arg(&build)
        .args(["-DBUILD_DOC=OFF", "-DINCLUDE_MODULES=kex"])
        .arg(format!("-DEXCLUDE_MODULES={}", modules.join(" ")))
        .args(options)
        .output()
        .expect("cmake is installed");
    assert!(output.status.success(), "{output:?}");
    build
}

#[test]
fn a_server_that_cmake_has_built_is_served_from_its_directory_and_from_the_sources() {
    let directory = TempDir::new().expect("a temporary directory");
    let build = built(directory.path(), &["-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]);
    let server = server(directory.path(), &build);
    Run::new().sources(&build).server(&server).succeeds();
    // CMake must be asked in this case.
    let run = Run::new().sources(&sources()).server(&server);
    run.succeeds();
    let said = run
        .with("PATH", programs_without_cmake(directory.path()))
        .complaint();
    assert!(said.contains("apt-get install cmake"), "{said}");
}

#[test]
fn a_directory_without_the_commands_is_told_how_cmake_writes_them() {
    let directory = TempDir::new().expect("a temporary directory");
    let build = built(directory.path(), &[]);
    let run = Run::without_server().sources(&build);
    let said = run.complaint();
    let remedy = format!(
        "cmake -DCMAKE_EXPORT_COMPILE_COMMANDS=ON '{}'",
        build.display()
    );
    assert!(said.contains(&remedy), "{said}");
    let done = Command::new("sh").args(["-c", &remedy]).output();
    assert!(done.is_ok_and(|output| output.status.success()), "{remedy}");
    run.succeeds();
}

/// A path with all programs of this system except CMake.
fn programs_without_cmake(directory: &Path) -> OsString {
    let programs = directory.join("programs");
    fs::create_dir(&programs).expect("the directory is new");
    let path = std::env::var_os("PATH").unwrap_or_default();
    for place in std::env::split_paths(&path) {
        for entry in fs::read_dir(place).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name != "cmake" {
                // If several programs have one name, the first counts.
                let _ = symlink(entry.path(), programs.join(name));
            }
        }
    }
    programs.into()
}
