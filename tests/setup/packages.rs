//! `scripts/packages.sh` starts no service and leaves nothing of its precautions
//! behind. It has its own `/usr/sbin` here.

use std::fs;

use crate::fakes::{Fakes, said};

/// Mounts an empty directory over `/usr/sbin` and installs. The first argument is a
/// script that runs before.
const IN_PRIVATE: &str = r#"
    mount -t tmpfs none /usr/sbin && eval "$1" && shift || exit 99
    "$@"
    status=$?
    ls /usr/sbin
    [ ! -e /usr/sbin/policy-rc.d ] || cat /usr/sbin/policy-rc.d
    exit $status
"#;

/// Records what Debian's scripts would be told.
const ASKS: &str = r#"
    [ "$1" = install ] || exit 0
    /usr/sbin/policy-rc.d kamailio start
    echo "policy $?"
"#;

fn fakes(candidate: &str, apt_get: &str) -> Fakes {
    Fakes::new()
        .with("apt-cache", &format!("echo '  Candidate: {candidate}'"))
        .with("apt-get", &format!("{ASKS}\n{apt_get}"))
        .with("update-rc.d", "")
}

/// The files left in `/usr/sbin`, and whether it succeeded. It is `None` for a user who
/// is not allowed to try.
fn install(fakes: &Fakes, before: &str, packages: &[&str]) -> Option<(bool, String)> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: only root can have a /usr/sbin of its own");
        return None;
    }
    // A shell cannot trap a signal that was ignored when it was started.
    let mut command = fakes.command("env");
    command.args(["--default-signal=INT", "unshare", "--mount"]);
    command.args(["sh", "-c", IN_PRIVATE, "sh", before]);
    command.args(["scripts/packages.sh", "5.6"]);
    Some(said(command.args(packages)))
}

fn noted(fakes: &Fakes) -> String {
    fs::read_to_string(fakes.path("noted")).unwrap_or_default()
}

#[test]
fn services_are_forbidden_while_it_installs() {
    // The output of apt is not shown.
    let fakes = fakes("5.6.3-2", "");
    let note = format!("exec >>'{}'", fakes.path("noted").display());
    let fakes = fakes.with("apt-get", &format!("{note}\n{ASKS}"));
    let Some((well, left)) = install(&fakes, "true", &["curl", "kamailio"]) else {
        return;
    };
    assert!(well, "{left}");
    assert_eq!(noted(&fakes), "policy 101\n");
    assert_eq!(left, "");
    assert!(
        fakes.calls().contains("update-rc.d kamailio disable"),
        "{}",
        fakes.calls()
    );
}

#[test]
fn a_kamailio_that_was_there_stays_as_it_is() {
    let fakes = fakes("5.6.3-2", "");
    let Some((well, left)) = install(&fakes, "true", &["kamailio-tls-modules"]) else {
        return;
    };
    assert!(well, "{left}");
    assert!(!fakes.calls().contains("update-rc.d"), "{}", fakes.calls());
}

#[test]
fn nothing_stays_behind_when_it_fails_or_is_interrupted() {
    for (apt_get, status) in [
        ("exit 100", "it fails"),
        ("kill -INT $PPID; exit 0", "Ctrl-C"),
        ("kill -TERM $PPID; exit 0", "it is ended"),
        ("kill -HUP $PPID; exit 0", "the terminal is closed"),
    ] {
        let fakes = fakes("5.6.3-2", apt_get);
        let Some((well, left)) = install(&fakes, "true", &["kamailio"]) else {
            return;
        };
        assert!(!well, "{status}: {left}");
        assert_eq!(left, "", "{status}");
        assert!(!fakes.calls().contains("update-rc.d"), "{status}");
    }
}

#[test]
fn what_a_killed_run_has_left_is_taken_away() {
    let fakes = fakes("5.6.3-2", "kill -KILL $PPID; exit 0");
    let Some((well, left)) = install(&fakes, "true", &["kamailio"]) else {
        return;
    };
    assert!(!well && left.contains("policy-rc.d"), "{left}");
    let (_, policy) = left.split_once('\n').expect("its text follows");
    let before = format!(
        "cat >/usr/sbin/policy-rc.d <<'TEXT' && chmod 755 /usr/sbin/policy-rc.d\n{policy}TEXT\n"
    );
    let fakes = self::fakes("5.6.3-2", "");
    let Some((well, left)) = install(&fakes, &before, &["kamailio"]) else {
        return;
    };
    assert!(well, "{left}");
    assert_eq!(left, "");
}

#[test]
fn a_machine_that_has_a_policy_keeps_it() {
    let fakes = fakes("5.6.3-2", "");
    let own =
        "printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d";
    let Some((well, left)) = install(&fakes, own, &["kamailio"]) else {
        return;
    };
    assert!(well, "{left}");
    assert!(left.contains("this machine's own"), "{left}");
    assert!(left.ends_with("policy-rc.d\n#!/bin/sh\nexit 0\n"), "{left}");
}

#[test]
fn a_system_whose_kamailio_is_too_old_is_told_in_one_sentence() {
    for (candidate, told) in [
        (
            "5.4.4-1",
            "this system has Kamailio 5.4.4-1, and the modules need 5.6 or newer",
        ),
        (
            "(none)",
            "none of this system's package sources has Kamailio",
        ),
    ] {
        let fakes = fakes(candidate, "");
        let Some((well, text)) = install(&fakes, "true", &["gcc", "kamailio"]) else {
            return;
        };
        assert!(!well, "{text}");
        assert!(text.contains(told), "{text}");
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(
            !fakes.calls().contains("apt-get install"),
            "{}",
            fakes.calls()
        );
    }
}
