//! The workflow of the public forge and the container image: whatever they name must
//! exist. `scripts/fresh.sh image` does what the image's file says.

use std::fs;
use std::path::{Path, PathBuf};

use harness::make::{output, run, script};
use harness::modules::workspace;
use yaml_rust2::{Yaml, YamlLoader};

fn read(name: &str) -> String {
    let file = workspace().join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn workflows() -> Vec<PathBuf> {
    let directory = workspace().join(".github/workflows");
    let entries = fs::read_dir(directory).expect("workflows");
    entries.map(|entry| entry.expect("a file").path()).collect()
}

fn parse(file: &Path) -> Yaml {
    let text = fs::read_to_string(file).expect("a workflow to read");
    let mut documents =
        YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    assert_eq!(documents.len(), 1, "{file:?}");
    documents.remove(0)
}

fn jobs(workflow: &Yaml) -> impl Iterator<Item = (&str, &Yaml)> {
    let jobs = workflow["jobs"].as_hash().expect("jobs by their names");
    jobs.iter()
        .map(|(name, job)| (name.as_str().expect("a name is text"), job))
}

/// The commands of all steps.
fn commands(workflow: &Yaml) -> Vec<String> {
    let steps = jobs(workflow).flat_map(|(_, job)| job["steps"].as_vec().expect("steps"));
    steps
        .filter_map(|step| step["run"].as_str())
        .map(str::to_owned)
        .collect()
}

/// Asserts that targets of `make` and scripts in a command exist.
fn check(command: &str) {
    let makefile = read("Makefile");
    for part in command.split("&&").map(str::trim) {
        let mut words = part.split_whitespace();
        match words.next() {
            Some("make") => {
                for target in words.filter(|word| !word.contains('=')) {
                    assert!(
                        makefile
                            .lines()
                            .any(|line| line.starts_with(&format!("{target}:"))),
                        "{part}: make knows no {target}"
                    );
                }
            }
            Some(name) if name.starts_with("scripts/") => {
                assert!(workspace().join(name).is_file(), "{part}");
            }
            _ => (),
        }
    }
}

#[test]
fn the_workflow_runs_what_is_here_on_each_debian() {
    for file in workflows() {
        let workflow = parse(&file);
        let commands = commands(&workflow);
        for command in &commands {
            check(command);
        }
        for wanted in ["make test", "make deb", "make doc"] {
            assert!(
                commands.iter().any(|command| command == wanted),
                "{wanted} is missing among {commands:?}"
            );
        }
        let releases = &workflow["jobs"]["test"]["strategy"]["matrix"]["debian"];
        let releases: Vec<_> = releases.as_vec().expect("a list").iter().collect();
        let names: Vec<_> = releases.iter().filter_map(|name| name.as_str()).collect();
        assert_eq!(names, ["12", "13", "testing"]);
    }
}

#[test]
fn jobs_wait_for_jobs_that_exist() {
    for file in workflows() {
        let workflow = parse(&file);
        let names: Vec<&str> = jobs(&workflow).map(|(name, _)| name).collect();
        for (name, job) in jobs(&workflow) {
            for needed in job["needs"].as_vec().into_iter().flatten() {
                let needed = needed.as_str().expect("a name");
                assert!(names.contains(&needed), "{name} needs {needed}");
            }
        }
    }
}

#[test]
fn the_image_is_made_of_what_is_here_and_runs_as_an_ordinary_user() {
    let file = read("Containerfile");
    let instructions: Vec<(&str, &str)> = file
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let of = |name: &'static str| {
        let found = instructions.iter().filter(move |(found, _)| *found == name);
        found.map(|(_, arguments)| *arguments)
    };
    of("RUN").for_each(check);
    for arguments in of("COPY").filter(|arguments| !arguments.starts_with("--from")) {
        let (sources, _) = arguments.rsplit_once(' ').expect("a target");
        for source in sources.split(' ') {
            assert!(workspace().join(source).exists(), "COPY {arguments}");
        }
    }
    assert_eq!(of("USER").next_back(), Some("kamailio"));
    assert!(of("FROM").all(|image| image.starts_with("debian:13")));
}

#[test]
fn the_notes_of_a_release_are_its_section_of_the_changelog() {
    let version = env!("CARGO_PKG_VERSION");
    let copy = tempfile::tempdir().expect("a directory");
    let path = copy.path();
    fs::create_dir(path.join("scripts")).expect("our own directory");
    for name in [
        "Cargo.toml",
        "scripts/common.sh",
        "scripts/release-notes.sh",
    ] {
        fs::copy(workspace().join(name), path.join(name)).expect("our own directory");
    }
    let changelog = format!(
        "# Changelog\n\n## [Unreleased]\n\n- later\n\n## [{version}] - 2026-12-01\n\n\
         ### Added\n\n- this\n\n## [0.0.1]\n\n- before\n"
    );
    fs::write(path.join("CHANGELOG.md"), changelog).expect("our own directory");
    let notes = |version: &str| {
        let mut command = script(path.join("scripts/release-notes.sh"));
        command.arg(version);
        command
    };
    assert_eq!(run(&mut notes(version)), "### Added\n\n- this\n");

    let refused = output(&mut notes("9.9.9"));
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr);
    assert!(
        told.contains("the version of this tree is"),
        "a tag that is not the tree's version: {told}"
    );
}
