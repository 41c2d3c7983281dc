//! Running a source tree's own build system to learn the definitions, without writing
//! anything into the tree.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, Result, rerun_if_changed};

/// What a build leaves in a tree. Each build must make these for itself.
const MADE: &[&str] = &[".git", "build", "config.mak", "modules.lst", "autover.h"];

/// A module that needs only the core.
const A_MODULE: &str = "kex";

/// Runs `make cfg`, which needs neither bison nor flex, and returns the `config.mak`
/// that it writes. Up to 5.6 the definitions depend on whether OpenSSL's headers are
/// installed here. They may not have been where the server was built, so `mutex_shared`
/// tells.
pub(crate) fn with_make(tree: &Path, out_dir: &Path, mutex_shared: bool) -> Result<PathBuf> {
    rerun_if_changed(&tree.join("src/Makefile.defs"));
    let mirror = mirror(tree, &out_dir.join("make"))?;
    let mut make = Command::new("make");
    make.args(["-s", "FLAVOUR=kamailio"])
        .args(mutex_shared.then_some("LIBSSL_SET_MUTEX_SHARED=1"))
        .args(["cfg", "-C"])
        .arg(mirror.join("src"));
    // Kamailio's makefiles must not see the variables of a make that runs cargo.
    for variable in ["MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL"] {
        make.env_remove(variable);
    }
    run(&mut make, tree, "make setup")?;
    Ok(mirror.join("src/config.mak"))
}

/// Runs CMake and returns the `compile_commands.json` that it writes. CMake is asked
/// for a single module, because 6.0 needs at least one and many need libraries that are
/// not here.
pub(crate) fn with_cmake(tree: &Path, out_dir: &Path) -> Result<PathBuf> {
    rerun_if_changed(&tree.join("CMakeLists.txt"));
    rerun_if_changed(&tree.join("cmake"));
    let mirror = mirror(tree, &out_dir.join("cmake"))?;
    let build = mirror.join("build");
    let modules: Vec<String> = entries(&tree.join("src/modules"))?
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .filter(|name| name != A_MODULE)
        .collect();
    let mut cmake = Command::new("cmake");
    cmake
        .arg("-S")
        .arg(&mirror)
        .arg("-B")
        .arg(&build)
        .args(["-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DBUILD_DOC=OFF"])
        .arg("-DMODULE_GROUP_NAME=COMMON")
        .arg(format!("-DINCLUDE_MODULES={A_MODULE}"))
        .arg(format!("-DEXCLUDE_MODULES={}", modules.join(" ")));
    run(&mut cmake, tree, "apt-get install cmake")?;
    Ok(build.join("compile_commands.json"))
}

/// Whether CMake can be run.
pub(crate) fn has_cmake() -> bool {
    Command::new("cmake").arg("--version").output().is_ok()
}

fn run(command: &mut Command, tree: &Path, install: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::NotFound => format!("\nInstall it:\n\n    {install}"),
            _ => String::new(),
        };
        Failure::new(format!("cannot run {program}: {error}{remedy}"))
    })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{program} cannot configure Kamailio's sources in {} ({}):\n{}{}",
        tree.display(),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}

/// Makes a new directory that looks like the tree. It consists of links, except for the
/// directories into which the build systems write.
fn mirror(tree: &Path, mirror: &Path) -> Result<PathBuf> {
    if mirror.exists() {
        fs::remove_dir_all(mirror).map_err(|error| Failure::io("cannot remove", mirror, &error))?;
    }
    for directory in ["", "src", "src/core"] {
        let copy = mirror.join(directory);
        fs::create_dir_all(&copy).map_err(|error| Failure::io("cannot make", &copy, &error))?;
        for entry in entries(&tree.join(directory))? {
            let name = entry.file_name().unwrap_or_default();
            let link = copy.join(name);
            let is_own =
                directory.is_empty() && name == "src" || directory == "src" && name == "core";
            if is_own || MADE.iter().any(|made| name == *made) {
                continue;
            }
            symlink(&entry, &link).map_err(|error| Failure::io("cannot make", &link, &error))?;
        }
    }
    Ok(mirror.to_owned())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let fail = |error| Failure::io("cannot read", directory, &error);
    let directory = directory.canonicalize().map_err(fail)?;
    let entries = fs::read_dir(&directory).map_err(fail)?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(fail))
        .collect()
}
