//! Comparing flags and versions.

use tempfile::TempDir;

use crate::{Run, checked_flags, said_by_the_server, server_that_says, version};

#[test]
fn each_flag_that_differs_is_named_with_a_remedy_that_works() {
    let directory = TempDir::new().expect("a temporary directory");
    let flags = checked_flags();
    let other = flags.replace("DBG_SR_MEMORY", "TIMER_DEBUG");
    let server = server_that_says(
        directory.path(),
        &said_by_the_server("version: "),
        &other,
        &[&other],
    );
    let run = Run::new().server(&server);
    let said = run.complaint();
    for line in [
        "TIMER_DEBUG: the server has it, the headers have not",
        "DBG_SR_MEMORY: the headers have it, the server has not",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let remedy = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("export KAMAILIO_DEFS='"))
        .and_then(|words| words.strip_suffix('\''))
        .unwrap_or_else(|| panic!("no remedy: {said}"));
    assert_eq!(remedy, "-UDBG_SR_MEMORY -DTIMER_DEBUG");
    run.with("KAMAILIO_DEFS", remedy).succeeds();
}

#[test]
fn the_flags_that_count_are_those_of_the_load_check() {
    let directory = TempDir::new().expect("a temporary directory");
    let version = said_by_the_server("version: ");
    let checked = checked_flags();
    let printed = checked.replace("DBG_SR_MEMORY", "DBG_SR_MEMORY, DBG_QM_MALLOC");
    // This is how 6.1 and later print them.
    let server = server_that_says(directory.path(), &version, &printed, &[&printed, &checked]);
    Run::new().server(&server).succeeds();
    // Here the load check seems to ask for what `-V` prints.
    let server = server_that_says(directory.path(), &version, &printed, &[&printed]);
    let said = Run::new().server(&server).complaint();
    assert!(
        said.contains("DBG_QM_MALLOC: the server has it, the headers have not"),
        "{said}"
    );
}

#[test]
fn headers_of_another_version_are_refused() {
    let directory = TempDir::new().expect("a temporary directory");
    let other = said_by_the_server("version: ").replace(&version(), "5.6.99");
    let flags = checked_flags();
    let server = server_that_says(directory.path(), &other, &flags, &[&flags]);
    let said = Run::new().server(&server).complaint();
    assert!(said.contains("another version than the server"), "{said}");
    assert!(said.contains("5.6.99"), "{said}");
}
