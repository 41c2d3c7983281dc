//! An upgrade of a server that has our modules: what the package manager says before it
//! changes anything, and what the server does afterwards.

use std::fs;

use harness::make::{output, run};

use super::package::packages;
use super::private::{PACKAGE, Root};
use super::{selected, versions};

#[test]
fn a_server_that_no_build_fits_is_not_installed_over_the_installed_server() {
    let Some(root) = Root::with_server() else {
        return;
    };
    let packages = packages();
    run(root.apt_get("install").arg(&packages.one));
    let taken = root.ctl_that_is_taken().expect("a server with our module");
    assert_eq!(taken.parent(), Some(selected(&root.modules()).as_path()));

    let next = root.server_package(&versions::next());
    let stopped = output(root.apt_get("install").arg(&next));
    let told = String::from_utf8_lossy(&stopped.stderr).into_owned();
    assert!(!stopped.status.success(), "{told}");
    let config = root.path("/etc/kamailio/kamailio.cfg");
    for part in [
        format!("there will be Kamailio {}", versions::next()),
        format!("{}:3\n", config.display()),
        format!("make deb FOR={}", versions::next()),
    ] {
        assert!(told.contains(&part), "{part} is not in\n{told}");
    }
    let before = format!("{}-1", versions::installed());
    assert_eq!(root.version_of("kamailio"), Some(before));
    assert_eq!(root.ctl_that_is_taken(), Ok(taken));

    // The advised package and the server may come together.
    run(root.apt_get("install").args([&packages.both, &next]));
    assert_upgraded(&root);
}

#[test]
fn a_package_with_both_builds_outlives_an_upgrade_of_the_installed_server() {
    let Some(root) = Root::with_server() else {
        return;
    };
    run(root.apt_get("install").arg(&packages().both));
    let taken = root.ctl_that_is_taken().expect("a server with our module");
    let upgraded = output(
        root.apt_get("install")
            .arg(root.server_package(&versions::next())),
    );
    let told = String::from_utf8_lossy(&upgraded.stderr).into_owned();
    assert!(upgraded.status.success(), "{told}");
    assert!(
        told.contains("there is a build of the modules for"),
        "{told}"
    );
    assert_upgraded(&root);
    assert_ne!(root.ctl_that_is_taken(), Ok(taken));
}

/// Asserts that the server of the next version is installed and loads our modules.
#[track_caller]
fn assert_upgraded(root: &Root) {
    let after = format!("{}-1", versions::next());
    assert_eq!(root.version_of("kamailio"), Some(after));
    assert!(root.version_of(PACKAGE).is_some());
    // The package manager has set the link already. systemd may start the server before
    // that, so the link is set back to the other build here.
    let chosen = selected(&root.modules());
    let link = root.modules().join("rust");
    let other = super::builds(&root.modules());
    let other = other.iter().find(|build| **build != chosen);
    fs::remove_file(&link).expect("the link");
    std::os::unix::fs::symlink(other.expect("two builds"), &link).expect("a link");
    run(&mut root.start_of_service());
    assert_eq!(selected(&root.modules()), chosen);
    let taken = root.ctl_that_is_taken().expect("a server with our module");
    assert_eq!(taken, chosen.join("ctl.so"));
}

#[test]
fn a_server_that_no_build_fits_says_so_and_takes_no_c_module_in_place_of_the_installed_server() {
    let Some(root) = Root::with_server() else {
        return;
    };
    run(root.apt_get("install").arg(&packages().one));
    root.ctl_that_is_taken().expect("a server with our module");
    let next = root.server_package(&versions::next());
    let upgraded = output(
        root.apt_get("install")
            .arg(next)
            .env("KAMAILIO_RUST_MODULES", "ignore"),
    );
    assert!(upgraded.status.success());

    let start = output(&mut root.start_of_service());
    let told = String::from_utf8_lossy(&start.stderr).into_owned();
    assert!(!start.status.success(), "{told}");
    for part in ["make && sudo make install", "make deb", &versions::next()] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
    let refused = root.ctl_that_is_taken().expect_err("a refused module");
    assert!(refused.contains("module version mismatch"), "{refused}");

    // Without the link the server would silently load the C module.
    fs::remove_file(root.modules().join("rust")).expect("the link");
    let status = output(&mut root.start_of_service()).status;
    assert!(!status.success());
    let refused = root.ctl_that_is_taken().expect_err("a refused module");
    assert!(refused.contains("module version mismatch"), "{refused}");
}

#[test]
fn an_upgrade_goes_on_where_nothing_uses_the_modules_of_the_installed_server() {
    let Some(root) = Root::with_server() else {
        return;
    };
    run(root.apt_get("install").arg(&packages().one));
    let config = root.path("/etc/kamailio/kamailio.cfg");
    let text = "# mpath=\"/usr/lib/kamailio/modules/rust\"\nloadmodule \"ctl.so\"\n";
    fs::write(config, text).expect("a configuration");
    let next = root.server_package(&versions::next());
    let upgraded = output(root.apt_get("install").arg(next));
    let told = String::from_utf8_lossy(&upgraded.stderr).into_owned();
    assert!(upgraded.status.success(), "{told}");
    assert!(
        told.contains("Nothing uses them, so this goes on."),
        "{told}"
    );
    let after = format!("{}-1", versions::next());
    assert_eq!(root.version_of("kamailio"), Some(after));
}

#[test]
fn a_newer_package_without_a_build_for_the_installed_server_is_not_installed() {
    let Some(root) = Root::with_server() else {
        return;
    };
    let packages = packages();
    run(root.apt_get("install").arg(&packages.one));
    root.ctl_that_is_taken().expect("a server with our module");
    let wrong = &packages.next;
    // The version for which it was built is also its lower bound on the server, which
    // dpkg would notice, too. So the hook must be asked first.
    let asked = {
        use std::io::Write as _;
        let mut tool = root.tool("before-upgrade");
        tool.stdin(std::process::Stdio::piped());
        tool.stderr(std::process::Stdio::piped());
        let mut tool = tool.spawn().expect("the program");
        let mut input = tool.stdin.take().expect("a pipe");
        writeln!(input, "{}", wrong.display()).expect("it reads");
        drop(input);
        tool.wait_with_output().expect("it ends")
    };
    let told = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(!asked.status.success(), "{told}");
    assert!(
        told.contains(&format!("there will be builds for: {}.", versions::next())),
        "{told}"
    );
}
