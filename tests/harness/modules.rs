//! The paths of Kamailio, of its C modules and of ours.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules that a server loads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavor {
    /// It loads the C modules that came with Kamailio.
    C,
    /// It loads ours, and the C modules for whatever we have not written.
    Rust,
}

/// The server: `KAMAILIO_BIN`, or `kamailio` from the `PATH`.
#[must_use]
pub fn kamailio() -> PathBuf {
    named_or_found("KAMAILIO_BIN", "kamailio")
}

/// The command-line client: `KAMCMD_BIN`, or `kamcmd` from the `PATH`.
#[must_use]
pub fn kamcmd() -> PathBuf {
    named_or_found("KAMCMD_BIN", "kamcmd")
}

fn named_or_found(variable: &str, name: &str) -> PathBuf {
    match env::var_os(variable) {
        Some(named) => named.into(),
        None => on_path(name)
            .unwrap_or_else(|| panic!("{name} is not installed, nor named by {variable}")),
    }
}

/// Searches the `PATH`, and the directories of system programs, which the `PATH` of an
/// ordinary user lacks.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin".into(), "/usr/sbin".into()])
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// The directory of the C modules: `KAMAILIO_MODULES`, or where packages and `make
/// install` put them.
///
/// # Panics
///
/// They cannot be found.
#[must_use]
pub fn c_modules() -> PathBuf {
    if let Some(named) = env::var_os("KAMAILIO_MODULES") {
        return named.into();
    }
    let multiarch = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    multiarch
        .map(|entry| entry.path())
        .chain(
            [
                "/usr/local/lib64",
                "/usr/local/lib",
                "/usr/lib64",
                "/usr/lib",
            ]
            .map(PathBuf::from),
        )
        .map(|lib| lib.join("kamailio/modules"))
        .find(|modules| modules.join("tm.so").is_file())
        .expect("Kamailio's modules are installed, or named by KAMAILIO_MODULES")
}

/// The directory of our modules: `KAMAILIO_RS_MODULES`, or where `make` leaves them.
#[must_use]
pub fn our_modules() -> PathBuf {
    match env::var_os("KAMAILIO_RS_MODULES") {
        Some(named) => named.into(),
        None => workspace().join("target/modules"),
    }
}

/// The names of our modules that are built, such as `ctl`.
///
/// # Panics
///
/// There are none.
#[must_use]
pub fn ours() -> Vec<String> {
    let directory = our_modules();
    let mut names: Vec<String> = fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| module_name(&entry.path()))
        .collect();
    assert!(
        !names.is_empty(),
        "there are no modules in {}: run make first",
        directory.display()
    );
    names.sort();
    names
}

/// The file of one of our modules that is only an example.
///
/// # Panics
///
/// It is not built.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    let file = our_modules().join(format!("examples/{name}.so"));
    assert!(
        file.is_file(),
        "there is no {}: run make examples first",
        file.display()
    );
    file
}

fn module_name(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?.strip_suffix(".so")?;
    Some(name.to_owned())
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("this package is a folder of the workspace")
}
