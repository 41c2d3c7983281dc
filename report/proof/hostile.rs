//! The results of mutated requests.

use serde::{Deserialize, Serialize};

use super::cells::{failures, usage, whose};
use super::usage::Usage;
use crate::machine::Machine;
use crate::page::grouped;

/// A run on all servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The machine on which it ran.
    pub machine: Machine,
    /// The seconds for which each listener was attacked.
    pub seconds: u64,
    /// The seed of the random numbers.
    pub seed: u64,
    /// The outcomes for all servers.
    pub outcomes: Vec<Outcome>,
}

/// The outcome for one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The name of the module, and what is special about this server.
    pub module: String,
    /// Whether it is this project's module instead of the C module.
    pub ours: bool,
    /// The outcomes for all listeners.
    #[serde(rename = "lanes")]
    pub listeners: Vec<ListenerOutcome>,
    /// How often the server ended.
    pub ended: u64,
    /// How often a transport did not answer any more.
    pub hung: u64,
    /// The usage before the attack.
    pub before: Option<Usage>,
    /// The usage at the end. It is `None` if the server is not the one that was
    /// started.
    pub after: Option<Usage>,
    /// The lines that it logged.
    pub lines: Lines,
    /// What should not have happened to ours.
    pub failures: Vec<String>,
}

/// The outcome for one listener.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerOutcome {
    /// The transport.
    pub transport: String,
    /// The number of mutated requests.
    pub requests: u64,
    /// The number of answers to them.
    pub answers: u64,
    /// The number of known requests that were sent meanwhile.
    pub asked: u64,
    /// The number of right answers to known requests.
    pub answered: u64,
    /// The number of wrong answers to known requests.
    pub wrong: u64,
}

/// Lines of the levels that no client should be able to provoke.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lines {
    /// The number of lines of the level `BUG`.
    pub bug: u64,
    /// The number of lines of the levels `CRITICAL` and `ALERT`.
    pub critical: u64,
    /// The first of these lines, without the number of the process.
    #[serde(skip)]
    pub shown: Vec<String>,
}

/// All tables of a run.
#[must_use]
pub fn tables(run: &Run) -> String {
    let sum = |ours| -> u64 {
        let outcomes = run.outcomes.iter().filter(|it| it.ours == ours);
        outcomes
            .flat_map(|it| &it.listeners)
            .map(|listener| listener.requests)
            .sum()
    };
    format!(
        "{}\n{} s, seed {}: {} requests to ours and {} to the C modules.\n\n{}\n{}{}",
        run.machine.table(),
        grouped(run.seconds),
        run.seed,
        grouped(sum(true)),
        grouped(sum(false)),
        servers(&run.outcomes),
        listeners(&run.outcomes),
        failures(run.outcomes.iter().map(|it| (&it.module, &it.failures)))
    )
}

fn servers(outcomes: &[Outcome]) -> String {
    let mut table = "| server | | ended | stopped answering | descriptors | private memory, KiB \
                     | shared memory, KiB | log: `BUG` | `CRITICAL` |\n\
                     | --- | --- | --: | --: | --: | --: | --: | --: | --: |\n"
        .to_owned();
    for outcome in outcomes {
        table += &format!(
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            outcome.module,
            whose(outcome.ours),
            times(outcome.ended),
            times(outcome.hung),
            usage(outcome.before.as_ref(), outcome.after.as_ref()),
            grouped(outcome.lines.bug),
            grouped(outcome.lines.critical),
        );
    }
    table
}

fn listeners(outcomes: &[Outcome]) -> String {
    let mut table = "| server | transport | | hostile requests | answers | known requests \
                     | answered rightly |\n\
                     | --- | --- | --- | --: | --: | --: | --: |\n"
        .to_owned();
    for outcome in outcomes {
        for listener in &outcome.listeners {
            table += &format!(
                "| {} | {} | {} | {} | {} | {} | {} |\n",
                outcome.module,
                listener.transport,
                whose(outcome.ours),
                grouped(listener.requests),
                grouped(listener.answers),
                grouped(listener.asked),
                grouped(listener.answered),
            );
        }
    }
    table
}

fn times(count: u64) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "**once**".to_owned(),
        _ => format!("**{} times**", grouped(count)),
    }
}
