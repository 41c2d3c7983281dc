//! The results of a million requests of mixed kinds.

use serde::{Deserialize, Serialize};

use super::cells::{failures, usage, whose};
use super::usage::Usage;
use crate::machine::Machine;
use crate::page::grouped;

/// The number of parts of a run. The memory is measured after each.
pub const PARTS: u64 = 10;

/// A run on all servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The machine on which it ran.
    pub machine: Machine,
    /// The number of requests to each server.
    pub requests: u64,
    /// The outcomes for all servers.
    pub outcomes: Vec<Outcome>,
}

/// The result of a million requests to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The module.
    pub module: String,
    /// Whether it is this project's module instead of the C module.
    pub ours: bool,
    /// The number of requests. For `tcpops` it is the number of calls from the script.
    pub requests: u64,
    /// The number of answers.
    pub answers: u64,
    /// The number of connections that clients made.
    pub connections: u64,
    /// The duration of the run.
    pub seconds: u64,
    /// How often no answer came to the known request behind a burst, which shows that
    /// all before it were answered.
    pub missing: u64,
    /// The memory in KiB at the start and after each part.
    pub samples: Vec<u64>,
    /// The usage before the first request that counts.
    pub before: Usage,
    /// The usage at the end. It is `None` if the server has ended.
    pub after: Option<Usage>,
    /// What should not have happened to ours.
    pub failures: Vec<String>,
}

impl Outcome {
    /// The growth of memory from the first part to the last, if the server lived that long.
    #[must_use]
    pub fn growth(&self) -> Option<i64> {
        if self.samples.len() as u64 != PARTS + 1 {
            return None;
        }
        let first = i64::try_from(*self.samples.get(1)?).ok()?;
        let last = i64::try_from(*self.samples.last()?).ok()?;
        Some(last - first)
    }
}

/// All tables of a run.
#[must_use]
pub fn tables(run: &Run) -> String {
    format!(
        "{}\n{} requests for each module.\n\n{}\n{}{}",
        run.machine.table(),
        grouped(run.requests),
        totals(&run.outcomes),
        samples(&run.outcomes),
        failures(run.outcomes.iter().map(|it| (&it.module, &it.failures)))
    )
}

fn totals(outcomes: &[Outcome]) -> String {
    let mut table = "| module | | requests | connections | seconds | not answered | descriptors \
                     | private memory, KiB | shared memory, KiB |\n\
                     | --- | --- | --: | --: | --: | --: | --: | --: | --: |\n"
        .to_owned();
    for outcome in outcomes {
        table += &format!(
            "| `{}` | {} | {} | {} | {} | {} | {} |\n",
            outcome.module,
            whose(outcome.ours),
            grouped(outcome.requests),
            grouped(outcome.connections),
            grouped(outcome.seconds),
            grouped(outcome.missing),
            usage(Some(&outcome.before), outcome.after.as_ref()),
        );
    }
    table
}

fn samples(outcomes: &[Outcome]) -> String {
    let parts: Vec<String> = (0..=PARTS)
        .map(|part| format!("{} %", part * 100 / PARTS))
        .collect();
    let mut table = format!(
        "Private memory in KiB, all processes that answer together:\n\n\
         | module | | {} | from 10 % to 100 % |\n| --- | --- |{} --: |\n",
        parts.join(" | "),
        " --: |".repeat(parts.len())
    );
    for outcome in outcomes {
        let mut cells: Vec<String> = outcome.samples.iter().copied().map(grouped).collect();
        cells.resize(parts.len(), "ended".to_owned());
        let growth = match outcome.growth() {
            Some(growth) if outcome.samples.len() == parts.len() => format!("{growth:+}"),
            _ => "ended".to_owned(),
        };
        table += &format!(
            "| `{}` | {} | {} | {growth} |\n",
            outcome.module,
            whose(outcome.ours),
            cells.join(" | ")
        );
    }
    table
}
