//! Measuring the module `ctl` over BINRPC: C, ours and a bare echo.

use harness::binrpc::{Client, request};
use report::benchmarks::{Results, Sides};
use rpc_wire::binrpc::client::Arg;

use crate::echo::{Echo, Echoes, Waits};
use crate::measure::{Asker, Load, PASSES, Side, compare};
use crate::servers::{KINDS, Kind, Measured, Pair};
use crate::table;

/// The numbers of entries in the tables that `htable.dump` shows.
const SMALL: usize = 100;
const LARGE: usize = 100_000;

/// Measures the loads with `only` in their names.
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
    let mut echoes = Echoes::default();
    for _ in 0..PASSES {
        for kind in KINDS {
            for question in of_kind(kind) {
                measure_one(kind, &question, &pair, &mut echoes, results);
            }
        }
    }
}

/// The requests to measure, with one in flight and with many.
fn questions(kind: Kind) -> Vec<Question> {
    let many = if kind.is_stream() { 32 } else { 8 };
    let mut questions = Vec::new();
    for in_flight in [1, many] {
        let load = |name, count| Load::new(name, in_flight, count);
        questions.extend([
            Question::new(load("core.version", 4_000), "core.version", &[]),
            Question::new(load("core.echo", 4_000), "core.echo", &["hello", "world"]),
            Question::new(load("core.psx", 2_000), "core.psx", &[]),
            Question::new(load("dump of 100", 400), "htable.dump", &["small"]),
        ]);
    }
    if kind == Kind::UnixStream {
        let load = Load::one("dump of 100000");
        questions.push(Question::new(load, "htable.dump", &["large"]));
    }
    questions
}

fn measure_one(
    kind: Kind,
    question: &Question,
    pair: &Pair,
    echoes: &mut Echoes,
    results: &mut Results,
) {
    let server =
        |server: &Measured| Side::new(question.by(server.client(kind), kind), server.pid());
    let echo = |echo: &Echo| Side::new(question.by(echo.client(kind), kind), echo.pid());
    let load = &question.load;
    let sides = Sides {
        c: Some(server(&pair.theirs)),
        ours: server(&pair.ours),
        echo: echo(echoes.of(kind.name(), Waits::InRead)),
        polling_echo: load
            .is_mostly_waiting()
            .then(|| echo(echoes.of(kind.name(), Waits::ForEvents))),
    };
    table::add(results, kind.name(), load, compare(sides, load));
}

/// A command with its parameters, and how often it is called.
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

    /// An asker that sends this over a socket of this kind.
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
        // On a stream all requests leave in one write; a datagram holds only one.
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
