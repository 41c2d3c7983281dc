//! Rounds of requests, and what they cost.

use std::fs;
use std::time::Instant;

use rustix::process::Pid;

use crate::placement;

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
}

impl Load {
    /// `count` requests a round, `in_flight` of them at a time.
    pub(crate) fn new(name: &'static str, in_flight: usize, count: usize) -> Self {
        Load {
            name,
            in_flight,
            count: count.next_multiple_of(in_flight),
        }
    }
}

/// The middle of several values, and the lowest and the highest.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Spread {
            median: values[values.len() / 2],
            low: values[0],
            high: values[values.len() - 1],
        }
    }
}

/// One of the processes that are compared.
pub(crate) struct Side {
    asker: Box<dyn Asker>,
    pid: Pid,
    cpu: Vec<f64>,
    rates: Vec<f64>,
    bytes: usize,
}

/// What a side's requests cost.
pub(crate) struct Cost {
    /// Microseconds of CPU time per request.
    pub(crate) cpu: Spread,
    /// Requests per second, in the middle.
    pub(crate) rate: f64,
    /// The size of a reply.
    pub(crate) bytes: usize,
}

impl Side {
    /// The process `pid` and a client of it.
    pub(crate) fn new(asker: Box<dyn Asker>, pid: Pid) -> Self {
        Side {
            asker,
            pid,
            cpu: Vec::new(),
            rates: Vec::new(),
            bytes: 0,
        }
    }

    /// Asks one round of requests.
    pub(crate) fn round(&mut self, load: &Load) {
        self.ask(load, load.in_flight);
        let (cpu, start) = (cpu_nanoseconds(self.pid), Instant::now());
        self.ask(load, load.count);
        let count = load.count as f64;
        let used = cpu_nanoseconds(self.pid) - cpu;
        self.cpu.push(used as f64 / 1e3 / count);
        self.rates.push(count / start.elapsed().as_secs_f64());
    }

    fn ask(&mut self, load: &Load, count: usize) {
        for _ in 0..count / load.in_flight {
            self.bytes = self.asker.ask(load.in_flight);
        }
    }

    pub(crate) fn result(self) -> Cost {
        Cost {
            cpu: Spread::of(self.cpu),
            rate: Spread::of(self.rates).median,
            bytes: self.bytes,
        }
    }
}

/// Asks all sides in turn, round by round, and gives their costs in the same
/// order.
pub(crate) fn compare<const N: usize>(
    mut sides: [Side; N],
    load: &Load,
    rounds: usize,
) -> [Cost; N] {
    let _client = placement::Client::place(sides.iter().map(|side| side.pid));
    for _ in 0..rounds {
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
