//! Runs what the documents show: a server reads every configuration, and every command
//! runs against a server.
//!
//! A block of code that cannot be run has a comment above it with the reason: `<!-- not
//! run: it restarts the server of this machine -->`.
#![forbid(unsafe_code)]

mod blocks;
mod manual;
mod operator;
mod page;

use std::fs;

use harness::modules::workspace;

use crate::page::{PAGES, Page};

#[test]
fn every_page_is_tried() {
    let mut found = Vec::new();
    for folder in ["", "docs/"] {
        let entries = fs::read_dir(workspace().join(folder)).expect("documents");
        for entry in entries {
            let name = entry.expect("a document").file_name();
            let name = name.to_str().expect("text");
            // The changelog has nothing that could be run.
            if name.ends_with(".md") && name != "CHANGELOG.md" {
                found.push(format!("{folder}{name}"));
            }
        }
    }
    found.sort();
    let mut tried: Vec<&str> = PAGES.iter().map(|page| page.file).collect();
    tried.sort_unstable();
    assert_eq!(tried, found);
}

#[test]
fn configurations_are_accepted() {
    for page in PAGES {
        page.check_configurations();
    }
}

#[test]
fn commands_work() {
    std::thread::scope(|scope| {
        for page in PAGES.iter().filter(|page| page.has_commands()) {
            scope.spawn(|| page.run_commands());
        }
    });
}

#[test]
fn links_lead_somewhere() {
    for page in PAGES {
        page.check_links();
    }
}

#[test]
fn a_block_that_is_not_tried_gives_a_reason() {
    let untried = |page: &Page| {
        page.blocks()
            .into_iter()
            .filter(|block| block.language.is_empty() && block.excuse.is_none())
            .map(|block| format!("{}:{}", page.file, block.line))
            .collect::<Vec<_>>()
    };
    let untried: Vec<String> = PAGES.iter().flat_map(untried).collect();
    assert!(untried.is_empty(), "neither tried nor excused: {untried:?}");
}
