//! Documents that programs write: a part of a page between two comments, and a file
//! with the data that this part shows.

use std::fs;
use std::path::PathBuf;

use crate::modules::workspace;

/// The path of a file among the documents.
#[must_use]
pub fn file(name: &str) -> PathBuf {
    workspace().join("docs").join(name)
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
