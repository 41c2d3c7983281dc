//! What a request costs, in CPU time of the process that answers it, with the
//! C module and with ours on the same server, and with a bare echo on the same
//! kind of socket as the floor.
//!
//! All sides run at the same time and are asked in turn, round by round, so
//! that whatever else the machine does hits all alike. CPU time comes from
//! `/proc/PID/schedstat`, in nanoseconds.
#![forbid(unsafe_code)]

mod echo;
mod measure;
mod servers;
mod table;

use std::env;
use std::process::ExitCode;

use measure::{Load, Side};
use servers::{KINDS, Kind, Pair};

/// Rounds of each side; the table shows the median and the spread.
const ROUNDS: usize = 7;

/// Entries of the small table and of the large one that `htable.dump` shows.
const SMALL: usize = 100;
const LARGE: usize = 100_000;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [word, kind, place] = args.as_slice()
        && word == "echo"
    {
        return echo::run(kind, place);
    }
    let only = args.first().map(String::as_str).unwrap_or_default();
    println!("CPU time per request in microseconds (median of {ROUNDS} rounds, lowest to highest)");
    println!("and requests per second of one client. C: the C module. Echo: a bare loop.\n");
    let pair = Pair::start();
    pair.fill("small", SMALL);
    table::head();
    for kind in KINDS {
        let echo = echo::Echo::start(kind);
        for load in loads(kind) {
            if load.name.contains(only) || kind.name().contains(only) {
                measure_one(kind, &load, &pair, &echo);
            }
        }
    }
    if "large dump".contains(only) {
        large_dump(&pair);
    }
    ExitCode::SUCCESS
}

/// What is asked, with one request in flight and with many.
fn loads(kind: Kind) -> Vec<Load> {
    let many = if kind.is_stream() { 32 } else { 8 };
    let mut loads = Vec::new();
    for in_flight in [1, many] {
        loads.push(Load::new("core.version", &[], in_flight, 8_000));
        loads.push(Load::new(
            "core.echo",
            &["hello", "world"],
            in_flight,
            8_000,
        ));
        loads.push(Load::new("core.psx", &[], in_flight, 4_000));
        loads.push(Load::new("htable.dump", &["small"], in_flight, 800));
    }
    loads
}

fn measure_one(kind: Kind, load: &Load, pair: &Pair, echo: &echo::Echo) {
    let mut sides = [
        Side::new(kind, pair.theirs.client(kind), pair.theirs.pid()),
        Side::new(kind, pair.ours.client(kind), pair.ours.pid()),
        Side::new(kind, echo.client(), echo.pid()),
    ];
    for _ in 0..ROUNDS {
        for side in &mut sides {
            side.round(load);
        }
    }
    let [theirs, ours, floor] = sides.map(Side::result);
    table::row(kind, load, &theirs, &ours, &floor);
}

/// The reply that the C module needs a process with much private memory for.
fn large_dump(pair: &Pair) {
    pair.fill("large", LARGE);
    println!("\nhtable.dump of {LARGE} entries over a Unix stream socket");
    for (name, server) in [("C", &pair.theirs), ("ours", &pair.ours)] {
        let before = server.resident_kib();
        let mut side = Side::new(
            Kind::UnixStream,
            server.client(Kind::UnixStream),
            server.pid(),
        );
        for _ in 0..3 {
            side.round(&Load::new("htable.dump", &["large"], 1, 1));
        }
        let result = side.result();
        println!(
            "{name:>5}: {:8.1} ms, {:.1} ms CPU, {} bytes, resident memory {before} KiB before, {} KiB after",
            1e3 / result.rate,
            result.cpu.median / 1e3,
            result.bytes,
            server.resident_kib()
        );
    }
}
