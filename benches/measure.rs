//! Rounds of requests, and their costs.

use std::fs;
use std::time::Instant;

use harness::process::{forget_peak, private_kib, private_peak_kib};
use report::benchmarks::{Cost, Sides};
use rustix::process::Pid;

use crate::placement;

/// How often all loads of a module are measured. So a disturbance of half a minute hits
/// some rounds of many loads instead of all rounds of one.
pub(crate) const PASSES: usize = 3;

/// The number of rounds of each side in one pass.
const ROUNDS: usize = 5;

/// The number of rounds of each side in one pass if a request takes about a second.
const ROUNDS_OF_ONE: usize = 1;

/// The number of rounds of each side in all, unless a request takes about a second.
pub(crate) const ALL_ROUNDS: usize = PASSES * ROUNDS;

/// A client of one of the processes under comparison, with a request.
pub(crate) trait Asker {
    /// Sends the request `in_flight` times at once and takes all replies. It returns
    /// the length of the last one.
    fn ask(&mut self, in_flight: usize) -> usize;
}

/// How often something is asked.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) in_flight: usize,
    count: usize,
    rounds: usize,
}

impl Load {
    /// A load of `count` requests a round, `in_flight` of them at a time.
    pub(crate) fn new(name: &'static str, in_flight: usize, count: usize) -> Self {
        Load {
            name,
            in_flight,
            count: count.next_multiple_of(in_flight),
            rounds: ROUNDS,
        }
    }

    /// A load of one request a round, which takes long.
    pub(crate) fn one(name: &'static str) -> Self {
        Load {
            name,
            in_flight: 1,
            count: 1,
            rounds: ROUNDS_OF_ONE,
        }
    }

    /// Whether waiting makes up most of its cost.
    pub(crate) fn is_mostly_waiting(&self) -> bool {
        self.in_flight == 1 && self.name == "core.version"
    }

    /// The number of rounds of each side in all passes.
    pub(crate) fn all_rounds(&self) -> usize {
        PASSES * self.rounds
    }
}

/// One of the processes under comparison.
pub(crate) struct Side {
    asker: Box<dyn Asker>,
    pid: Pid,
    cost: Cost,
}

impl Side {
    /// The process `pid` and a client of it.
    pub(crate) fn new(asker: Box<dyn Asker>, pid: Pid) -> Self {
        forget_peak(pid);
        let mut cost = Cost::default();
        cost.memory.before = private_kib(pid);
        Side { asker, pid, cost }
    }

    /// Sends one round of requests.
    fn round(&mut self, load: &Load) {
        self.ask(load, load.in_flight);
        let (cpu, start) = (cpu_nanoseconds(self.pid), Instant::now());
        self.ask(load, load.count);
        let (used, taken) = (cpu_nanoseconds(self.pid) - cpu, start.elapsed());
        let count = load.count as f64;
        let cpu = used as f64 / 1e3 / count;
        self.cost.cpu.push((cpu * 1e3).round() / 1e3);
        let rate = count / taken.as_secs_f64();
        self.cost.rate.push((rate * 10.0).round() / 10.0);
    }

    fn ask(&mut self, load: &Load, count: usize) {
        for _ in 0..count / load.in_flight {
            self.cost.reply = self.asker.ask(load.in_flight);
        }
    }

    fn result(mut self) -> Cost {
        self.cost.memory.peak = private_peak_kib(self.pid);
        self.cost.memory.after = private_kib(self.pid);
        self.cost
    }
}

/// Sends requests to all sides in turn, round by round, and returns the costs.
pub(crate) fn compare(mut sides: Sides<Side>, load: &Load) -> Sides<Cost> {
    let pids: Vec<Pid> = sides.iter_mut().map(|side| side.pid).collect();
    let _client = placement::Client::place(pids);
    for _ in 0..load.rounds {
        for side in sides.iter_mut() {
            side.round(load);
        }
    }
    sides.map(Side::result)
}

/// The time for which a process has run, in nanoseconds.
fn cpu_nanoseconds(pid: Pid) -> u64 {
    let path = format!("/proc/{}/schedstat", pid.as_raw_nonzero());
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let first = text.split_whitespace().next().unwrap_or_default();
    first
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
