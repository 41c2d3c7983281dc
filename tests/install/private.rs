//! A root of its own for packages. The package manager of the system works in a
//! directory, with a database, a configuration and hooks in it, and without the rights
//! of root. `DPKG_ROOT` tells maintainer scripts about it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::make::{output, run};
use harness::modules::{c_modules, kamailio};
use tempfile::TempDir;

use super::versions;

/// The package under test.
pub(crate) const PACKAGE: &str = "kamailio-rust-modules";

/// The path at which Debian's package installs the server.
const SERVER: &str = "/usr/sbin/kamailio";

/// A root with a Kamailio that was installed from a package.
pub(crate) struct Root {
    directory: TempDir,
}

impl Root {
    /// Makes a root with the server of this system, if that and the tools are Debian's.
    pub(crate) fn with_server() -> Option<Self> {
        if ["dpkg-deb", "dpkg-shlibdeps", "apt-get"]
            .iter()
            .any(|program| !has(program))
        {
            eprintln!("NOT TESTED: only Debian has the programs that make and install packages");
            return None;
        }
        if fs::canonicalize(kamailio()).ok() != fs::canonicalize(SERVER).ok() {
            eprintln!("NOT TESTED: the server is not one that a package has installed");
            return None;
        }
        let directory = harness::server::short_directory();
        let root = Root { directory };
        for name in [
            "hooks",
            "root/etc/apt/preferences.d",
            "root/etc/kamailio",
            "root/var/cache/apt/archives/partial",
            "root/var/lib/apt/lists/partial",
            "root/var/lib/dpkg/info",
            "root/var/lib/dpkg/updates",
            "root/var/log",
        ] {
            fs::create_dir_all(root.directory.path().join(name)).expect("a directory");
        }
        for name in ["status", "available"] {
            let file = root.path("/var/lib/dpkg").join(name);
            fs::write(file, "").expect("an empty database");
        }
        fs::write(root.configuration(), root.apt_configuration()).expect("a configuration of apt");
        let package = root.server_package(&versions::installed());
        run(root.dpkg().arg("--install").arg(package));
        Some(root)
    }

    /// The real path of what has this absolute path in the root.
    pub(crate) fn path(&self, absolute: &str) -> PathBuf {
        let inside = absolute.strip_prefix('/').expect("an absolute path");
        self.directory.path().join("root").join(inside)
    }

    /// The directory of the installed modules.
    pub(crate) fn modules(&self) -> PathBuf {
        self.path(c_modules().to_str().expect("text"))
    }

    /// The path of the installed server.
    pub(crate) fn server(&self) -> PathBuf {
        self.path(SERVER)
    }

    pub(crate) fn dpkg(&self) -> Command {
        let mut command = Command::new("dpkg");
        command.args(self.dpkg_options());
        self.inside(command)
    }

    /// The command apt-get, which answers all questions with yes.
    pub(crate) fn apt_get(&self, action: &str) -> Command {
        // Hooks name programs by their paths in the root.
        let hook = self.path("/etc/apt/apt.conf.d/50kamailio-rust-modules");
        if let Ok(text) = fs::read_to_string(&hook) {
            let tool = format!(
                " {}",
                self.path("/usr/sbin/kamailio-rust-modules").display()
            );
            let text = text.replace(" /usr/sbin/kamailio-rust-modules", &tool);
            fs::write(self.hooks().join("50hook"), text).expect("a hook");
        }
        let mut command = Command::new("apt-get");
        command.args(["-y", action]);
        self.inside(command)
    }

    /// The program that selects builds.
    pub(crate) fn tool(&self, action: &str) -> Command {
        let mut command = Command::new(self.path("/usr/sbin/kamailio-rust-modules"));
        command.arg(action);
        self.inside(command)
    }

    /// The command that systemd runs before it starts the server.
    pub(crate) fn start_of_service(&self) -> Command {
        let unit =
            self.path("/usr/lib/systemd/system/kamailio.service.d/kamailio-rust-modules.conf");
        let text = fs::read_to_string(unit).expect("a drop-in for the server's unit");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStartPre=-+"))
            .expect("a command that root runs, and that may fail");
        let mut words = line.split(' ');
        let mut command = Command::new(self.path(words.next().expect("a program")));
        command.args(words);
        self.inside(command)
    }

    /// A package with the server of this system as it would be in a version.
    pub(crate) fn server_package(&self, version: &str) -> PathBuf {
        let files = self.directory.path().join(version);
        fs::create_dir_all(files.join("DEBIAN")).expect("a directory");
        fs::create_dir_all(files.join("usr/sbin")).expect("a directory");
        let program = files.join("usr/sbin/kamailio");
        versions::copy(&kamailio(), &program, version);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a program");
        let architecture = run(Command::new("dpkg").arg("--print-architecture"));
        // The libraries that our package needs are in no package here.
        let control = format!(
            "Package: kamailio\nVersion: {version}-1\nArchitecture: {architecture}\
             Maintainer: Nobody <nobody@example.com>\n\
             Provides: libc6 (= 99), libgcc-s1 (= 99)\nDescription: a server for tests\n"
        );
        fs::write(files.join("DEBIAN/control"), control).expect("a description");
        let package = self
            .directory
            .path()
            .join(format!("kamailio_{version}-1_all.deb"));
        run(Command::new("dpkg-deb")
            .args(["-z0", "--root-owner-group", "--build"])
            .args([&files, &package]));
        package
    }

    /// The version of an installed package.
    pub(crate) fn version_of(&self, package: &str) -> Option<String> {
        let mut query = Command::new("dpkg-query");
        query.arg(format!("--root={}", self.path("/").display()));
        query.args([
            "--show",
            "--showformat=${db:Status-Status} ${Version}",
            package,
        ]);
        let found = output(&mut query).stdout;
        let found = String::from_utf8_lossy(&found).into_owned();
        found.strip_prefix("installed ").map(str::to_owned)
    }

    /// Lets the server look for all modules among ours first, and returns what becomes
    /// of `ctl`: the file that was loaded, or the server's complaint.
    pub(crate) fn ctl_that_is_taken(&self) -> Result<PathBuf, String> {
        let config = self.path("/etc/kamailio/kamailio.cfg");
        let ours = self.modules().join("rust");
        let theirs = c_modules();
        let text = format!(
            "debug=3\nlog_stderror=yes\nmpath=\"{}:{}\"\nloadmodule \"ctl.so\"\n\
             request_route {{\n    drop;\n}}\n",
            ours.display(),
            theirs.display()
        );
        fs::write(&config, text).expect("a configuration");
        let ended = output(Command::new(self.server()).arg("-c").arg("-f").arg(&config));
        let log = String::from_utf8_lossy(&ended.stderr).into_owned();
        if !ended.status.success() {
            return Err(log);
        }
        let (_, rest) = log.split_once("trying to load <").expect("a module");
        let (file, _) = rest.split_once('>').expect("a path in angle brackets");
        Ok(fs::canonicalize(file).expect("a file"))
    }

    /// All our files and all links below this root, without what the package manager
    /// keeps.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = super::files(&self.path("/"));
        files.retain(|file| !file.starts_with("var") && file != Path::new("usr/sbin/kamailio"));
        files
    }

    fn dpkg_options(&self) -> [String; 4] {
        [
            format!("--root={}", self.path("/").display()),
            format!("--log={}", self.path("/var/log/dpkg.log").display()),
            "--force-not-root".to_owned(),
            "--force-script-chrootless".to_owned(),
        ]
    }

    fn hooks(&self) -> PathBuf {
        self.directory.path().join("hooks")
    }

    fn configuration(&self) -> PathBuf {
        self.directory.path().join("apt.conf")
    }

    fn apt_configuration(&self) -> String {
        let options: Vec<String> = self
            .dpkg_options()
            .iter()
            .map(|option| format!("\"{option}\";"))
            .collect();
        format!(
            "Dir \"{root}\";\n\
             Dir::State::status \"{status}\";\n\
             Dir::Etc::sourcelist \"/dev/null\";\n\
             Dir::Etc::sourceparts \"/dev/null\";\n\
             Dir::Etc::parts \"{hooks}\";\n\
             DPkg::Options {{ {options} }};\n\
             APT::Sandbox::User \"root\";\n\
             Debug::NoLocking \"true\";\n",
            root = self.path("/").display(),
            status = self.path("/var/lib/dpkg/status").display(),
            options = options.join(" "),
            hooks = self.hooks().display(),
        )
    }

    fn inside(&self, mut command: Command) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("APT_CONFIG", self.configuration())
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("DPKG_ROOT", self.path("/"))
            // dpkg needs programs that only root's PATH has.
            .env("PATH", format!("{path}:/usr/local/sbin:/usr/sbin:/sbin"))
            .env_remove("KAMAILIO_RUST_MODULES");
        command
    }
}

fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
