//! What the built modules contain, and what they must not contain.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::make::run;
use harness::modules::{our_modules, ours, workspace};

fn files() -> impl Iterator<Item = PathBuf> {
    ours()
        .into_iter()
        .map(|name| our_modules().join(format!("{name}.so")))
}

#[test]
fn no_module_names_a_directory_of_who_has_built_it() {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let rustup = env::var_os("RUSTUP_HOME").map_or_else(|| home.join(".rustup"), PathBuf::from);
    for file in files() {
        let bytes = fs::read(&file).expect("the module can be read");
        for directory in [workspace(), &cargo, &rustup] {
            let name = directory.to_string_lossy();
            let at = bytes
                .windows(name.len())
                .position(|window| window == name.as_bytes());
            let around =
                at.map(|at| String::from_utf8_lossy(&bytes[at..(at + 200).min(bytes.len())]));
            assert!(around.is_none(), "{}: {around:?}", file.display());
        }
    }
}

#[test]
fn no_module_carries_what_only_clients_need() {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    for module in ours() {
        let mut command = Command::new(&cargo);
        command
            .args(["tree", "--offline", "--locked", "--prefix", "none"])
            .args(["--edges", "features,normal", "--package", &module])
            .current_dir(workspace());
        let tree = run(&mut command);
        assert!(tree.contains("kamailio v"), "{module}: {tree}");
        assert!(
            !tree.contains("rpc-wire feature \"client\""),
            "{module}: {tree}"
        );
    }
}

#[test]
fn the_glue_is_protected_as_the_c_modules_are() {
    for file in files() {
        let output = Command::new("nm").arg("-D").arg(&file).output();
        let output = output.expect("nm is installed with the compiler");
        let symbols = String::from_utf8_lossy(&output.stdout).into_owned();
        // These are the compiler's check of the stack, and one of the C library's
        // checks.
        for name in ["__stack_chk_fail", "__vasprintf_chk"] {
            assert!(symbols.contains(name), "{}: {symbols}", file.display());
        }
    }
}
