//! The CPU time, the rates and the memory of requests: `benchmarks.json`, the page and the
//! chart.

mod aims;
mod chart;
mod document;
mod groups;
mod results;
#[cfg(test)]
mod tests;

use crate::page::{kept_in, read, write};
pub use results::{Cost, Memory, Results, Row, Sides, Spread};

/// The file that keeps the results.
const FILE: &str = "benchmarks.json";
const PAGE: &str = "benchmarks.md";
const CHART: &str = "benchmarks.svg";

/// The results in the file.
///
/// # Panics
///
/// The file is missing, or is not one of ours.
#[must_use]
pub fn kept() -> Results {
    let kept = kept_in(FILE).unwrap_or_else(|error| panic!("{FILE}: {error}"));
    kept.unwrap_or_else(|| panic!("{FILE} is missing"))
}

/// Writes these results into the file, the page and the chart. Parts of one commit on one machine
/// are put together; those of another one are dropped, and so is a file that cannot be read.
///
/// # Panics
///
/// A file cannot be written.
pub fn keep(new: Results) {
    let results = match kept_in::<Results>(FILE) {
        Ok(Some(kept)) if kept.machine.is_same_but_for_date(&new.machine) => kept.with(new),
        _ => new,
    };
    write(FILE, &results.json());
    write_pages(&results);
}

/// Writes the page and the chart.
///
/// # Panics
///
/// A file cannot be written.
pub fn write_pages(results: &Results) {
    write(PAGE, &document::with_results(&read(PAGE), results));
    write(CHART, &chart::draw(results));
}
