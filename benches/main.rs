//! What a request costs, in CPU time of the process that answers it, with the
//! C module and with ours on the same server, and with a bare echo on the same
//! kind of socket as the floor.
//!
//! All sides run at the same time and are asked in turn, round by round, so
//! that whatever else the machine does hits all alike. The client has one
//! processor and the servers another. CPU time comes from
//! `/proc/PID/schedstat`, in nanoseconds.
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

use binrpc::Question;
use measure::{Side, compare};
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
    table::head();
    if !jsonrpc::is_all_of(only) {
        binrpc(only);
    }
    jsonrpc::measure(only);
    ExitCode::SUCCESS
}

fn binrpc(only: &str) {
    let pair = Pair::start();
    pair.fill("small", SMALL);
    for kind in KINDS {
        let echo = echo::Echo::start(kind.name());
        for question in questions(kind) {
            let name = question.load.name;
            if name.contains(only) || kind.name().contains(only) {
                measure_one(kind, &question, &pair, &echo);
            }
        }
    }
    if "large dump".contains(only) {
        large_dump(&pair);
    }
}

/// What is asked, with one request in flight and with many.
fn questions(kind: Kind) -> Vec<Question> {
    let many = if kind.is_stream() { 32 } else { 8 };
    let mut questions = Vec::new();
    for in_flight in [1, many] {
        questions.extend([
            Question::new("core.version", &[], in_flight, 8_000),
            Question::new("core.echo", &["hello", "world"], in_flight, 8_000),
            Question::new("core.psx", &[], in_flight, 4_000),
            Question::new("htable.dump", &["small"], in_flight, 800),
        ]);
    }
    questions
}

fn measure_one(kind: Kind, question: &Question, pair: &Pair, echo: &echo::Echo) {
    let side = |client, pid| Side::new(question.by(client, kind), pid);
    let sides = [
        side(pair.theirs.client(kind), pair.theirs.pid()),
        side(pair.ours.client(kind), pair.ours.pid()),
        side(echo.client(kind), echo.pid()),
    ];
    let [theirs, ours, floor] = compare(sides, &question.load, ROUNDS);
    table::row(
        kind.name(),
        &question.load,
        Some(&theirs),
        &ours,
        Some(&floor),
    );
}

/// The reply that the C module needs a process with much private memory for.
fn large_dump(pair: &Pair) {
    pair.fill("large", LARGE);
    println!("\nhtable.dump of {LARGE} entries over a Unix stream socket");
    for (name, server) in [("C", &pair.theirs), ("ours", &pair.ours)] {
        let before = server.resident_kib();
        let dump = Question::new("htable.dump", &["large"], 1, 1);
        let client = server.client(Kind::UnixStream);
        let side = Side::new(dump.by(client, Kind::UnixStream), server.pid());
        let [result] = compare([side], &dump.load, 3);
        println!(
            "{name:>5}: {:8.1} ms, {:.1} ms CPU, {} bytes, resident memory {before} KiB before, {} KiB after",
            1e3 / result.rate,
            result.cpu.median / 1e3,
            result.bytes,
            server.resident_kib()
        );
    }
}
