//! The runs, and the file that keeps them.

use harness::machine;
use report::page::{json, kept_in, read, write};
use serde::{Deserialize, Serialize};

use crate::left_out::LeftOut;
use crate::table;

/// The name of the file among the documents.
const FILE: &str = "versions.json";

/// The last run for each version and way to build it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) runs: Vec<Run>,
}

/// A Kamailio that was built for tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Build {
    /// The version, such as 6.0.1.
    pub(crate) version: String,
    /// The commit, if it was built from a checkout.
    pub(crate) commit: Option<String>,
    /// The build system, make or cmake.
    pub(crate) with: String,
}

/// The results of the tests with one build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    #[serde(flatten)]
    pub(crate) build: Build,
    /// The date, such as 2026-11-28.
    pub(crate) date: String,
    /// The commit of this project.
    pub(crate) ours: String,
    pub(crate) passed: usize,
    pub(crate) left_out: Vec<Test>,
    pub(crate) failed: Vec<String>,
}

/// A test that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) reason: String,
}

impl Build {
    /// Reads the file that `scripts/server.sh` leaves.
    pub(crate) fn read(origin: &str, with: &str) -> Self {
        let value = |name: &str| {
            let line = origin.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
        };
        Self {
            version: value("version ").expect("the sources have a version"),
            commit: value("commit "),
            with: with.to_owned(),
        }
    }
}

impl Run {
    /// Reads what the test programs have printed.
    pub(crate) fn read(build: Build, list: &str, log: &str) -> Self {
        let results: Vec<(&str, &str)> = log
            .lines()
            .filter_map(|line| line.strip_prefix("test ")?.split_once(" ... "))
            .collect();
        let ending = |wanted: &str| {
            let names = results.iter().filter(|(_, result)| *result == wanted);
            names
                .map(|(name, _)| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        let passed = ending("ok").len();
        assert!(passed > 0, "no test has passed: was there a run?");
        let rules = LeftOut::all();
        let left_out = list
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .filter_map(|name| {
                let mut rules = rules.iter().filter(|rule| rule.is_for(&build));
                let rule = rules.find(|rule| name.contains(rule.test))?;
                Some(Test {
                    name: name.to_owned(),
                    reason: rule.reason.to_owned(),
                })
            })
            .collect();
        let machine = machine::this();
        Self {
            build,
            date: machine.date,
            ours: machine.commit,
            passed,
            left_out,
            failed: ending("FAILED"),
        }
    }
}

impl Results {
    /// The results in the file.
    ///
    /// # Panics
    ///
    /// The file is there, but is not one of ours.
    pub(crate) fn kept() -> Self {
        let kept = kept_in(FILE).unwrap_or_else(|error| panic!("{FILE}: {error}"));
        kept.unwrap_or_default()
    }

    /// Replaces an earlier run with this one, and sorts the runs by version.
    pub(crate) fn replace(&mut self, run: Run) {
        let key = |run: &Run| (run.build.version.clone(), run.build.with.clone());
        self.runs.retain(|kept| key(kept) != key(&run));
        self.runs.push(run);
        self.runs.sort_by_key(key);
    }

    /// Writes the results into the file and the table.
    pub(crate) fn keep(&self) {
        write(FILE, &json(self));
        self.write_table();
    }

    pub(crate) fn write_table(&self) {
        let name = "../README.md";
        write(name, &table::with_results(&read(name), self));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build() -> Build {
        Build::read("version 9.9.9\ncommit 0123456789ab\n", "cmake")
    }

    #[test]
    fn a_run_is_read_from_what_the_test_programs_print() {
        let log = "running 3 tests\ntest a::b ... ok\ntest c has been running for over 60 seconds\n\
                   test c ... FAILED\ntest d ... ignored\n";
        let list = "a::b: test\nc: test\nx::a_package_of_the_installed_server: test\n";
        let run = Run::read(build(), list, log);
        assert_eq!(run.passed, 1);
        assert_eq!(run.failed, ["c"]);
        let left_out: Vec<&str> = run.left_out.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(left_out, ["x::a_package_of_the_installed_server"]);
        assert_eq!(run.build.commit.as_deref(), Some("0123456789ab"));
    }

    #[test]
    fn a_run_takes_the_place_of_the_one_before() {
        let run = Run::read(build(), "", "test a ... ok\n");
        let mut results = Results::default();
        results.replace(run.clone());
        results.replace(run);
        assert_eq!(results.runs.len(), 1);
    }

    #[test]
    fn the_table_in_the_readme_is_made_from_the_file() {
        let results = Results::kept();
        let readme = read("../README.md");
        assert_eq!(
            table::with_results(&readme, &results),
            readme,
            "make versions-report writes it"
        );
        if !results.runs.is_empty() {
            assert_eq!(json(&results), read(FILE));
        }
    }
}
