//! The part of the document that a run writes.

use super::aims::Aim;
use super::groups::{Group, by_transport};
use super::results::{Cost, Memory, Results, Row, Spread};
use crate::page::{grouped, with_part};

/// The comments in the page around that part.
const START: &str = "<!-- written by make bench from here -->\n";
const END: &str = "<!-- written by make bench up to here -->\n";

/// The page with these results in place of the old ones.
///
/// # Panics
///
/// The page lacks one of the comments around them.
pub(super) fn with_results(page: &str, results: &Results) -> String {
    with_part(page, START, END, &written(results))
}

fn written(results: &Results) -> String {
    let groups = by_transport(results);
    let mut text = results.machine.table();
    text += &aims(&groups);
    for (title, rows) in &groups {
        text += &format!("\n### {title}\n\n{}", costs(rows));
    }
    text + &memory(&groups)
}

fn aims(groups: &[Group<'_>]) -> String {
    let (mut count, mut missed) = (0, String::new());
    for (title, rows) in groups {
        for row in rows {
            let Some((aim, is_met)) = judged(row) else {
                continue;
            };
            count += 1;
            if !is_met {
                let at = aim.measured(row).map_or(0.0, |spread| spread.median);
                missed += &format!(
                    "- {title}, `{}`, {} in flight: {at:.2}, not {}\n",
                    row.request,
                    row.in_flight,
                    shown_aim(aim)
                );
            }
        }
    }
    let met = count - missed.lines().count();
    let end = if missed.is_empty() { "." } else { "; missed:" };
    format!("\n{met} of {count} aims are met{end}\n\n{missed}")
}

fn judged(row: &Row) -> Option<(Aim, bool)> {
    let aim = Aim::of(row)?;
    Some((aim, aim.is_met(row)?))
}

fn costs(rows: &[&Row]) -> String {
    let mut table = "| request | in flight | C module | ours | ours / C | bare echo | ours / echo \
                     | ours / echo that polls | C, requests/s | ours, requests/s | aim |\n\
                     | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --- |\n"
        .to_owned();
    for row in rows {
        let none = || "none".to_owned();
        table += &format!(
            "| `{}` | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            row.request,
            row.in_flight,
            row.costs.c.as_ref().map_or_else(none, time),
            time(&row.costs.ours),
            row.of_c().map_or_else(none, |spread| format!(
                "**{:.2}** ({:.2}–{:.2})",
                spread.median, spread.low, spread.high
            )),
            time(&row.costs.echo),
            ratio(row.of_echo().median),
            row.of_polling_echo()
                .map_or_else(String::new, |spread| ratio(spread.median)),
            row.costs.c.as_ref().map_or_else(none, rate),
            rate(&row.costs.ours),
            judged(row).map_or_else(String::new, |(aim, is_met)| {
                let verdict = if is_met { "met" } else { "**missed**" };
                format!("{}: {verdict}", shown_aim(aim))
            }),
        );
    }
    table
}

fn shown_aim(aim: Aim) -> String {
    match aim {
        Aim::OfC(limit) => format!("at most {limit:.2} of C"),
        Aim::OfEcho(limit) => format!("at most {limit:.2} of the echo"),
    }
}

/// Writes CPU time per request in a suitable unit.
fn time(cost: &Cost) -> String {
    let Spread { median, low, high } = Spread::of(&cost.cpu);
    let (unit, name) = if median < 1e3 {
        (1.0, "µs")
    } else {
        (1e3, "ms")
    };
    let digits = if median / unit < 10.0 { 2 } else { 0 };
    format!(
        "{:.digits$} {name} ({:.digits$}–{:.digits$})",
        median / unit,
        low / unit,
        high / unit
    )
}

fn rate(cost: &Cost) -> String {
    let Spread { median, low, high } = Spread::of(&cost.rate);
    let shown = |rate: f64| match rate {
        ..10.0 => format!("{rate:.1}"),
        _ => grouped(rate as u64),
    };
    format!("{} ({}–{})", shown(median), shown(low), shown(high))
}

/// Writes a ratio with as many digits as are meaningful.
fn ratio(ratio: f64) -> String {
    let digits = if ratio < 10.0 { 2 } else { 0 };
    format!("{ratio:.digits$}")
}

/// The memory of the processes before and after all requests with small replies, before
/// and after those with large ones, and at most meanwhile.
fn memory(groups: &[Group<'_>]) -> String {
    let mut table = "\n### Resident memory\n\n\
                     In MiB, of the process that answers, without files and shared memory.\n\n\
                     | transport | requests | C module: before | at most | after \
                     | ours: before | at most | after |\n\
                     | --- | --- | --: | --: | --: | --: | --: | --: |\n"
        .to_owned();
    for (title, rows) in groups {
        let (large, small): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is_large());
        table += &memory_line(title, "all with smaller replies", &small);
        for row in large {
            table += &memory_line(title, &format!("`{}`", row.request), &[row]);
        }
    }
    table
}

/// The memory that the rows took, one after the other.
fn memory_line(title: &str, requests: &str, rows: &[&Row]) -> String {
    let sides: [fn(&Row) -> Option<&Cost>; 2] =
        [|row| row.costs.c.as_ref(), |row| Some(&row.costs.ours)];
    let [c, ours] = sides.map(|side| {
        let costs: Option<Vec<&Cost>> = rows.iter().map(|row| side(row)).collect();
        let memory: Vec<&Memory> = costs?.into_iter().map(|cost| &cost.memory).collect();
        let peak = memory.iter().map(|memory| memory.peak).max()?;
        Some([memory.first()?.before, peak, memory.last()?.after])
    });
    let cells = |side: Option<[u64; 3]>| match side {
        Some(kib) => kib
            .map(|kib| format!("{:.1}", kib as f64 / 1024.0))
            .join(" | "),
        None => "none | none | none".to_owned(),
    };
    format!(
        "| {title} | {requests} | {} | {} |\n",
        cells(c),
        cells(ours)
    )
}
