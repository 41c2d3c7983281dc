//! Long runs against live servers: `proof.json`, and the page that shows it.

mod cells;
pub mod hostile;
pub mod million;
#[cfg(test)]
mod tests;
mod usage;

use serde::{Deserialize, Serialize};

use crate::page::{json, kept_in, read, with_part, write};
pub use usage::Usage;

/// The file that keeps the results.
const FILE: &str = "proof.json";
const PAGE: &str = "proof.md";

/// The comments at which the parts of the page begin and end.
const HOSTILE: [&str; 2] = [
    "<!-- written by make hostile from here -->\n",
    "<!-- written by make hostile up to here -->\n",
];
const MILLION: [&str; 2] = [
    "<!-- written by make million from here -->\n",
    "<!-- written by make million up to here -->\n",
];

/// The last run of each kind that was to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Results {
    /// The last run with mutated requests.
    pub hostile: Option<hostile::Run>,
    /// The last run with many requests.
    pub million: Option<million::Run>,
}

/// The results in the file.
///
/// # Panics
///
/// The file is there, but is not one of ours.
#[must_use]
pub fn kept() -> Results {
    let kept = kept_in(FILE).unwrap_or_else(|error| panic!("{FILE}: {error}"));
    kept.unwrap_or_default()
}

/// Writes the results into the file and the page.
///
/// # Panics
///
/// A file cannot be written.
pub fn keep(results: &Results) {
    write(FILE, &json(results));
    write_page(results);
}

/// Writes the page.
///
/// # Panics
///
/// It cannot be written.
pub fn write_page(results: &Results) {
    write(PAGE, &with_results(&read(PAGE), results));
}

/// The page with these results in place of the old ones.
fn with_results(page: &str, results: &Results) -> String {
    let none = || "Not run yet.\n".to_owned();
    let hostile = results.hostile.as_ref().map_or_else(none, hostile::tables);
    let million = results.million.as_ref().map_or_else(none, million::tables);
    let page = with_part(page, HOSTILE[0], HOSTILE[1], &hostile);
    with_part(&page, MILLION[0], MILLION[1], &million)
}
