//! The Debian package, which is made, installed, used, replaced by a newer one, and
//! removed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use harness::make::{make, output, run, script};
use harness::modules::{Flavor, our_modules, ours, workspace};
use harness::server::Server;

use super::private::{PACKAGE, Root};
use super::{assert_runs_with, builds, selected, versions};

/// The packages that several tests install. They are made only once, because each takes
/// a while.
pub(crate) struct Packages {
    /// A package with modules for the installed server.
    pub(crate) one: PathBuf,
    /// A package with modules for the next version, too. It is the newer of these two.
    pub(crate) both: PathBuf,
    /// A package with modules for the next version only.
    pub(crate) next: PathBuf,
}

pub(crate) fn packages() -> &'static Packages {
    static PACKAGES: LazyLock<Packages> = LazyLock::new(|| {
        let next = versions::modules(&versions::next());
        let (ours, next) = (our_modules(), next.path());
        Packages {
            one: package("one", 1_000_000_000, &[&ours]),
            both: package("both", 1_000_000_001, &[next, &ours]),
            next: package("next", 1_000_000_002, &[next]),
        }
    });
    &PACKAGES
}

/// Makes a package of the modules in these directories.
fn package(name: &str, seconds: u64, modules: &[&Path]) -> PathBuf {
    let made = run(script("scripts/deb.sh")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
        .args(modules)
        .env("DEBFULLNAME", "Some Body")
        .env("DEBEMAIL", "somebody@debian.org")
        .env("DPKG_DEB_COMPRESSOR_LEVEL", "0")
        .env("SOURCE_DATE_EPOCH", seconds.to_string()));
    let file = made.lines().last().expect("the script prints the name");
    PathBuf::from(file)
}

fn field(package: &Path, name: &str) -> String {
    run(Command::new("dpkg-deb")
        .arg("--field")
        .args([package, Path::new(name)]))
    .trim()
    .to_owned()
}

/// The commands for a package in README.
fn commands_of_readme() -> Vec<String> {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("README");
    let (_, block) = readme.split_once("```sh\nmake deb\n").expect("the block");
    let (block, _) = block.split_once("```").expect("its end");
    let commands = ["make deb"].into_iter().chain(block.lines());
    commands.map(str::to_owned).collect()
}

#[test]
fn what_readme_says_makes_and_installs_a_package_of_the_installed_server() {
    let Some(root) = Root::with_server() else {
        return;
    };
    let commands = commands_of_readme();
    assert_eq!(
        commands,
        [
            "make deb",
            "sudo apt-get install ./target/debian/kamailio-rust-modules_*.deb"
        ]
    );
    // Building modules for another version would take minutes.
    run(make("deb")
        .arg("FOR=")
        .env("DPKG_DEB_COMPRESSOR_LEVEL", "0"));
    let built = our_modules().parent().expect("a directory").join("debian");
    let found: Vec<PathBuf> = fs::read_dir(&built)
        .expect("a directory of packages")
        .map(|entry| entry.expect("a package").path())
        .collect();
    let [file] = found.as_slice() else {
        panic!("one package, and what was there before is gone: {found:?}");
    };
    run(root.apt_get("install").arg(file));
    assert!(root.version_of(PACKAGE).is_some());

    let [build] = &builds(&root.modules())[..] else {
        panic!("one build");
    };
    assert_eq!(&selected(&root.modules()), build);
    for name in ours() {
        let file = format!("{name}.so");
        let copy = fs::read(build.join(&file)).expect("a module to read");
        let original = fs::read(our_modules().join(&file)).expect("a module to read");
        assert!(copy == original, "{name} is another");
    }
    let documents = root.path("/usr/share/doc/kamailio-rust-modules");
    for name in ["copyright", "changelog.Debian.gz", "docs/ctl.md"] {
        assert!(documents.join(name).is_file(), "{name}");
    }
    let checked = run(root.dpkg().args(["--verify", PACKAGE]));
    assert_eq!(checked, "", "the sums are those of the files");

    let path = format!("mpath=\"{}\"", root.modules().join("rust").display());
    let server = Server::builder(Flavor::C)
        .config(&format!("{path}\nloadmodule \"ctl.so\""))
        .start();
    assert_runs_with(&server, &build.join("ctl.so"));
    drop(server);

    run(root.apt_get("purge").arg(PACKAGE));
    assert_eq!(root.files(), Vec::<PathBuf>::new());
}

#[test]
fn removal_names_the_lines_that_would_take_the_c_modules() {
    let Some(root) = Root::with_server() else {
        return;
    };
    run(root.apt_get("install").arg(&packages().one));
    assert!(root.ctl_that_is_taken().is_ok());
    let removed = output(root.apt_get("remove").arg(PACKAGE));
    // apt gives maintainer scripts a terminal of their own, and passes on what they
    // write there.
    let told = [removed.stdout, removed.stderr].concat();
    let told = String::from_utf8_lossy(&told).replace('\r', "");
    assert!(removed.status.success(), "{told}");
    let config = root.path("/etc/kamailio/kamailio.cfg");
    assert!(
        told.contains(&format!("{}:3\n", config.display())),
        "{told}"
    );
    assert_eq!(builds(&root.modules()), Vec::<PathBuf>::new());
    assert!(!root.modules().join("rust").is_symlink());
}

#[test]
fn a_package_is_not_installed_over_what_make_has_installed() {
    let Some(root) = Root::with_server() else {
        return;
    };
    let list = root.path("/usr/local/share/kamailio-rust-modules/installed");
    fs::create_dir_all(list.parent().expect("a folder")).expect("a directory");
    fs::write(list, "").expect("a list of files");
    let refused = output(root.dpkg().arg("--install").arg(&packages().one));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{told}");
    assert!(told.contains("`make uninstall`"), "{told}");
    assert_eq!(root.version_of(PACKAGE), None);
}

#[test]
fn a_package_that_was_built_later_is_newer() {
    let Some(root) = Root::with_server() else {
        return;
    };
    let newer = |left: &str, right: &str| {
        let mut compared = Command::new("dpkg");
        compared.args(["--compare-versions", left, "gt", right]);
        output(&mut compared).status.success()
    };
    let Packages { one, both, .. } = packages();
    let [old, new] = [one, both].map(|file| field(file, "Version"));
    assert!(newer(&new, &old), "{new} after {old}");
    // This was the form of versions before they had a time in them.
    let before = format!("0.1.0+kamailio{}-1", versions::installed());
    assert!(newer(&old, &before), "{old} after {before}");

    run(root.apt_get("install").arg(one));
    run(root.apt_get("install").arg(both));
    assert_eq!(root.version_of(PACKAGE), Some(new));
}

#[test]
fn the_oldest_server_is_the_only_bound_on_versions_of_the_installed_server() {
    if Root::with_server().is_none() {
        return;
    }
    let file = &packages().both;
    let depends = field(file, "Depends");
    let bound = format!("kamailio (>= {}~)", versions::installed());
    assert!(depends.split(", ").any(|one| one == bound), "{depends}");
    // With an upper bound an upgrade of the server would remove this package, and the
    // server would load the C modules.
    assert_eq!(depends.matches(" kamailio ").count(), 1, "{depends}");
    let description = field(file, "Description");
    let both = format!("Kamailio {} {}", versions::installed(), versions::next());
    assert!(description.contains(&both), "{description}");
}

#[test]
fn lintian_finds_nothing_that_is_not_explained() {
    if Root::with_server().is_none() {
        return;
    }
    let lintian = Command::new("lintian").arg("--version").output();
    if lintian.is_err() {
        eprintln!("NOT TESTED: lintian is not installed");
        return;
    }
    let checked = output(
        Command::new("lintian")
            .args(["--profile", "debian", "--fail-on", "error,warning"])
            .arg(&packages().both),
    );
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stdout)
    );
}

#[test]
fn the_changelog_is_one_of_debians() {
    let Some(root) = Root::with_server() else {
        return;
    };
    let file = &packages().one;
    run(root.apt_get("install").arg(file));
    let changelog = root.path("/usr/share/doc/kamailio-rust-modules/changelog.Debian.gz");
    let text = run(Command::new("gzip").arg("-dc").arg(changelog));
    let plain = root.path("/changelog");
    fs::write(&plain, text).expect("a file");
    let parsed = output(
        Command::new("dpkg-parsechangelog")
            .args(["--show-field", "Version", "-l"])
            .arg(&plain),
    );
    assert_eq!(String::from_utf8_lossy(&parsed.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&parsed.stdout).trim(),
        field(file, "Version")
    );
}
