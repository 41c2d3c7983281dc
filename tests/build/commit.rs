//! The build script that determines the commit, on repositories of every kind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::modules::workspace;
use tempfile::TempDir;

/// The script, compiled, and a directory with sources.
struct Sources {
    directory: TempDir,
    script: PathBuf,
}

impl Sources {
    fn new() -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        let script = directory.path().join("script");
        let compiled = Command::new("rustc")
            .args(["--edition=2024", "-o"])
            .args([&script, &workspace().join("build/commit.rs")])
            .status();
        assert!(compiled.is_ok_and(|status| status.success()), "compiling");
        let sources = Self { directory, script };
        fs::create_dir_all(sources.root().join("src")).expect("the directory is new");
        sources.write("src/lib.rs", "first");
        sources
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("sources")
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.root().join(name), text).expect("the file can be written");
    }

    fn git(&self, directory: &Path, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@localhost", "-C"])
            .arg(directory)
            .args(args)
            .output()
            .expect("git runs");
        assert!(output.status.success(), "git {args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    /// Makes a repository of a directory, and returns its commit.
    fn commit(&self, directory: &Path) -> String {
        self.git(directory, &["init", "-q"]);
        self.git(directory, &["add", "."]);
        self.git(directory, &["commit", "-q", "-m", "a"]);
        self.git(directory, &["rev-parse", "HEAD"])[..12].to_owned()
    }

    /// The commit that the script tells cargo.
    fn told(&self, given: &str) -> String {
        let output = Command::new(&self.script)
            .env("CARGO_MANIFEST_DIR", self.root())
            .env("KAMAILIO_RS_COMMIT", given)
            .output()
            .expect("the script runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn commit_told(&self, given: &str) -> String {
        let told = self.told(given);
        let commit = told
            .lines()
            .find_map(|line| line.strip_prefix("cargo::rustc-env=KSRRS_COMMIT="));
        commit.expect("the script tells a commit").to_owned()
    }
}

#[test]
fn outside_git_the_commit_is_the_one_that_is_given() {
    let sources = Sources::new();
    assert_eq!(sources.commit_told(""), "unknown");
    assert_eq!(sources.commit_told("v1.2-3"), "v1.2-3");
    assert_eq!(sources.commit_told("two\nlines"), "unknown");
}

#[test]
fn a_repository_around_the_sources_is_not_theirs() {
    let sources = Sources::new();
    sources.commit(sources.directory.path());
    assert_eq!(sources.commit_told(""), "unknown");
}

#[test]
fn a_change_of_the_sources_that_is_not_committed_is_marked() {
    let sources = Sources::new();
    let commit = sources.commit(&sources.root());
    assert_eq!(sources.commit_told(""), commit);
    // The modules are not made from this file.
    sources.write("README.md", "new");
    assert_eq!(sources.commit_told(""), commit);
    sources.write("src/lib.rs", "second");
    assert_eq!(sources.commit_told(""), format!("{commit}-dirty"));
    sources.write("src/lib.rs", "first");
    sources.write("src/new.rs", "");
    assert_eq!(sources.commit_told(""), format!("{commit}-dirty"));
}

#[test]
fn cargo_runs_it_again_for_another_commit() {
    let sources = Sources::new();
    sources.commit(&sources.root());
    let branch = sources.git(&sources.root(), &["symbolic-ref", "HEAD"]);
    let git = sources.root().join(".git");
    let watched = |path: &Path| {
        let line = format!("cargo::rerun-if-changed={}\n", path.display());
        sources.told("").contains(&line)
    };
    assert!(watched(&git.join("HEAD")));
    assert!(watched(&git.join(&branch)));
    // A packed branch has no file, and gets one with its next commit.
    sources.git(&sources.root(), &["pack-refs", "--all"]);
    let directory = git.join(&branch);
    assert!(watched(directory.parent().expect("it is below refs")));
}
