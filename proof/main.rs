//! Long runs against live servers, with our modules and with the C ones: mutated
//! requests on every transport, and a million requests of mixed kinds.
//!
//! A whole run writes `docs/proof.json`, and shows it in `docs/proof.md`.
#![forbid(unsafe_code)]

mod hostile;
mod kinds;
mod link;
mod log;
mod million;
mod mutate;
mod probe;
mod protocol;
mod seeds;
mod settle;
mod subject;

use std::env;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use harness::machine;
use report::proof::hostile::Run as Hostile;
use report::proof::million::Run as Million;
use report::proof::{self, Results};

/// A run that is shorter, or only a part, is kept only if the user says so.
const SECONDS: u64 = 600;
const REQUESTS: u64 = 1_000_000;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let only = variable("ONLY").unwrap_or_default();
    let is_recorded = variable("RECORD").as_deref() == Some("yes");
    match args[..] {
        ["hostile"] => hostile(&only, is_recorded),
        ["million"] => million(&only, is_recorded),
        _ => {
            eprintln!("hostile or million");
            ExitCode::FAILURE
        }
    }
}

fn hostile(only: &str, is_recorded: bool) -> ExitCode {
    let machine = machine::this();
    let seconds = number("HOSTILE_SECONDS").unwrap_or(SECONDS);
    let seed = number("SEED").unwrap_or_else(any_seed);
    println!("SEED={seed} makes the same requests again");
    let outcomes = hostile::run(Duration::from_secs(seconds), seed, only);
    let has_failed = outcomes.iter().any(|it| !it.failures.is_empty());
    let run = Hostile {
        machine,
        seconds,
        seed,
        outcomes,
    };
    println!("\n{}", proof::hostile::tables(&run));
    if is_recorded || seconds >= SECONDS && only.is_empty() {
        proof::keep(&Results {
            hostile: Some(run),
            ..proof::kept()
        });
    }
    status(has_failed)
}

fn million(only: &str, is_recorded: bool) -> ExitCode {
    let machine = machine::this();
    let requests = number("REQUESTS").unwrap_or(REQUESTS);
    let outcomes = million::run(requests, only);
    let has_failed = outcomes.iter().any(|it| !it.failures.is_empty());
    let run = Million {
        machine,
        requests,
        outcomes,
    };
    println!("\n{}", proof::million::tables(&run));
    if is_recorded || requests >= REQUESTS && only.is_empty() {
        proof::keep(&Results {
            million: Some(run),
            ..proof::kept()
        });
    }
    status(has_failed)
}

fn status(has_failed: bool) -> ExitCode {
    match has_failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}

/// The value of a variable, if it is set and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn number(name: &str) -> Option<u64> {
    let value = variable(name)?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(1, |now| now.as_secs())
}
