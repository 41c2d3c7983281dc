//! The parts of the page that the runs write.

use harness::report::{grouped, with_part};

use crate::results::{Hostile, Million, Results};
use crate::subject::Usage;
use crate::{hostile, million};

const HOSTILE: [&str; 2] = [
    "<!-- written by make hostile from here -->\n",
    "<!-- written by make hostile up to here -->\n",
];
const MILLION: [&str; 2] = [
    "<!-- written by make million from here -->\n",
    "<!-- written by make million up to here -->\n",
];

/// The page with these results in place of the old ones.
pub(crate) fn with_results(page: &str, results: &Results) -> String {
    let none = || "Not run yet.\n".to_owned();
    let attacked = results.hostile.as_ref().map_or_else(none, attacked);
    let asked = results.million.as_ref().map_or_else(none, asked);
    let page = with_part(page, HOSTILE[0], HOSTILE[1], &attacked);
    with_part(&page, MILLION[0], MILLION[1], &asked)
}

/// All tables of a run with mutated requests.
pub(crate) fn attacked(run: &Hostile) -> String {
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

fn servers(outcomes: &[hostile::Outcome]) -> String {
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

fn listeners(outcomes: &[hostile::Outcome]) -> String {
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

/// All tables of a run with many requests.
pub(crate) fn asked(run: &Million) -> String {
    format!(
        "{}\n{} requests for each module.\n\n{}\n{}{}",
        run.machine.table(),
        grouped(run.requests),
        totals(&run.outcomes),
        samples(&run.outcomes),
        failures(run.outcomes.iter().map(|it| (&it.module, &it.failures)))
    )
}

fn totals(outcomes: &[million::Outcome]) -> String {
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

fn samples(outcomes: &[million::Outcome]) -> String {
    let parts: Vec<String> = (0..=10).map(|part| format!("{} %", part * 10)).collect();
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

fn failures<'a>(of: impl Iterator<Item = (&'a String, &'a Vec<String>)>) -> String {
    let lines: String = of
        .flat_map(|(module, failures)| failures.iter().map(move |it| format!("- {module}: {it}\n")))
        .collect();
    match lines.as_str() {
        "" => String::new(),
        _ => format!("\nOurs failed:\n\n{lines}"),
    }
}

fn whose(ours: bool) -> &'static str {
    if ours { "ours" } else { "C" }
}

fn times(count: u64) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "**once**".to_owned(),
        _ => format!("**{} times**", grouped(count)),
    }
}

/// The descriptors, the private and the shared memory before and after.
fn usage(before: Option<&Usage>, after: Option<&Usage>) -> String {
    let (Some(before), Some(after)) = (before, after) else {
        let started = "started again";
        return [started; 3].join(" | ");
    };
    let kib = |bytes: i64| grouped(u64::try_from(bytes).unwrap_or(0) / 1024);
    format!(
        "{} → {} | {} → {} | {} → {}",
        before.descriptors,
        after.descriptors,
        grouped(before.private_kib),
        grouped(after.private_kib),
        kib(before.shared_bytes),
        kib(after.shared_bytes)
    )
}
