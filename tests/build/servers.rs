//! Which server the build asks, and which is too old.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use tempfile::TempDir;

use crate::sources::unbuilt;
use crate::{Run, server_that_says, tree};

#[test]
fn a_server_that_is_not_of_the_named_sources_is_not_asked() {
    let other = TempDir::new().expect("a temporary directory");
    server_that_says(other.path(), "kamailio 5.9.9 (x86_64/linux)", "NONE", &[]);
    let sources = TempDir::new().expect("a temporary directory");
    unbuilt(&tree(), sources.path());
    let told = Run::without_server()
        .sources(sources.path())
        .with("PATH", front_of_path(other.path()))
        .succeeds();
    assert!(told.contains("cargo::warning=no server is in"), "{told}");
    assert!(told.contains("KAMAILIO_BIN=<"), "{told}");
}

#[test]
fn a_server_that_was_built_in_the_named_sources_is_asked() {
    let sources = TempDir::new().expect("a temporary directory");
    unbuilt(&tree(), sources.path());
    server_that_says(
        &sources.path().join("src"),
        "kamailio 5.9.9 (x86_64/linux)",
        "NONE",
        &[],
    );
    let said = Run::without_server().sources(sources.path()).complaint();
    assert!(said.contains("another version than the server"), "{said}");
}

#[test]
fn a_server_that_is_too_old_gets_one_sentence() {
    let directory = TempDir::new().expect("a temporary directory");
    let server = server_that_says(
        directory.path(),
        "kamailio 5.4.4 (x86_64/linux)",
        "USE_TCP, USE_TLS",
        &[],
    );
    let said = Run::new().server(&server).complaint();
    let errors: Vec<&str> = said.trim().lines().collect();
    assert_eq!(
        errors,
        [format!(
            "error: {} is Kamailio 5.4.4, and the oldest that these modules can be built for is 5.6.",
            server.display()
        )]
    );
}

#[test]
fn sources_that_are_too_old_get_one_sentence() {
    let said = Run::without_server()
        .sources(&tree())
        .with("KAMAILIO_DEFS", r#"-DVERSION='"5.5.7"'"#)
        .complaint();
    assert!(
        said.contains(
            "is Kamailio 5.5.7, and the oldest that these modules can be built for is 5.6."
        ),
        "{said}"
    );
}

fn front_of_path(directory: &Path) -> OsString {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = [directory.to_owned()]
        .into_iter()
        .chain(env::split_paths(&path));
    env::join_paths(all).expect("no colon in these")
}
