//! One server under attack. It is started, watched, and started again if necessary.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use harness::modules::Flavor;
use harness::server::Server;
use report::proof::hostile::{ListenerOutcome, Outcome};

use super::judge;
use super::run::Attack;
use crate::log::Log;
use crate::settle::settled;
use crate::subject::Subject;

/// The interval at which the server is checked.
const LOOK: Duration = Duration::from_millis(50);

/// A subject and what happens to it.
pub(crate) struct Trial {
    pub(super) subject: Subject,
    /// Held by every user of the server, and exclusively while it is started again.
    pub(super) gate: RwLock<()>,
    pub(super) state: State,
    outcome: Mutex<Outcome>,
}

/// The messages between the clients and the watcher.
#[derive(Default)]
pub(super) struct State {
    /// The server has ended.
    pub(super) gone: AtomicBool,
    /// A transport does not answer.
    pub(super) hangs: AtomicBool,
    /// There is nothing more to do.
    pub(super) over: AtomicBool,
}

impl Trial {
    pub(crate) fn new(subject: Subject) -> Self {
        let listener = |name: &str| ListenerOutcome {
            transport: name.to_owned(),
            ..ListenerOutcome::default()
        };
        let outcome = Outcome {
            module: subject.name.to_owned(),
            ours: subject.flavor == Flavor::Rust,
            listeners: subject
                .listeners
                .iter()
                .map(|it| listener(it.name))
                .collect(),
            ended: 0,
            hung: 0,
            before: None,
            after: None,
            lines: Default::default(),
            failures: Vec::new(),
        };
        Self {
            subject,
            gate: RwLock::new(()),
            state: State::default(),
            outcome: Mutex::new(outcome),
        }
    }

    /// Runs some time to warm up, and then the time that counts.
    pub(crate) fn run(self, time: Duration, seed: u64) -> Outcome {
        let mut server = self.subject.start();
        let mut log = Log::new(self.subject.log());
        let mut attacks: Vec<Attack<'_>> = (0..self.subject.listeners.len())
            .map(|number| Attack::new(&self, number, seed))
            .collect();
        self.play(time / 10, &mut attacks, &mut server, &mut log);
        let before = settled(&self.subject, None);
        self.with(|outcome| outcome.before = before);
        let starts = self.starts();
        self.play(time, &mut attacks, &mut server, &mut log);
        let after = match self.starts() == starts {
            true => settled(&self.subject, before),
            false => None,
        };
        // What the server writes while it ends is no answer to anything.
        log.look();
        drop(server);
        let mut outcome = self.outcome.into_inner().expect("no panic");
        outcome.after = after;
        outcome.lines = log.lines;
        judge(&mut outcome, self.subject.allowance());
        outcome
    }

    /// Attacks all listeners at once for this time.
    fn play(&self, time: Duration, attacks: &mut [Attack<'_>], server: &mut Server, log: &mut Log) {
        let end = Instant::now() + time;
        std::thread::scope(|scope| {
            let threads: Vec<_> = attacks
                .iter_mut()
                .map(|attack| scope.spawn(move || attack.go_on_until(end)))
                .collect();
            while threads.iter().any(|thread| !thread.is_finished()) {
                self.watch(server, log);
                std::thread::sleep(LOOK);
            }
        });
        self.watch(server, log);
    }

    fn watch(&self, server: &mut Server, log: &mut Log) {
        log.look();
        if server.exit_status().is_some() {
            self.state.gone.store(true, Ordering::Release);
            self.with(|outcome| outcome.ended += 1);
        } else if self.state.hangs.load(Ordering::Acquire) {
            self.state.gone.store(true, Ordering::Release);
            self.with(|outcome| outcome.hung += 1);
        } else {
            return;
        }
        if self.subject.flavor == Flavor::Rust {
            // There is no server to continue with.
            self.state.over.store(true, Ordering::Release);
            return;
        }
        // Clients give up soon once they know that the server is gone.
        let _alone = self.gate.write().expect("no panic");
        server.crash();
        *server = self.subject.start();
        self.state.hangs.store(false, Ordering::Release);
        self.state.gone.store(false, Ordering::Release);
    }

    fn starts(&self) -> u64 {
        self.with(|outcome| outcome.ended + outcome.hung)
    }

    /// Records something in the outcome.
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut Outcome) -> T) -> T {
        change(&mut self.outcome.lock().expect("no panic"))
    }
}
