//! Rounds of requests, and their costs.

use std::fs;
use std::time::Instant;

use harness::process::{forget_peak, private_kib, private_peak_kib};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

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

/// The sides of a comparison, or something about each of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sides<T> {
    /// The C module, if it has this transport.
    pub(crate) c: Option<T>,
    pub(crate) ours: T,
    /// A process that sends each request back as it came, and waits for it in its read.
    pub(crate) echo: T,
    /// An echo that waits as a server with several sockets must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) polling_echo: Option<T>,
}

impl<T> Sides<T> {
    fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let echoes = std::iter::once(&mut self.echo).chain(&mut self.polling_echo);
        self.c.iter_mut().chain([&mut self.ours]).chain(echoes)
    }

    fn map<U>(self, change: impl Fn(T) -> U) -> Sides<U> {
        Sides {
            c: self.c.map(&change),
            ours: change(self.ours),
            echo: change(self.echo),
            polling_echo: self.polling_echo.map(&change),
        }
    }
}

/// One of the processes under comparison.
pub(crate) struct Side {
    asker: Box<dyn Asker>,
    pid: Pid,
    cost: Cost,
}

/// The cost of a side's requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// The microseconds of CPU time per request, round by round.
    pub(crate) cpu: Vec<f64>,
    /// The requests per second, round by round.
    pub(crate) rate: Vec<f64>,
    /// The bytes of a reply.
    pub(crate) reply: usize,
    pub(crate) memory: Memory,
}

impl Cost {
    /// Adds the cost of later requests.
    fn add(&mut self, later: Cost) {
        self.cpu.extend(later.cpu);
        self.rate.extend(later.rate);
        self.reply = later.reply;
        self.memory.peak = self.memory.peak.max(later.memory.peak);
        self.memory.after = later.memory.after;
    }
}

impl Sides<Cost> {
    /// Adds the costs of another pass on the same sides.
    pub(crate) fn add(&mut self, mut later: Sides<Cost>) {
        for (cost, later) in self.iter_mut().zip(later.iter_mut()) {
            cost.add(std::mem::take(later));
        }
    }
}

/// The RAM of a process in KiB, without files and shared memory.
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
