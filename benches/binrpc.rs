//! The module `ctl` over BINRPC: C, ours and a bare echo.

use harness::binrpc::{Client, request};
use rpc_wire::binrpc::client::Arg;

use crate::echo::Echo;
use crate::measure::{Asker, Load, Side, compare};
use crate::report::Results;
use crate::servers::{KINDS, Kind, Pair};

/// Entries of the tables that `htable.dump` shows.
const SMALL: usize = 100;
const LARGE: usize = 100_000;

/// Measures what has `only` in its name.
pub(crate) fn measure(only: &str, results: &mut Results) {
    let chosen = |kind: Kind, load: &Load| load.name.contains(only) || kind.name().contains(only);
    let of_kind = |kind: Kind| {
        let mut questions = questions(kind);
        questions.retain(|question| chosen(kind, &question.load));
        questions
    };
    if KINDS.into_iter().all(|kind| of_kind(kind).is_empty()) {
        return;
    }
    let pair = Pair::start();
    pair.fill("small", SMALL);
    pair.fill("large", LARGE);
    for kind in KINDS {
        let echo = Echo::start(kind.name());
        for question in of_kind(kind) {
            measure_one(kind, &question, &pair, &echo, results);
        }
    }
}

/// What is asked, with one request in flight and with many.
fn questions(kind: Kind) -> Vec<Question> {
    let many = if kind.is_stream() { 32 } else { 8 };
    let mut questions = Vec::new();
    for in_flight in [1, many] {
        let load = |name, count| Load::new(name, in_flight, count);
        questions.extend([
            Question::new(load("core.version", 8_000), "core.version", &[]),
            Question::new(load("core.echo", 8_000), "core.echo", &["hello", "world"]),
            Question::new(load("core.psx", 4_000), "core.psx", &[]),
            Question::new(load("dump of 100", 800), "htable.dump", &["small"]),
        ]);
    }
    if kind == Kind::UnixStream {
        let load = Load::one("dump of 100000");
        questions.push(Question::new(load, "htable.dump", &["large"]));
    }
    questions
}

fn measure_one(kind: Kind, question: &Question, pair: &Pair, echo: &Echo, results: &mut Results) {
    let side = |client, pid| Side::new(question.by(client, kind), pid);
    let sides = [
        side(pair.theirs.client(kind), pair.theirs.pid()),
        side(pair.ours.client(kind), pair.ours.pid()),
        side(echo.client(kind), echo.pid()),
    ];
    let [theirs, ours, floor] = compare(sides, &question.load);
    results.add(kind.name(), &question.load, Some(theirs), ours, floor);
}

/// A command with its parameters, and how often it is asked for.
struct Question {
    load: Load,
    request: Vec<u8>,
}

impl Question {
    fn new(load: Load, method: &str, args: &[&str]) -> Self {
        let args: Vec<Arg> = args.iter().map(|arg| Arg::from(*arg)).collect();
        Question {
            load,
            request: request(method, &args, 1),
        }
    }

    /// One who asks this over a socket of this kind.
    fn by(&self, client: Client, kind: Kind) -> Box<dyn Asker> {
        Box::new(Binrpc {
            client,
            kind,
            request: self.request.clone(),
        })
    }
}

struct Binrpc {
    client: Client,
    kind: Kind,
    request: Vec<u8>,
}

impl Asker for Binrpc {
    fn ask(&mut self, in_flight: usize) -> usize {
        // On a stream all requests leave in one write; a datagram holds one.
        let sent = if self.kind.is_stream() {
            self.client.send(&self.request.repeat(in_flight))
        } else {
            (0..in_flight).try_for_each(|_| self.client.send(&self.request))
        };
        sent.expect("the server reads");
        let mut bytes = 0;
        for _ in 0..in_flight {
            bytes = self.client.receive().expect("the server answers").len();
        }
        bytes
    }
}
