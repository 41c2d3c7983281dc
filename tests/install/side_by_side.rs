//! Builds for several servers in one directory, and the name that leads to the build
//! for the installed server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::make::{make, output, run, script};
use harness::modules::{kamailio, our_modules, ours};
use harness::server::short_directory;
use tempfile::TempDir;

use super::{builds, selected, versions};

/// A directory into which modules are installed, like one below a prefix.
struct Prefix(TempDir);

impl Prefix {
    fn new() -> Self {
        Prefix(short_directory())
    }

    fn modules(&self) -> PathBuf {
        self.0.path().join("lib/kamailio/modules")
    }

    fn install(&self, modules: &Path) -> Output {
        output(
            script("scripts/install.sh")
                .arg("install")
                .arg(modules)
                .env("PREFIX", self.0.path())
                .env("KAMAILIO_BIN", kamailio()),
        )
    }

    fn tool(&self, action: &str, server: &Path) -> Output {
        output(
            Command::new(self.0.path().join("sbin/kamailio-rust-modules"))
                .arg(action)
                .env("KAMAILIO_PROGRAM", server),
        )
    }
}

#[track_caller]
fn told(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn a_folder_is_named_after_the_server_that_its_modules_fit() {
    let prefix = Prefix::new();
    told(&prefix.install(&our_modules()));
    let [build] = &builds(&prefix.modules())[..] else {
        panic!("one build");
    };
    assert_eq!(&selected(&prefix.modules()), build);
    let name = build.file_name().and_then(|name| name.to_str());
    let id = name
        .and_then(|name| name.strip_prefix(&format!("rust-{}-", versions::installed())))
        .unwrap_or_else(|| panic!("{}", build.display()));
    assert!(
        id.len() == 8 && id.chars().all(|digit| digit.is_ascii_hexdigit()),
        "{id}"
    );
}

#[test]
fn modules_for_another_server_are_put_beside_and_the_link_stays() {
    let prefix = Prefix::new();
    told(&prefix.install(&our_modules()));
    let first = selected(&prefix.modules());
    let other = versions::modules(&versions::next());
    let text = told(&prefix.install(other.path()));
    assert!(
        text.contains("not for the server that is installed"),
        "{text}"
    );
    assert_eq!(builds(&prefix.modules()).len(), 2);
    assert_eq!(selected(&prefix.modules()), first);

    let status = told(&prefix.tool("status", &kamailio()));
    let name = |build: &Path| {
        build
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let second = builds(&prefix.modules())
        .into_iter()
        .find(|build| *build != first);
    let second = second.expect("another one");
    assert!(
        status.contains(&format!("{}: fits the server, selected\n", name(&first))),
        "{status}"
    );
    assert!(
        status.contains(&format!("{}: for another server\n", name(&second))),
        "{status}"
    );

    // This stands for an upgrade of the server.
    let server = prefix.0.path().join("kamailio");
    versions::copy(&kamailio(), &server, &versions::next());
    told(&prefix.tool("select", &server));
    assert_eq!(selected(&prefix.modules()), second);

    run(make("uninstall").arg(format!("PREFIX={}", prefix.0.path().display())));
    assert!(!prefix.modules().exists(), "both are removed");
}

#[test]
fn the_directory_of_version_0_1_0_is_replaced_by_the_link() {
    let prefix = Prefix::new();
    let old = prefix.modules().join("rust");
    fs::create_dir_all(&old).expect("a directory");
    for name in ours() {
        let file = format!("{name}.so");
        fs::copy(our_modules().join(&file), old.join(&file)).expect("a copy");
    }
    told(&prefix.install(&our_modules()));
    assert_eq!(builds(&prefix.modules()), [selected(&prefix.modules())]);
}

#[test]
fn a_foreign_file_in_the_old_directory_stays_and_is_named() {
    let prefix = Prefix::new();
    let old = prefix.modules().join("rust");
    fs::create_dir_all(&old).expect("a directory");
    fs::copy(our_modules().join("ctl.so"), old.join("ctl.so")).expect("a copy");
    fs::write(old.join("other.so"), "another's").expect("a file");
    let text = told(&prefix.install(&our_modules()));
    assert!(text.contains("a file that is not ours, other.so"), "{text}");
    for name in ["ctl.so", "other.so"] {
        assert!(old.join(name).is_file(), "{name} is gone");
    }
    assert!(!old.is_symlink());
}

#[test]
fn modules_of_several_servers_in_one_directory_are_refused() {
    let prefix = Prefix::new();
    let mixed = versions::modules(&versions::installed());
    let file = mixed.path().join("tcpops.so");
    versions::copy(&our_modules().join("tcpops.so"), &file, &versions::next());
    let refused = prefix.install(mixed.path());
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{text}");
    assert!(text.contains("is for another server than"), "{text}");
    assert_eq!(super::files(prefix.0.path()), Vec::<PathBuf>::new());
}

#[test]
fn folders_of_a_package_are_not_installed_over() {
    let prefix = Prefix::new();
    let programs = short_directory();
    let query = programs.path().join("dpkg-query");
    fs::write(&query, "#!/bin/sh\necho \"some-package: $2\"\n").expect("a program");
    fs::set_permissions(&query, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = std::env::var("PATH").unwrap_or_default();
    let refused = output(
        script("scripts/install.sh")
            .arg("install")
            .arg(our_modules())
            .env("PREFIX", prefix.0.path())
            .env("PATH", format!("{}:{path}", programs.path().display())),
    );
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{text}");
    assert!(
        text.contains("belongs to the package some-package"),
        "{text}"
    );
    assert_eq!(super::files(prefix.0.path()), Vec::<PathBuf>::new());
}
