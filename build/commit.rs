//! The build script of `kamailio`, which finds the commit that is built.
//!
//! It is a script of its own because its answer changes with every commit: that of
//! `kamailio-core` takes long, and runs only when headers or the glue have changed.
//!
//! For Rust code it sets the variable `KSRRS_COMMIT`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the commit where the sources lie outside git, as in an archive of them.
const GIVEN: &str = "KAMAILIO_RS_COMMIT";

/// What modules are made of. A change in it that is not committed is marked.
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

/// How much of a commit's name is told. Git's own abbreviation is longer where it has
/// many objects, and the same sources shall give the same modules everywhere.
const DIGITS: usize = 12;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    println!("cargo::rerun-if-env-changed={GIVEN}");
    let commit = given()
        .or_else(|| Repository::at(&root)?.commit())
        .unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=KSRRS_COMMIT={commit}");
}

/// A text in which there is nothing that cannot stand in a line of an answer.
fn given() -> Option<String> {
    env::var(GIVEN)
        .ok()
        .filter(|commit| !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// The repository whose top the sources are.
struct Repository<'a> {
    root: &'a Path,
}

impl<'a> Repository<'a> {
    /// Sources that were unpacked inside another project's repository are not part
    /// of it, so git is not asked to look any further up.
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

    /// Has cargo run this again when another commit is checked out or made, or when
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

    /// What git prints, if it is there and succeeds.
    fn git(&self, args: &[&str]) -> Option<String> {
        let mut command = Command::new("git");
        // Inside a hook of git's these name the repository that has called it.
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

/// A branch may lie packed with others and has no file then; the next commit makes
/// one, which changes the directory. Cargo takes a missing file for a changed one.
fn existing(path: &Path) -> PathBuf {
    path.ancestors()
        .find(|path| path.exists())
        .unwrap_or(path)
        .to_owned()
}

fn rerun_if_changed(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
