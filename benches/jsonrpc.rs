//! The module `jsonrpcs`: C, ours and a bare echo.

use std::net::SocketAddr;

use harness::modules::Flavor;
use harness::server::{Server, free_port};
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg};
use rustix::process::Pid;

use crate::echo::{Echo, Echoes, PIPE, Waits};
use crate::json_clients::{Datagram, Http, Pipe, Tcp};
use crate::measure::{Asker, Load, PASSES, Side, Sides, compare};
use crate::report::Results;
use crate::servers::{KINDS, Kind};

/// The transports.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Datagram,
    Pipe,
    Tcp,
    Http,
}

const WAYS: [Way; 4] = [Way::Datagram, Way::Pipe, Way::Tcp, Way::Http];

/// Entries of the tables that `htable.dump` shows.
const TABLES: [(&str, usize); 3] = [("small", 100), ("middle", 1_000), ("large", 100_000)];

/// Whether `only` asks for nothing but parts of this.
pub(crate) fn is_all_of(only: &str) -> bool {
    let is_of_ctl = KINDS.iter().any(|kind| kind.name().contains(only));
    !is_of_ctl && WAYS.iter().any(|way| way.name().contains(only))
}

/// Measures what has `only` in its name.
pub(crate) fn measure(only: &str, results: &mut Results) {
    let chosen = |way: &Way, load: &Load| load.name.contains(only) || way.name().contains(only);
    let wanted: Vec<(Way, Question)> = WAYS
        .into_iter()
        .flat_map(|way| questions(way).map(move |question| (way, question)))
        .filter(|(way, question)| chosen(way, &question.load))
        .collect();
    if wanted.is_empty() {
        return;
    }
    let (theirs, ours) = (Measured::start(Flavor::C), Measured::start(Flavor::Rust));
    let mut echoes = Echoes::default();
    for _ in 0..PASSES {
        for (way, question) in &wanted {
            measure_one(*way, question, [&theirs, &ours], &mut echoes, results);
        }
    }
}

/// A document, and how often it is sent.
struct Question {
    load: Load,
    document: &'static str,
}

/// What is asked over a transport.
fn questions(way: Way) -> impl Iterator<Item = Question> {
    const VERSION: &str = r#"{"jsonrpc":"2.0","method":"core.version","id":1}"#;
    const PSX: &str = r#"{"jsonrpc":"2.0","method":"core.psx","id":1}"#;
    const SMALL: &str = r#"{"jsonrpc":"2.0","method":"htable.dump","params":["small"],"id":1}"#;
    const MIDDLE: &str = r#"{"jsonrpc":"2.0","method":"htable.dump","params":["middle"],"id":1}"#;
    const LARGE: &str = r#"{"jsonrpc":"2.0","method":"htable.dump","params":["large"],"id":1}"#;
    let in_flights: &[usize] = match way {
        Way::Datagram | Way::Pipe => &[1, 8],
        Way::Tcp => &[1, 32],
        // Kamailio reads the next request when it has replied to the last.
        Way::Http => &[1],
    };
    let small = in_flights.iter().flat_map(|in_flight| {
        [
            ("core.version", VERSION, 2_000),
            ("core.psx", PSX, 1_000),
            ("dump of 100", SMALL, 300),
        ]
        .map(|(name, document, count)| (Load::new(name, *in_flight, count), document))
    });
    // No datagram has room for the larger ones, and xhttp none for the largest.
    let middle = (way != Way::Datagram).then(|| (Load::new("dump of 1000", 1, 30), MIDDLE));
    let large = matches!(way, Way::Pipe | Way::Tcp).then(|| (Load::one("dump of 100000"), LARGE));
    small
        .chain(middle)
        .chain(large)
        .map(|(load, document)| Question { load, document })
}

fn measure_one(
    way: Way,
    question: &Question,
    servers: [&Measured; 2],
    echoes: &mut Echoes,
    results: &mut Results,
) {
    let [theirs, ours] = servers;
    let Question { load, document } = question;
    let server = |server: &Measured| Side::new(server.client(way, document), server.pid(way));
    let echo = |echo: &Echo| Side::new(way.echo_client(echo, document), echo.pid());
    // The other ways have a process each for their only socket or pipe.
    let polls = way == Way::Tcp && load.is_mostly_waiting();
    let sides = Sides {
        c: theirs.has(way).then(|| server(theirs)),
        ours: server(ours),
        echo: echo(echoes.of(way.echo(), Waits::InRead)),
        polling_echo: polls.then(|| echo(echoes.of(way.echo(), Waits::ForEvents))),
    };
    results.add(way.name(), load, compare(sides, load));
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Datagram => "json datagram",
            Way::Pipe => "json fifo",
            Way::Tcp => "json tcp",
            Way::Http => "json http",
        }
    }

    /// The echo that is its floor.
    fn echo(self) -> &'static str {
        match self {
            Way::Datagram => Kind::UnixDatagram.name(),
            Way::Pipe => PIPE,
            Way::Tcp | Way::Http => Kind::Tcp.name(),
        }
    }

    fn echo_client(self, echo: &Echo, document: &str) -> Box<dyn Asker> {
        wait::until("the echo is there", || {
            matches!(self, Way::Tcp | Way::Http) || echo.path().exists()
        });
        match self {
            Way::Datagram => Box::new(Datagram::new(&echo.path(), document)),
            Way::Pipe => Box::new(Pipe::new(&echo.path(), document)),
            Way::Tcp | Way::Http => Box::new(Tcp::new(echo.address(), document)),
        }
    }
}

/// A server that is asked.
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
        // Eight slots each, which is what a table has unless it is told more.
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

    /// The C module has TCP in later versions only.
    fn has(&self, way: Way) -> bool {
        self.flavor == Flavor::Rust || way != Way::Tcp
    }

    fn client(&self, way: Way, document: &str) -> Box<dyn Asker> {
        match way {
            Way::Datagram => Box::new(Datagram::new(&self.server.path("rpc.socket"), document)),
            Way::Pipe => Box::new(Pipe::new(&self.server.path("rpc.fifo"), document)),
            Way::Tcp => Box::new(Tcp::new(self.tcp, document)),
            Way::Http => {
                let http = ([127, 0, 0, 1], self.server.port()).into();
                Box::new(Http::new(http, document))
            }
        }
    }

    fn pid(&self, way: Way) -> Pid {
        self.server.process(match way {
            Way::Datagram => "JSONRPCS DATAGRAM",
            Way::Pipe => "JSONRPCS FIFO",
            Way::Tcp => "JSONRPCS TCP",
            Way::Http => "tcp receiver (generic) child=0",
        })
    }
}
