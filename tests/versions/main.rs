//! The results of the live tests with each Kamailio, which docs/versions.json keeps and
//! a table in README.md shows. `scripts/versions.sh` runs this.
//!
//! ```text
//! versions left-out ORIGIN make|cmake            the tests that are left out
//! versions record ORIGIN make|cmake LIST LOG     keeps what a run has printed
//! versions report                                writes the table again
//! ```
//!
//! ORIGIN is a file with the version and the commit of the sources, LIST is the output
//! of the test programs for `--list`, and LOG is their output.
#![forbid(unsafe_code)]

mod left_out;
mod results;
mod table;

use std::env;
use std::fs;
use std::process::ExitCode;

use left_out::LeftOut;
use results::{Build, Results, Run};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["left-out", origin, build] => {
            for rule in LeftOut::all() {
                if rule.is_for(&Build::read(&text(origin), build)) {
                    println!("{}", rule.test);
                }
            }
        }
        ["record", origin, build, list, log] => {
            let build = Build::read(&text(origin), build);
            let run = Run::read(build, &text(list), &text(log));
            let mut results = Results::kept();
            results.replace(run);
            results.keep();
        }
        ["report"] => Results::kept().write_table(),
        _ => {
            eprintln!("versions: left-out, record or report; see tests/versions/main.rs");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn text(file: &str) -> String {
    // Tests print what servers have sent them, which is not always text.
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    String::from_utf8_lossy(&bytes).into_owned()
}
