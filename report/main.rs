//! Writes the pages of the documents again, from the results that their files keep.
#![forbid(unsafe_code)]

use std::env;
use std::process::ExitCode;

use report::{benchmarks, proof};

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("benchmarks") => benchmarks::write_pages(&benchmarks::kept()),
        Some("proof") => proof::write_page(&proof::kept()),
        _ => {
            eprintln!("report: benchmarks or proof");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
