//! The Debian package: made, installed into this system, used, and removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::make::{output, run, script};
use harness::modules::{Flavor, our_modules, ours};
use harness::server::{Server, short_directory};

use super::assert_runs_with;

const PACKAGE: &str = "kamailio-rust-modules";

/// A command that changes the system, as root. Others may be installing
/// something at the same time, and are waited for.
fn apt_get(action: &str) -> Command {
    let words = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", action];
    let mut command = match rustix::process::geteuid().is_root() {
        true => Command::new(words[0]),
        false => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", words[0]]);
            sudo
        }
    };
    command
        .args(&words[1..])
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// The files of the package that are installed, and none when it is not.
fn installed() -> Vec<PathBuf> {
    let listed = output(Command::new("dpkg-query").args(["--listfiles", PACKAGE]));
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = text.lines().map(PathBuf::from);
    paths.filter(|path| path.is_file()).collect()
}

/// Removes the package, however the test ends.
struct Removed;

impl Drop for Removed {
    fn drop(&mut self) {
        let _ = output(apt_get("purge").args(["-y", PACKAGE]));
    }
}

#[test]
fn a_package_of_the_installed_server_is_installed_used_and_removed() {
    assert_eq!(
        installed(),
        Vec::<PathBuf>::new(),
        "{PACKAGE} is installed on this machine; this test would remove it, so remove it first"
    );
    let built = short_directory();
    let made = run(script("scripts/deb.sh")
        .arg(built.path())
        .env("MODULES", our_modules()));
    let file = made.lines().last().expect("the script prints the name");
    let fields = run(Command::new("dpkg-deb").args(["--field", file, "Depends"]));
    assert!(fields.contains("kamailio (>= "), "{fields}");
    assert!(fields.contains("kamailio (<< "), "{fields}");

    let removed = Removed;
    run(apt_get("install").args(["-y", "--no-install-recommends", file]));
    let files = installed();
    let documents = Path::new("/usr/share/doc").join(PACKAGE);
    assert!(files.contains(&documents.join("copyright")), "{files:?}");
    assert!(files.contains(&documents.join("docs/ctl.md")), "{files:?}");
    for name in ours() {
        let module = files
            .iter()
            .find(|file| file.ends_with(format!("rust/{name}.so")));
        let module = module.unwrap_or_else(|| panic!("no {name}.so among {files:?}"));
        let copy = fs::read(module).expect("a module to read");
        let original = fs::read(our_modules().join(format!("{name}.so")));
        assert!(
            copy == original.expect("a module to read"),
            "{name} is another"
        );
    }

    // The server looks for names with a folder below its module path, too.
    let server = Server::builder(Flavor::C).modules(["rust/ctl"]).start();
    let module = files.iter().find(|file| file.ends_with("rust/ctl.so"));
    assert_runs_with(&server, module.expect("ctl is one of ours"));
    drop(server);

    drop(removed);
    for file in files {
        assert!(!file.exists(), "{} stays behind", file.display());
    }
    // The C module is where it was, and in use again.
    let server = Server::builder(Flavor::C).modules(["ctl"]).start();
    assert_runs_with(&server, &harness::modules::c_modules().join("ctl.so"));
}
