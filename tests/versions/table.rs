//! The table in README.md.

use std::fmt::Write as _;

use report::page::with_part;

use crate::results::{Results, Run, Test};

const START: &str = "<!-- versions: make versions-report writes this table -->";
const END: &str = "<!-- end of versions -->";

/// The page with these results in it.
pub(crate) fn with_results(page: &str, results: &Results) -> String {
    if results.runs.is_empty() {
        return with_part(page, START, END, "No run is recorded yet.");
    }
    let mut text = String::from(
        "| Kamailio | built with | tests that passed | failed | left out | run |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for run in &results.runs {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {}, commit {} |",
            kamailio(run),
            match run.build.with.as_str() {
                "cmake" => "CMake",
                with => with,
            },
            run.passed,
            failed(run),
            left_out(&run.left_out),
            run.date,
            run.ours
        );
    }
    with_part(page, START, END, text.trim_end())
}

fn kamailio(run: &Run) -> String {
    match &run.build.commit {
        Some(commit) => format!("{}, commit {commit}", run.build.version),
        None => run.build.version.clone(),
    }
}

fn failed(run: &Run) -> String {
    let names: Vec<String> = run.failed.iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "none".to_owned(),
        count => format!("{count}: {}", names.join(", ")),
    }
}

/// Each reason with the number of tests that it leaves out.
fn left_out(tests: &[Test]) -> String {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for test in tests {
        match reasons
            .iter_mut()
            .find(|(reason, _)| *reason == test.reason)
        {
            Some((_, count)) => *count += 1,
            None => reasons.push((&test.reason, 1)),
        }
    }
    let parts: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{count}: {reason}"))
        .collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join("; ")
    }
}
