//! `scripts/setup.sh`: the packages that it wants for each part, and its output.

use crate::fakes::{Fakes, said};

/// A machine without any of the packages, for a user who is not root. `sudo` fails as
/// it does without the right password.
fn bare_machine() -> Fakes {
    Fakes::new()
        .with("dpkg-query", "exit 1")
        .with("apt-get", "exit 1")
        .with("id", "echo 1000")
        .with("sudo", "exit 1")
}

/// The packages that `sudo` was asked to install.
fn asked_for(fakes: &Fakes) -> Vec<String> {
    let calls = fakes.calls();
    let calls: Vec<&str> = calls
        .lines()
        .filter(|call| call.starts_with("sudo "))
        .collect();
    let [call] = calls[..] else {
        panic!("sudo is called once for all: {calls:?}");
    };
    let (_, packages) = call.split_once("packages.sh ").expect("the one script");
    // The first word is the oldest version of Kamailio.
    packages.split(' ').skip(1).map(str::to_owned).collect()
}

#[test]
fn a_build_needs_no_more_than_a_compiler_libclang_and_a_kamailio() {
    let fakes = bare_machine();
    let _ = said(fakes.command("scripts/setup.sh").arg("build"));
    let compilers = ["gcc", "libc6-dev", "libclang-dev", "make", "xz-utils"];
    let wanted = asked_for(&fakes);
    let others: Vec<&String> = wanted
        .iter()
        .filter(|name| !compilers.contains(&name.as_str()))
        .collect();
    // A Kamailio that is installed from elsewhere will do.
    assert!(others.is_empty() || others == ["kamailio"], "{wanted:?}");

    let fakes = bare_machine();
    let mut build = fakes.command("scripts/setup.sh");
    let _ = said(build.arg("build").env("KAMAILIO_SRC", "kamailio"));
    assert_eq!(asked_for(&fakes), compilers);
}

#[test]
fn packages_are_named_first_and_the_password_is_asked_for_once() {
    let fakes = bare_machine();
    let mut all = fakes.command("scripts/setup.sh");
    let (well, text) = said(all.args(["build", "run", "test", "fuzz"]));
    assert!(!well, "{text}");
    let wanted = asked_for(&fakes).join(" ");
    for name in ["gcc", "curl", "strace", "g++"] {
        assert!(wanted.split(' ').any(|one| one == name), "{wanted}");
    }
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], format!("setup:     {wanted}"));
    assert!(lines[2].contains("No service is started"), "{text}");
    assert_eq!(
        lines[3],
        format!("setup: nothing was installed; as root run: apt-get install {wanted}")
    );
}

#[test]
fn where_nothing_is_missing_nothing_is_said_or_asked() {
    let everything = r#"shift 3; for name in "$@"; do echo "installed $name"; done"#;
    let fakes = bare_machine().with("dpkg-query", everything);
    let mut all = fakes.command("scripts/setup.sh");
    let (well, text) = said(all.args(["build", "run", "test"]));
    assert!(well, "{text}");
    assert_eq!(text, "");
    assert!(!fakes.calls().contains("sudo"), "{}", fakes.calls());
}

#[test]
fn a_cargo_that_is_too_old_or_missing_is_told_in_one_sentence() {
    let fakes = bare_machine().with("cargo", "echo 'cargo 1.63.0'");
    let (well, text) = said(fakes.command("scripts/setup.sh").arg("build"));
    assert!(!well, "{text}");
    assert!(
        text.contains("cargo is 1.63.0, and the modules need Rust "),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1, "{text}");

    let (well, text) = said(
        fakes
            .command("scripts/setup.sh")
            .arg("build")
            .env("CARGO", "no-such-cargo"),
    );
    assert!(!well, "{text}");
    assert!(text.contains("cargo is missing"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}
