//! The names that our modules export.
//!
//! The server's own names are found before a module's, even from inside the module. So
//! a function of ours with the name of one of the server's would never be called.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::modules::{example, kamailio, our_modules, ours};

/// The names that the server looks up in a module.
const LOOKED_UP: &[&str] = &["exports", "mod_register", "module_flags", "module_version"];

/// The prefix of all other names.
const PREFIX: &str = "ksrrs_";

fn modules() -> impl Iterator<Item = PathBuf> {
    let directory = our_modules();
    ours()
        .into_iter()
        .map(move |name| directory.join(format!("{name}.so")))
        .chain(["faulty", "hello", "tiny"].map(example))
}

#[test]
fn our_names_begin_with_our_prefix() {
    for module in modules() {
        let others: Vec<String> = defined(&module)
            .into_iter()
            .filter(|name| !LOOKED_UP.contains(&name.as_str()) && !name.starts_with(PREFIX))
            .collect();
        assert!(others.is_empty(), "{} exports {others:?}", module.display());
    }
}

#[test]
fn no_name_of_ours_is_the_servers() {
    let theirs = defined(&kamailio());
    assert!(
        theirs.contains("fork_process"),
        "the server exports its functions"
    );
    for module in modules() {
        let ours: Vec<String> = defined(&module)
            .into_iter()
            .filter(|name| !LOOKED_UP.contains(&name.as_str()) && theirs.contains(name))
            .collect();
        assert!(ours.is_empty(), "{} exports {ours:?}", module.display());
    }
}

#[test]
fn the_server_finds_what_it_looks_for() {
    for module in modules() {
        let names = defined(&module);
        for wanted in ["exports", "module_flags", "module_version"] {
            assert!(
                names.contains(wanted),
                "{} lacks {wanted}",
                module.display()
            );
        }
    }
}

/// The names that a program or library exports.
fn defined(file: &Path) -> BTreeSet<String> {
    let output = Command::new("nm")
        .args(["-D", "--defined-only", "--format=posix"])
        .arg(file)
        .output()
        .expect("nm, which comes with every C compiler");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let names = String::from_utf8(output.stdout).expect("names are ASCII");
    names
        .lines()
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}
