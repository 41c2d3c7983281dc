//! The attack on one listener.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use harness::modules::Flavor;

use super::burst::Burst;
use super::client::Clients;
use super::keep;
use super::trial::Trial;
use crate::link::ServerAddress;
use crate::mutate::Mutator;
use crate::probe::{self, Outcome};
use crate::seeds;
use crate::subject::Listener;

/// A client that wants to be served comes after this many requests, or this time.
const REQUESTS: usize = 500;
const TIME: Duration = Duration::from_secs(1);

/// The number of requests that are remembered for finding a cause.
const REMEMBERED: usize = 200;

/// The length of the longest request over a stream or a pipe, and in a datagram.
const LONGEST: usize = 1 << 21;
const LONGEST_DATAGRAM: usize = 65_000;

/// A listener, and what was done to it.
pub(super) struct Attack<'a> {
    trial: &'a Trial,
    number: usize,
    listener: &'a Listener,
    mutator: Mutator,
    clients: Clients<'a>,
    last: VecDeque<Vec<u8>>,
    since_probe: (usize, Instant),
    probes: u32,
}

impl<'a> Attack<'a> {
    pub(super) fn new(trial: &'a Trial, number: usize, seed: u64) -> Self {
        let listener = &trial.subject.listeners[number];
        let longest = match &listener.address {
            ServerAddress::UnixDatagram(_) | ServerAddress::Udp(_) => LONGEST_DATAGRAM,
            _ => LONGEST,
        };
        // Ours and the C module get the same requests, but each listener gets others.
        let name = [trial.subject.name, listener.name].concat();
        let seed = name.bytes().fold(seed, |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(byte.into())
        });
        Self {
            trial,
            number,
            listener,
            mutator: Mutator::new(seeds::of(listener.protocol), longest, seed),
            clients: Clients::new(listener),
            last: VecDeque::new(),
            since_probe: (0, Instant::now()),
            probes: 0,
        }
    }

    /// Attacks, and leaves.
    pub(super) fn go_on_until(&mut self, end: Instant) {
        while Instant::now() < end && !self.is_over() {
            let gate = self.trial.gate.read().expect("no panic");
            if self.is_gone() {
                drop(gate);
                self.clients.forget();
                std::thread::sleep(Duration::from_millis(10));
                continue;
            }
            self.attack();
            let (requests, time) = self.since_probe;
            if requests >= REQUESTS || time.elapsed() >= TIME {
                self.probe();
            }
        }
        self.clients.forget();
        if !self.is_over() {
            let _gate = self.trial.gate.read().expect("no panic");
            self.probe();
        }
        if self.is_over() {
            self.keep_requests();
        }
    }

    fn attack(&mut self) {
        let burst = Burst::next(self.listener, &mut self.mutator);
        // A server under attack may refuse, break or close, which is no failure.
        let answers = self.clients.play(&burst).unwrap_or(0);
        self.since_probe.0 += burst.requests.len();
        self.trial.with(|outcome| {
            let listener = &mut outcome.listeners[self.number];
            listener.requests += burst.requests.len() as u64;
            listener.answers += answers as u64;
        });
        if self.trial.subject.flavor == Flavor::Rust {
            self.last.extend(burst.requests);
            let surplus = self.last.len().saturating_sub(REMEMBERED);
            self.last.drain(..surplus);
        }
    }

    fn probe(&mut self) {
        if self.is_gone() {
            return;
        }
        self.probes += 1;
        let outcome = probe::ask(self.listener, self.probes, &|| self.is_gone());
        self.since_probe = (0, Instant::now());
        if outcome == Outcome::Gone {
            return;
        }
        let is_ours = self.trial.subject.flavor == Flavor::Rust;
        self.trial.with(|all| {
            let listener = &mut all.listeners[self.number];
            listener.asked += 1;
            match &outcome {
                Outcome::Right => listener.answered += 1,
                Outcome::Wrong(answer) => {
                    listener.wrong += 1;
                    let answer = answer[..answer.len().min(300)].escape_ascii();
                    if is_ours {
                        all.failures
                            .push(format!("{}: {answer}", self.listener.name));
                    }
                }
                Outcome::None | Outcome::Gone => {}
            }
        });
        match outcome {
            Outcome::None => self.trial.state.hangs.store(true, Ordering::Release),
            Outcome::Wrong(_) if is_ours => self.keep_requests(),
            _ => {}
        }
    }

    fn keep_requests(&self) {
        let name = format!("{}-{}", self.trial.subject.name, self.listener.name);
        let file = keep(&name, &self.last);
        println!("the last requests: {}", file.display());
    }

    fn is_gone(&self) -> bool {
        self.trial.state.gone.load(Ordering::Acquire)
    }

    fn is_over(&self) -> bool {
        self.trial.state.over.load(Ordering::Acquire)
    }
}
