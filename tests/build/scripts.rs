//! The script that fetches headers, for a server that is too old or not from Debian.

use std::process::Output;

use harness::make::{output, script};
use harness::modules::workspace;
use tempfile::TempDir;

use crate::server_that_says;

fn fetch_for(version: &str) -> Output {
    let directory = TempDir::new().expect("a temporary directory");
    let says = format!("kamailio {version} (x86_64/linux)");
    let server = server_that_says(directory.path(), &says, "USE_TCP", &[]);
    output(
        script(workspace().join("scripts/headers.sh"))
            .arg("installed")
            .env("KAMAILIO_BIN", server),
    )
}

#[test]
fn a_server_that_no_package_is_of_is_told_to_name_its_sources() {
    let output = fetch_for("6.2.0-dev1");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("export KAMAILIO_SRC="), "{said}");
}

#[test]
fn nothing_is_fetched_for_a_server_that_is_too_old() {
    let output = fetch_for("5.4.4");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert_eq!(
        said,
        "headers: the installed Kamailio is 5.4.4, and the oldest that these modules can be built for is 5.6.\n"
    );
}
