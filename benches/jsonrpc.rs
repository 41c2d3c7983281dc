//! Measuring the module `jsonrpcs`: C, ours and a bare echo.

use std::net::SocketAddr;

use harness::modules::Flavor;
use harness::server::{Server, free_port};
use harness::wait;
use report::benchmarks::{Results, Sides};
use rpc_wire::binrpc::client::{Answer, Arg};
use rustix::process::Pid;

use crate::echo::{Echo, Echoes, PIPE, Waits};
use crate::json_clients::{Datagram, Http, Pipe, Tcp};
use crate::measure::{Asker, Load, PASSES, Side, compare};
use crate::servers::{KINDS, Kind};
use crate::table;

/// The transports of `jsonrpcs`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Datagram,
    Pipe,
    Tcp,
    Http,
}

const TRANSPORTS: [Transport; 4] = [
    Transport::Datagram,
    Transport::Pipe,
    Transport::Tcp,
    Transport::Http,
];

/// The tables that `htable.dump` shows, with their numbers of entries.
const TABLES: [(&str, usize); 3] = [("small", 100), ("middle", 1_000), ("large", 100_000)];

/// Whether `only` selects nothing but parts of this module.
pub(crate) fn is_all_of(only: &str) -> bool {
    let is_of_ctl = KINDS.iter().any(|kind| kind.name().contains(only));
    !is_of_ctl
        && TRANSPORTS
            .iter()
            .any(|transport| transport.name().contains(only))
}

/// Measures the loads with `only` in their names.
pub(crate) fn measure(only: &str, results: &mut Results) {
    let chosen = |transport: &Transport, load: &Load| {
        load.name.contains(only) || transport.name().contains(only)
    };
    let wanted: Vec<(Transport, Question)> = TRANSPORTS
        .into_iter()
        .flat_map(|transport| questions(transport).map(move |question| (transport, question)))
        .filter(|(transport, question)| chosen(transport, &question.load))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let (theirs, ours) = (Measured::start(Flavor::C), Measured::start(Flavor::Rust));
    let mut echoes = Echoes::default();
    for _ in 0..PASSES {
        for (transport, question) in &wanted {
            measure_one(*transport, question, [&theirs, &ours], &mut echoes, results);
        }
    }
}

/// A document, and how often it is sent.
struct Question {
    load: Load,
    document: &'static str,
}

/// The documents to measure over a transport.
fn questions(transport: Transport) -> impl Iterator<Item = Question> {
    const VERSION: &str = r#"{"jsonrpc":"2.0","method":"core.version","id":1}"#;
    const PSX: &str = r#"{"jsonrpc":"2.0","method":"core.psx","id":1}"#;
    const SMALL: &str = r#"{"jsonrpc":"2.0","method":"htable.dump","params":["small"],"id":1}"#;
    const MIDDLE: &str = r#"{"jsonrpc":"2.0","method":"htable.dump","params":["middle"],"id":1}"#;
    const LARGE: &str = r#"{"jsonrpc":"2.0","method":"htable.dump","params":["large"],"id":1}"#;
    let in_flights: &[usize] = match transport {
        Transport::Datagram | Transport::Pipe => &[1, 8],
        Transport::Tcp => &[1, 32],
        // Kamailio reads the next request only when it has replied to the last.
        Transport::Http => &[1],
    };
    let small = in_flights.iter().flat_map(|in_flight| {
        [
            ("core.version", VERSION, 2_000),
            ("core.psx", PSX, 1_000),
            ("dump of 100", SMALL, 300),
        ]
        .map(|(name, document, count)| (Load::new(name, *in_flight, count), document))
    });
    // The larger ones do not fit into a datagram, and xhttp cannot send the largest.
    let middle =
        (transport != Transport::Datagram).then(|| (Load::new("dump of 1000", 1, 30), MIDDLE));
    let large = matches!(transport, Transport::Pipe | Transport::Tcp)
        .then(|| (Load::one("dump of 100000"), LARGE));
    small
        .chain(middle)
        .chain(large)
        .map(|(load, document)| Question { load, document })
}

fn measure_one(
    transport: Transport,
    question: &Question,
    servers: [&Measured; 2],
    echoes: &mut Echoes,
    results: &mut Results,
) {
    let [theirs, ours] = servers;
    let Question { load, document } = question;
    let server =
        |server: &Measured| Side::new(server.client(transport, document), server.pid(transport));
    let echo = |echo: &Echo| Side::new(transport.echo_client(echo, document), echo.pid());
    // On the other transports each socket or pipe has a process of its own.
    let polls = transport == Transport::Tcp && load.is_mostly_waiting();
    let sides = Sides {
        c: theirs.has(transport).then(|| server(theirs)),
        ours: server(ours),
        echo: echo(echoes.of(transport.echo(), Waits::InRead)),
        polling_echo: polls.then(|| echo(echoes.of(transport.echo(), Waits::ForEvents))),
    };
    table::add(results, transport.name(), load, compare(sides, load));
}

impl Transport {
    fn name(self) -> &'static str {
        match self {
            Transport::Datagram => "json datagram",
            Transport::Pipe => "json fifo",
            Transport::Tcp => "json tcp",
            Transport::Http => "json http",
        }
    }

    /// The kind of the echo that is its lower bound.
    fn echo(self) -> &'static str {
        match self {
            Transport::Datagram => Kind::UnixDatagram.name(),
            Transport::Pipe => PIPE,
            Transport::Tcp | Transport::Http => Kind::Tcp.name(),
        }
    }

    fn echo_client(self, echo: &Echo, document: &str) -> Box<dyn Asker> {
        wait::until("the echo is there", || {
            matches!(self, Transport::Tcp | Transport::Http) || echo.path().exists()
        });
        match self {
            Transport::Datagram => Box::new(Datagram::new(&echo.path(), document)),
            Transport::Pipe => Box::new(Pipe::new(&echo.path(), document)),
            Transport::Tcp | Transport::Http => Box::new(Tcp::new(echo.address(), document)),
        }
    }
}

/// A server under measurement.
struct Measured {
    server: Server,
    flavor: Flavor,
    tcp: SocketAddr,
}

impl Measured {
    fn start(flavor: Flavor) -> Self {
        let tcp: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let own = match flavor {
            Flavor::C => String::new(),
            Flavor::Rust => format!(
                "modparam(\"jsonrpcs\", \"tcp_socket\", \"tcp:{tcp}\")\n\
                 modparam(\"jsonrpcs\", \"tcp_keep\", 1)\n"
            ),
        };
        let transports = if flavor == Flavor::C { 7 } else { 15 };
        // Each has eight slots, which is the number in a table by default.
        let tables: String = TABLES
            .iter()
            .map(|(table, _)| format!("modparam(\"htable\", \"htable\", \"{table}=>size=3;\")\n"))
            .collect();
        let server = Server::builder(flavor)
            .tcp()
            .modules(["sl", "pv", "kex", "htable", "ctl", "xhttp", "jsonrpcs"])
            .config(&format!(
                "modparam(\"jsonrpcs\", \"transport\", {transports})\n\
                 modparam(\"jsonrpcs\", \"pretty_format\", 0)\n\
                 modparam(\"jsonrpcs\", \"fifo_name\", \"{{dir}}/rpc.fifo\")\n\
                 modparam(\"jsonrpcs\", \"dgram_socket\", \"{{dir}}/rpc.socket\")\n\
                 {own}{tables}\
                 tcp_accept_no_cl=yes\n\
                 request_route {{ exit; }}\n\
                 event_route[xhttp:request] {{ jsonrpc_dispatch(); }}\n"
            ))
            // The C module builds a large reply in private memory.
            .memory(256, 1024)
            .start();
        let measured = Measured {
            server,
            flavor,
            tcp,
        };
        for (table, entries) in TABLES {
            measured.fill(table, entries);
        }
        measured
    }

    fn fill(&self, table: &str, entries: usize) {
        let calls = (0..entries).map(|number| {
            vec![
                Arg::from(table),
                Arg::from(format!("key-{number:06}").as_str()),
                Arg::from(format!("the value of entry {number:06}").as_str()),
            ]
        });
        let mut client = self.server.client();
        client.call_many("htable.sets", calls, |answer| {
            assert!(matches!(answer, Answer::Reply(_)), "{answer}");
        });
    }

    /// Whether it has this transport; the C module has TCP only in later versions.
    fn has(&self, transport: Transport) -> bool {
        self.flavor == Flavor::Rust || transport != Transport::Tcp
    }

    fn client(&self, transport: Transport, document: &str) -> Box<dyn Asker> {
        match transport {
            Transport::Datagram => {
                Box::new(Datagram::new(&self.server.path("rpc.socket"), document))
            }
            Transport::Pipe => Box::new(Pipe::new(&self.server.path("rpc.fifo"), document)),
            Transport::Tcp => Box::new(Tcp::new(self.tcp, document)),
            Transport::Http => {
                let http = ([127, 0, 0, 1], self.server.port()).into();
                Box::new(Http::new(http, document))
            }
        }
    }

    fn pid(&self, transport: Transport) -> Pid {
        self.server.process(match transport {
            Transport::Datagram => "JSONRPCS DATAGRAM",
            Transport::Pipe => "JSONRPCS FIFO",
            Transport::Tcp => "JSONRPCS TCP",
            Transport::Http => "tcp receiver (generic) child=0",
        })
    }
}
