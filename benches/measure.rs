//! Rounds of requests, and what they cost.

use std::fs;
use std::time::Instant;

use harness::process::{forget_peak, private_kib, private_peak_kib};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::placement;

/// Rounds of each side.
pub(crate) const ROUNDS: usize = 7;

/// Rounds of each side where a request takes about a second.
const ROUNDS_OF_ONE: usize = 3;

/// A client of one of the processes that are compared, with a request.
pub(crate) trait Asker {
    /// Sends the request so many times at once and takes all replies. Returns
    /// how many bytes the last of them has.
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
    /// `count` requests a round, `in_flight` of them at a time.
    pub(crate) fn new(name: &'static str, in_flight: usize, count: usize) -> Self {
        Load {
            name,
            in_flight,
            count: count.next_multiple_of(in_flight),
            rounds: ROUNDS,
        }
    }

    /// One request a round, which takes long.
    pub(crate) fn one(name: &'static str) -> Self {
        Load {
            name,
            in_flight: 1,
            count: 1,
            rounds: ROUNDS_OF_ONE,
        }
    }
}

/// One of the processes that are compared.
pub(crate) struct Side {
    asker: Box<dyn Asker>,
    pid: Pid,
    cost: Cost,
}

/// What a side's requests cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Microseconds of CPU time per request, round by round.
    pub(crate) cpu: Vec<f64>,
    /// Requests per second, round by round.
    pub(crate) rate: Vec<f64>,
    /// Bytes of a reply.
    pub(crate) reply: usize,
    pub(crate) memory: Memory,
}

/// RAM of a process in KiB, without files and shared memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) before: u64,
    pub(crate) peak: u64,
    pub(crate) after: u64,
}

impl Side {
    /// The process `pid` and a client of it.
    pub(crate) fn new(asker: Box<dyn Asker>, pid: Pid) -> Self {
        forget_peak(pid);
        let mut cost = Cost::default();
        cost.memory.before = private_kib(pid);
        Side { asker, pid, cost }
    }

    /// Asks one round of requests.
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

/// Asks all sides in turn, round by round, and gives their costs in the same
/// order.
pub(crate) fn compare<const N: usize>(mut sides: [Side; N], load: &Load) -> [Cost; N] {
    let _client = placement::Client::place(sides.iter().map(|side| side.pid));
    for _ in 0..load.rounds {
        for side in &mut sides {
            side.round(load);
        }
    }
    sides.map(Side::result)
}

/// How long a process has run, in nanoseconds.
fn cpu_nanoseconds(pid: Pid) -> u64 {
    let path = format!("/proc/{}/schedstat", pid.as_raw_nonzero());
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let first = text.split_whitespace().next().unwrap_or_default();
    first
        .parse()
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}
