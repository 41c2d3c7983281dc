//! Judges what a memory checker wrote while the live tests ran.
//!
//! ```text
//! memory_reports REPORTS MODULES
//! ```
//!
//! `REPORTS` is the directory of the reports. AddressSanitizer writes a file
//! `address.PID` only for an error, so there may be none. valgrind writes a file
//! `valgrind.PID.xml` for each process; an error in it counts if a frame of its stacks
//! is in one of the libraries below `MODULES`, which are ours. The exit status is 1 if
//! something counts.
#![forbid(unsafe_code)]

mod valgrind;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(reports), Some(modules), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: memory_reports REPORTS MODULES".into());
    };
    let reports = read(&reports)?;
    let by_address = count_addresses(&reports);
    let by_valgrind = count_valgrind(&reports, &fs::canonicalize(modules)?)?;
    Ok(match by_address + by_valgrind {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// The names of the files and their contents.
fn read(directory: &Path) -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let mut reports = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let text = fs::read(entry.path())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        reports.insert(name, String::from_utf8_lossy(&text).into_owned());
    }
    Ok(reports)
}

/// Prints all reports of AddressSanitizer, and returns how many there are.
fn count_addresses(reports: &BTreeMap<String, String>) -> usize {
    let found = reports
        .iter()
        .filter(|(name, _)| name.starts_with("address."))
        .inspect(|(name, text)| println!("{name}:\n{text}"));
    found.count()
}

/// Prints our errors among those that valgrind reports, each once, and returns how many
/// there are.
fn count_valgrind(
    reports: &BTreeMap<String, String>,
    modules: &Path,
) -> Result<usize, Box<dyn Error>> {
    let reports: Vec<&String> = reports
        .iter()
        .filter(|(name, _)| name.starts_with("valgrind."))
        .map(|(_, text)| text)
        .collect();
    if reports.is_empty() {
        return Ok(0);
    }
    let mut others = 0;
    let mut ours: BTreeMap<String, usize> = BTreeMap::new();
    for report in &reports {
        for error in valgrind::errors(report)? {
            if error.is_of(modules) {
                *ours.entry(error.to_string()).or_default() += 1;
            } else {
                others += 1;
            }
        }
    }
    for (error, times) in &ours {
        println!("{times} times: {error}");
    }
    let ended = reports.iter().filter(|text| valgrind::is_whole(text));
    println!(
        "valgrind watched {} processes, {} of them to their own end: {} errors of ours, {others} of others",
        reports.len(),
        ended.count(),
        ours.len(),
    );
    Ok(ours.len())
}
