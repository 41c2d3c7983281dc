//! Mutated requests on every transport of every module, and beside them clients that
//! want to be served.

mod burst;
mod client;
mod run;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::modules::{Flavor, workspace};
use report::proof::Usage;
use report::proof::hostile::Outcome;

use crate::subject::{self, Allowance};
use trial::Trial;

/// Tries all modules at the same time, ours and the C ones.
pub(crate) fn run(time: Duration, seed: u64, only: &str) -> Vec<Outcome> {
    let subjects = [Flavor::Rust, Flavor::C].into_iter().flat_map(subject::all);
    let subjects: Vec<_> = subjects.filter(|it| it.title().contains(only)).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = subjects
            .into_iter()
            .map(|subject| scope.spawn(move || Trial::new(subject).run(time, seed)))
            .collect();
        let outcome = |thread: std::thread::ScopedJoinHandle<'_, Outcome>| {
            thread.join().expect("a trial comes to its end")
        };
        threads.into_iter().map(outcome).collect()
    })
}

/// Finds what is wrong with ours after all of it.
fn judge(outcome: &mut Outcome, allowed: Allowance) {
    if !outcome.ours {
        return;
    }
    let mut failures = Vec::new();
    if outcome.ended + outcome.hung > 0 {
        failures.push(format!(
            "ended {} times, hung {} times",
            outcome.ended, outcome.hung
        ));
    }
    for listener in &outcome.listeners {
        if listener.answered < listener.asked {
            let missing = listener.asked - listener.answered;
            failures.push(format!(
                "{}: {missing} known requests failed",
                listener.transport
            ));
        }
        if listener.requests == 0 || listener.asked == 0 {
            failures.push(format!("{}: nothing was sent", listener.transport));
        }
    }
    if outcome.lines.bug + outcome.lines.critical > 0 {
        failures.push(format!("the log has {:#?}", outcome.lines.shown));
    }
    match (outcome.before, outcome.after) {
        (Some(before), Some(after)) => failures.extend(growth(&before, &after, allowed)),
        _ => failures.push("what the server holds could not be asked".to_owned()),
    }
    outcome.failures.extend(failures);
}

/// Describes what has grown and should not have.
fn growth(before: &Usage, after: &Usage, allowed: Allowance) -> Vec<String> {
    let mut grown = Vec::new();
    if after.descriptors > before.descriptors + allowed.descriptors {
        let (before, after) = (before.descriptors, after.descriptors);
        grown.push(format!("{before} descriptors before and {after} after"));
    }
    if after.private_kib > before.private_kib + allowed.private_kib {
        let (before, after) = (before.private_kib, after.private_kib);
        grown.push(format!("{before} KiB of memory before and {after} after"));
    }
    if after.shared_bytes > before.shared_bytes + allowed.shared_bytes {
        let (before, after) = (before.shared_bytes, after.shared_bytes);
        grown.push(format!(
            "{before} bytes of shared memory before and {after} after"
        ));
    }
    grown
}

/// Writes the last requests to a server of ours that has failed into a file.
fn keep(name: &str, requests: impl IntoIterator<Item = impl AsRef<[u8]>>) -> PathBuf {
    let folder = workspace().join("target/hostile");
    let name: String = name
        .chars()
        .map(|it| if it.is_ascii_alphanumeric() { it } else { '-' })
        .collect();
    let file = folder.join(format!("{name}.txt"));
    let lines: Vec<String> = requests
        .into_iter()
        .map(|request| format!("{}\n", request.as_ref().escape_ascii()))
        .collect();
    must(fs::create_dir_all(&folder), &folder);
    must(fs::write(&file, lines.concat()), &file);
    file
}

fn must(result: std::io::Result<()>, file: &Path) {
    result.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

#[cfg(test)]
mod tests {
    use report::proof::hostile::{Lines, ListenerOutcome};

    use super::*;
    use crate::subject::USUAL;

    const USAGE: Usage = Usage {
        descriptors: 10,
        private_kib: 1000,
        shared_bytes: 5000,
    };

    fn outcome(ours: bool) -> Outcome {
        Outcome {
            module: "ctl".to_owned(),
            ours,
            listeners: vec![ListenerOutcome {
                transport: "UDP".to_owned(),
                requests: 9,
                answers: 8,
                asked: 2,
                answered: 2,
                wrong: 0,
            }],
            ended: 0,
            hung: 0,
            before: Some(USAGE),
            after: Some(USAGE),
            lines: Lines::default(),
            failures: Vec::new(),
        }
    }

    fn failures(change: fn(&mut Outcome)) -> usize {
        let mut ours = outcome(true);
        change(&mut ours);
        judge(&mut ours, USUAL);
        let mut theirs = outcome(false);
        change(&mut theirs);
        judge(&mut theirs, USUAL);
        assert_eq!(theirs.failures.len(), 0, "C is only reported");
        ours.failures.len()
    }

    #[test]
    fn what_counts_as_a_failure_of_ours() {
        assert_eq!(failures(|_| ()), 0);
        assert_eq!(failures(|it| it.ended = 1), 1);
        assert_eq!(failures(|it| it.hung = 1), 1);
        assert_eq!(failures(|it| it.listeners[0].answered = 1), 1);
        assert_eq!(failures(|it| it.listeners[0].requests = 0), 1);
        assert_eq!(failures(|it| it.lines.bug = 1), 1);
        let after = |change: fn(&mut Usage)| {
            let mut ours = outcome(true);
            ours.after.as_mut().map(change);
            judge(&mut ours, USUAL);
            ours.failures.len()
        };
        assert_eq!(after(|it| it.descriptors += 1), 1);
        assert_eq!(after(|it| it.private_kib += USUAL.private_kib + 1), 1);
        assert_eq!(after(|it| it.shared_bytes += USUAL.shared_bytes + 1), 1);
        assert_eq!(after(|it| it.private_kib += USUAL.private_kib), 0);
    }
}
