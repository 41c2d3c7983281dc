//! A million requests of mixed kinds, and the memory of the processes that answer.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::modules::Flavor;
use harness::server::Server;
use report::proof::million::{Outcome, PARTS};

use crate::kinds::Kinds;
use crate::link::{Link, ServerAddress};
use crate::probe::is_quiet;
use crate::protocol::Protocol;
use crate::settle::settled;
use crate::subject::{self, Listener, Subject, USUAL};

/// The growth of memory that is allowed between the first part and the last.
pub(crate) const GROWTH_KIB: u64 = 256;

/// The time limit for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that fails to answer this often is given up.
const TOO_MANY: u64 = 10;

/// The servers, one for each module.
const SERVERS: [&str; 4] = ["ctl", "jsonrpcs", "mi_datagram", "tcpops"];

/// Tries all modules, ours and the C ones, one after the other.
pub(crate) fn run(requests: u64, only: &str) -> Vec<Outcome> {
    let both = [Flavor::Rust, Flavor::C].into_iter().flat_map(subject::all);
    let mut subjects: Vec<Subject> = both
        .filter(|it| SERVERS.contains(&it.name) && it.title().contains(only))
        .collect();
    subjects.sort_by_key(|it| SERVERS.iter().position(|name| *name == it.name));
    subjects
        .iter()
        .map(|subject| {
            let mut outcome = Run::new(subject).finish(requests);
            judge(&mut outcome);
            println!(
                "{}: {:?} KiB, {} s",
                subject.title(),
                outcome.samples,
                outcome.seconds
            );
            outcome
        })
        .collect()
}

/// A run against one server.
struct Run<'a> {
    subject: &'a Subject,
    server: Mutex<Server>,
    done: AtomicU64,
    answers: AtomicU64,
    connections: AtomicU64,
    missing: AtomicU64,
    is_over: AtomicBool,
}

impl<'a> Run<'a> {
    fn new(subject: &'a Subject) -> Self {
        Self {
            subject,
            server: Mutex::new(subject.start()),
            done: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            missing: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Runs some requests first, because they allocate what is needed only once, and
    /// then those that count.
    fn finish(self, requests: u64) -> Outcome {
        self.play(requests / 20);
        let before = settled(self.subject, None).unwrap_or_default();
        for counter in [&self.done, &self.answers, &self.connections] {
            counter.store(0, Ordering::Relaxed);
        }
        let start = Instant::now();
        let mut samples = vec![before.private_kib];
        samples.extend(self.play(requests));
        let seconds = start.elapsed().as_secs();
        let after = match self.has_ended() {
            true => None,
            false => settled(self.subject, Some(before)),
        };
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Outcome {
            module: self.subject.name.to_owned(),
            ours: self.subject.flavor == Flavor::Rust,
            requests: count(&self.done),
            answers: count(&self.answers),
            connections: count(&self.connections),
            seconds,
            missing: count(&self.missing),
            samples,
            before,
            after,
            failures: Vec::new(),
        }
    }

    /// Sends this many requests over all transports at once, and returns the memory
    /// after each part.
    fn play(&self, requests: u64) -> Vec<u64> {
        const LOOK: Duration = Duration::from_millis(5);
        let listeners: Vec<&Listener> = self
            .subject
            .listeners
            .iter()
            .filter(|it| self.takes(it))
            .collect();
        let share = requests.div_ceil(listeners.len() as u64);
        std::thread::scope(|scope| {
            let threads: Vec<_> = listeners
                .iter()
                .map(|listener| scope.spawn(move || self.send(listener, share)))
                .collect();
            let mut samples = Vec::new();
            loop {
                let is_last = threads.iter().all(|thread| thread.is_finished());
                let part = samples.len() as u64 + 1;
                let is_due = self.done.load(Ordering::Relaxed) >= requests * part / PARTS;
                if (is_due && part < PARTS || is_last) && !self.has_ended() {
                    samples.extend(self.subject.usage().map(|usage| usage.private_kib));
                }
                if self.has_ended() {
                    self.is_over.store(true, Ordering::Relaxed);
                }
                if is_last {
                    return samples;
                }
                std::thread::sleep(LOOK);
            }
        })
    }

    /// Whether the module takes this listener's requests. After a request that fails,
    /// the C module takes the rest of it for the next one in the line protocol, so many
    /// in a row cannot be compared.
    fn takes(&self, listener: &Listener) -> bool {
        self.subject.flavor == Flavor::Rust || listener.protocol != Protocol::Lines
    }

    fn has_ended(&self) -> bool {
        self.server
            .lock()
            .expect("no panic")
            .exit_status()
            .is_some()
    }

    /// Sends all requests for one listener.
    fn send(&self, listener: &Listener, share: u64) {
        let mut kinds = Kinds::new(listener);
        let mut link = None;
        let mut sent = 0;
        let mut number = 0;
        while sent < share && !self.is_over.load(Ordering::Relaxed) {
            number += 1;
            let burst = match &mut link {
                Some(link) => self.burst(listener, link, &mut kinds, number),
                none => {
                    self.connections.fetch_add(1, Ordering::Relaxed);
                    Link::open(&listener.address).and_then(|open| {
                        let link = none.insert(open);
                        self.burst(listener, link, &mut kinds, number)
                    })
                }
            };
            match burst {
                Ok(requests) => {
                    sent += requests;
                    self.done.fetch_add(requests, Ordering::Relaxed);
                }
                Err(error) => {
                    println!(
                        "{}, {}, after {sent}: {error}",
                        self.subject.title(),
                        listener.name
                    );
                    let before = self.missing.fetch_add(1, Ordering::Relaxed);
                    if before + 1 == TOO_MANY {
                        self.is_over.store(true, Ordering::Relaxed);
                    }
                    link = None;
                    // The burst is lost with its requests, and a server that has ended
                    // answers none of them.
                    sent += kinds.in_burst();
                    self.done.fetch_add(kinds.in_burst(), Ordering::Relaxed);
                }
            }
            if kinds.leaves_after(number) {
                link = None;
            }
        }
    }

    /// Sends some requests and a known one at the end: once that is answered, so are
    /// all before it. Some bursts are followed by a request that makes no sense.
    fn burst(
        &self,
        listener: &Listener,
        link: &mut Link,
        kinds: &mut Kinds,
        number: u32,
    ) -> io::Result<u64> {
        let word = format!("known-{number}-");
        let pipe = link.reply_pipe().map(str::to_owned);
        let known = listener.protocol.known(&word, number, pipe.as_deref());
        let requests = kinds.next(pipe.as_deref());
        if listener.address.is_stream() {
            link.send(&requests.concat())?;
        } else {
            requests.iter().try_for_each(|request| link.send(request))?;
        }
        link.send(&known)?;
        let answers = self.read(listener, link, &word, number, &known)?;
        self.answers.fetch_add(answers as u64, Ordering::Relaxed);
        if let Some(spoiled) = kinds.spoiled(number, pipe.as_deref()) {
            link.send(&spoiled)?;
        }
        Ok(kinds.in_burst())
    }

    /// Reads until the known request is answered. A request that may be lost on the way
    /// is repeated.
    fn read(
        &self,
        listener: &Listener,
        link: &mut Link,
        word: &str,
        number: u32,
        known: &[u8],
    ) -> io::Result<usize> {
        const AGAIN: Duration = Duration::from_secs(1);
        let is_lossy = matches!(listener.address, ServerAddress::Udp(_));
        let is_datagram = !listener.address.is_stream() && !listener.address.is_pipe();
        let deadline = Instant::now() + PATIENCE;
        let (mut all, mut datagrams) = (Vec::new(), 0);
        while !listener.protocol.has_come(&all, word, number) {
            match link.receive(AGAIN) {
                Ok(piece) if piece.is_empty() && !is_datagram => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(piece) => {
                    datagrams += 1;
                    if is_datagram {
                        all.clear();
                    }
                    all.extend(piece);
                }
                Err(error) if is_quiet(&error) && Instant::now() < deadline => {
                    if is_lossy {
                        link.send(known)?;
                    }
                }
                Err(error) => return Err(error),
            }
            if self.is_over.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        Ok(match is_datagram {
            true => datagrams,
            false => listener.protocol.answers_in(&all),
        })
    }
}

/// Finds what is wrong with ours after all of it.
fn judge(outcome: &mut Outcome) {
    if !outcome.ours {
        return;
    }
    let mut failures = Vec::new();
    if outcome.missing > 0 {
        failures.push(format!(
            "{} known requests were not answered",
            outcome.missing
        ));
    }
    match (outcome.after, outcome.growth()) {
        (Some(after), Some(growth)) => {
            if growth > GROWTH_KIB as i64 {
                failures.push(format!("{growth} KiB more memory: {:?}", outcome.samples));
            }
            if after.descriptors > outcome.before.descriptors {
                let before = outcome.before.descriptors;
                failures.push(format!("{before} descriptors, then {}", after.descriptors));
            }
            if after.shared_bytes > outcome.before.shared_bytes + USUAL.shared_bytes {
                let before = outcome.before.shared_bytes;
                failures.push(format!(
                    "shared memory: {before}, then {}",
                    after.shared_bytes
                ));
            }
        }
        _ => failures.push("the server has ended".to_owned()),
    }
    outcome.failures = failures;
}

#[cfg(test)]
mod tests {
    use report::proof::Usage;

    use super::*;

    fn failures(change: fn(&mut Outcome)) -> usize {
        let mut outcome = Outcome {
            ours: true,
            samples: [
                &[500][..],
                &[1000; PARTS as usize - 1],
                &[1000 + GROWTH_KIB],
            ]
            .concat(),
            after: Some(Usage::default()),
            ..Outcome::default()
        };
        change(&mut outcome);
        judge(&mut outcome);
        outcome.failures.len()
    }

    #[test]
    fn what_counts_as_a_failure_of_ours() {
        assert_eq!(failures(|_| ()), 0);
        assert_eq!(failures(|it| it.samples[PARTS as usize] += 1), 1);
        assert_eq!(failures(|it| it.samples.truncate(PARTS as usize)), 1);
        assert_eq!(failures(|it| it.missing = 1), 1);
        assert_eq!(failures(|it| it.after = None), 1);
        assert_eq!(
            failures(|it| it.after = Some(Usage {
                descriptors: 1,
                ..Usage::default()
            })),
            1
        );
        assert_eq!(failures(|it| (it.after, it.ours) = (None, false)), 0);
    }
}
