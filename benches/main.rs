//! Measures the CPU time of a request in the process that answers it, with the C module
//! and with ours on the same server. A bare echo on the same kind of socket is the
//! lower bound.
//!
//! All sides run at the same time and are asked in turn, round by round, so that any
//! disturbance of the machine hits all alike. The client has one processor and the
//! servers another. The CPU time comes from `/proc/PID/schedstat`, in nanoseconds.
//!
//! A whole run writes `docs/benchmarks.json`, and shows it in `docs/benchmarks.md` and
//! in the chart beside it.
#![forbid(unsafe_code)]

mod binrpc;
mod echo;
mod json_clients;
mod jsonrpc;
mod measure;
mod placement;
mod servers;
mod table;

use std::env;
use std::process::ExitCode;

use harness::machine;
use measure::ALL_ROUNDS;
use report::benchmarks::{self, Results};

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["echo", kind, place, waits] => return echo::run(kind, place, waits),
        // A part goes into the document only if the user says so.
        ["record", only] => benchmarks::keep(measure(only)),
        [only] if !only.is_empty() => drop(measure(only)),
        _ => benchmarks::keep(measure("")),
    }
    ExitCode::SUCCESS
}

/// Measures the loads with `only` in their names.
fn measure(only: &str) -> Results {
    println!(
        "CPU time per request in microseconds (median of {ALL_ROUNDS} rounds, lowest to highest)"
    );
    println!("and requests per second of one client. C: the C module. Echo: a bare loop.\n");
    table::head();
    let mut results = Results {
        machine: machine::this(),
        rows: Vec::new(),
    };
    if !jsonrpc::is_all_of(only) {
        binrpc::measure(only, &mut results);
    }
    jsonrpc::measure(only, &mut results);
    results
}
