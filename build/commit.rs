//! The build script of `kamailio`, which determines the commit that is built.
//!
//! It is a script of its own because its result changes with every commit, whereas the
//! script of `kamailio-core` takes long and must only run when headers or the glue have
//! changed.
//!
//! For Rust code it sets the variable `KSRRS_COMMIT`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that names the commit if the sources are not in git, as in an archive
/// of them.
const GIVEN: &str = "KAMAILIO_RS_COMMIT";

/// The sources of the modules. A change in them that is not committed is marked.
const SOURCES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "build",
    "build.rs",
    "examples",
    "include",
    "kamailio-glue",
    "modules",
    "src",
    "wire",
];

/// The number of digits of a commit's name that are kept. Git's own abbreviation is
/// longer in a repository with many objects, but the same sources shall give the same
/// modules everywhere.
const DIGITS: usize = 12;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rerun-if-env-changed={GIVEN}");
    let commit = given()
        .or_else(|| Repository::at(&root)?.commit())
        .unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=KSRRS_COMMIT={commit}");
}

/// The commit that the variable names, if its text fits into a line of an answer.
fn given() -> Option<String> {
    env::var(GIVEN)
        .ok()
        .filter(|commit| !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// A repository whose top directory is that of the sources.
struct Repository<'a> {
    root: &'a Path,
}

impl<'a> Repository<'a> {
    /// Sources that were unpacked inside another project's repository do not belong to
    /// it, so git is not asked to look any further up.
    fn at(root: &'a Path) -> Option<Self> {
        root.join(".git").exists().then_some(Self { root })
    }

    fn commit(&self) -> Option<String> {
        let name = self.git(&["rev-parse", "HEAD"])?;
        self.watch();
        let mut changed = vec!["status", "--porcelain", "--"];
        changed.extend(SOURCES);
        let mark = match self.git(&changed)?.is_empty() {
            true => "",
            false => "-dirty",
        };
        Some(format!("{}{mark}", name.get(..DIGITS)?))
    }

    /// Makes cargo run this again when another commit is made or checked out, or when
    /// the sources differ from it.
    fn watch(&self) {
        for part in SOURCES {
            rerun_if_changed(&self.root.join(part));
        }
        let branch = self.git(&["symbolic-ref", "--quiet", "HEAD"]);
        for name in ["HEAD"].into_iter().chain(branch.as_deref()) {
            if let Some(path) = self.git(&["rev-parse", "--git-path", name]) {
                rerun_if_changed(&existing(&self.root.join(path)));
            }
        }
    }

    /// The output of git, if git is there and succeeds.
    fn git(&self, args: &[&str]) -> Option<String> {
        let mut command = Command::new("git");
        // Inside one of git's hooks these variables name the repository that has called
        // it.
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(variable);
        }
        let output = command
            .arg("--no-optional-locks")
            .arg("-C")
            .arg(self.root)
            .args(args)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim_end().to_owned())
    }
}

/// The file of a branch, or its directory. A branch may be packed with others and have
/// no file; then the next commit creates one, which changes the directory. Cargo would
/// take a missing file for a changed one.
fn existing(path: &Path) -> PathBuf {
    path.ancestors()
        .find(|path| path.exists())
        .unwrap_or(path)
        .to_owned()
}

fn rerun_if_changed(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
