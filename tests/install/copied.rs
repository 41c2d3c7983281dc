//! The files that `make install` copies.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use harness::make::{make, output, run};
use harness::modules::{Flavor, c_modules, ours};
use harness::server::{Server, short_directory};

use super::{assert_runs_with, files, selected};

#[test]
fn below_a_prefix_a_server_takes_them_through_its_module_path() {
    let prefix = short_directory();
    let prefix_is = format!("PREFIX={}", prefix.path().display());
    run(make("install").arg(&prefix_is));
    let modules = prefix.path().join("lib/kamailio/modules");
    let build = selected(&modules);
    let modules = modules.join("rust");
    for name in ours() {
        let file = modules.join(format!("{name}.so"));
        let mode = fs::metadata(&file)
            .expect("every module is installed")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o644, "{}", file.display());
    }

    // The server takes C's module if the path does not name ours.
    let path = format!("{}:{}", modules.display(), c_modules().display());
    let server = Server::builder(Flavor::C)
        .config(&format!("mpath=\"{path}\"\nloadmodule \"ctl.so\""))
        .start();
    assert_runs_with(&server, &build.join("ctl.so"));
    drop(server);

    run(make("uninstall").arg(&prefix_is));
    assert_eq!(files(prefix.path()), Vec::<PathBuf>::new());
}

#[test]
fn uninstall_leaves_what_is_not_ours() {
    let prefix = short_directory();
    let prefix_is = format!("PREFIX={}", prefix.path().display());
    run(make("install").arg(&prefix_is));
    let foreign = selected(&prefix.path().join("lib/kamailio/modules")).join("other.so");
    fs::write(&foreign, "another's").expect("a file can be written");
    run(make("uninstall").arg(&prefix_is));
    let left = foreign.strip_prefix(prefix.path()).expect("below it");
    assert_eq!(files(prefix.path()), [left]);
    // The second time there is nothing to do, which is not a failure.
    run(make("uninstall").arg(&prefix_is));
}

#[test]
fn by_default_they_go_into_a_folder_beside_the_c_modules_of_the_installed_server() {
    let staged = short_directory();
    run(make("install").arg(format!("DESTDIR={}", staged.path().display())));
    let installed = files(staged.path());
    let module = installed
        .iter()
        .find(|file| file.ends_with("ctl.so"))
        .unwrap_or_else(|| panic!("no ctl.so among {installed:?}"));
    let c_module = Path::new("/").join(module);
    let c_module = c_module
        .parent()
        .and_then(Path::parent)
        .expect("two folders");
    assert!(c_module.join("ctl.so").is_file(), "{}", c_module.display());
    for page in [
        "share/doc/kamailio-rust-modules/README.md",
        "share/doc/kamailio-rust-modules/docs/ctl.md",
        "share/doc/kamailio-rust-modules/LICENSE",
        "share/man/man7/kamailio-rust-ctl.7",
        "share/man/man8/kamailio-rust-modules.8",
        "sbin/kamailio-rust-modules",
        "lib/systemd/system/kamailio.service.d/kamailio-rust-modules.conf",
    ] {
        let page = Path::new("usr/local").join(page);
        assert!(
            installed.contains(&page),
            "{page:?} is not among {installed:?}"
        );
    }
    run(make("uninstall").arg(format!("DESTDIR={}", staged.path().display())));
    assert_eq!(files(staged.path()), Vec::<PathBuf>::new());
}

#[test]
fn without_modules_it_says_what_to_do_first() {
    let empty = short_directory();
    let refused = output(
        make("install")
            .arg(format!("PREFIX={}", empty.path().display()))
            .env("CARGO_TARGET_DIR", empty.path()),
    );
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("run make first"), "{told}");
}

#[test]
fn a_prefix_that_is_no_path_is_refused() {
    let refused = output(make("install").arg("PREFIX=usr"));
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(told.contains("a path that begins with /"), "{told}");
}
