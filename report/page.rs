//! Documents that programs write: a part of a page between two comments, and a file
//! with the data that this part shows.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The path of a file among the documents.
fn file(name: &str) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let workspace = workspace.expect("this package is a folder of the workspace");
    workspace.join("docs").join(name)
}

/// The contents of a file among the documents.
///
/// # Panics
///
/// It cannot be read.
#[must_use]
pub fn read(name: &str) -> String {
    let file = file(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Writes a file among the documents and says so.
///
/// # Panics
///
/// It cannot be written.
pub fn write(name: &str, text: &str) {
    let file = file(name);
    fs::write(&file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    println!("written: docs/{name}");
}

/// What a JSON file of the documents keeps, if it is there.
///
/// # Errors
///
/// It keeps something else.
///
/// # Panics
///
/// It cannot be read.
pub fn kept_in<T: DeserializeOwned>(name: &str) -> serde_json::Result<Option<T>> {
    match file(name).exists() {
        true => serde_json::from_str(&read(name)).map(Some),
        false => Ok(None),
    }
}

/// Results as such a file keeps them.
///
/// # Panics
///
/// They have a key that is not a text, which none of ours has.
#[must_use]
pub fn json(results: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(results).expect("numbers and names");
    format!("{text}\n")
}

/// The page with `text` in place of what is between these two comments, each of which
/// is a line.
///
/// # Panics
///
/// The page lacks one of them.
#[must_use]
pub fn with_part(page: &str, start: &str, end: &str, text: &str) -> String {
    let parts = page
        .split_once(start)
        .and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
    let (before, after) = parts.expect("two comments in the page say where the part goes");
    format!("{before}{start}\n{text}\n{end}{after}")
}

/// Writes a number with commas between thousands.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let (head, rest) = digits.split_at(head);
    let mut groups: Vec<&str> = Vec::new();
    if !head.is_empty() {
        groups.push(head);
    }
    groups.extend((0..rest.len() / 3).map(|group| &rest[group * 3..group * 3 + 3]));
    groups.join(",")
}
