//! Rounds of requests, and what they cost.

use std::fs;
use std::time::Instant;

use harness::binrpc::{Client, request};
use rpc_wire::binrpc::client::Arg;
use rustix::process::Pid;

use crate::servers::Kind;

/// A request, and how it is asked.
pub(crate) struct Load {
    pub(crate) name: &'static str,
    pub(crate) in_flight: usize,
    request: Vec<u8>,
    count: usize,
}

impl Load {
    /// `count` requests a round, `in_flight` of them at a time.
    pub(crate) fn new(name: &'static str, args: &[&str], in_flight: usize, count: usize) -> Self {
        let args: Vec<Arg> = args.iter().map(|arg| Arg::from(*arg)).collect();
        Load {
            name,
            in_flight,
            request: request(name, &args, 1),
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
    client: Client,
    kind: Kind,
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
    pub(crate) fn new(kind: Kind, client: Client, pid: Pid) -> Self {
        Side {
            client,
            kind,
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
            self.send(load);
            for _ in 0..load.in_flight {
                self.bytes = self.client.receive().expect("the server answers").len();
            }
        }
    }

    /// On a stream all requests leave in one write; a datagram holds one.
    fn send(&mut self, load: &Load) {
        let sent = if self.kind.is_stream() {
            self.client.send(&load.request.repeat(load.in_flight))
        } else {
            (0..load.in_flight).try_for_each(|_| self.client.send(&load.request))
        };
        sent.expect("the server reads");
    }

    pub(crate) fn result(self) -> Cost {
        Cost {
            cpu: Spread::of(self.cpu),
            rate: Spread::of(self.rates).median,
            bytes: self.bytes,
        }
    }
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
