//! The two servers, which differ only in the module that answers.

use std::path::PathBuf;

use harness::binrpc::{Address, Client};
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use rpc_wire::binrpc::client::{Answer, Arg};
use rustix::process::Pid;

/// The kinds of sockets under comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    UnixStream,
    UnixDatagram,
    Tcp,
    Udp,
}

/// All kinds.
pub(crate) const KINDS: [Kind; 4] = [Kind::UnixStream, Kind::UnixDatagram, Kind::Tcp, Kind::Udp];

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::UnixStream => "unix stream",
            Kind::UnixDatagram => "unix datagram",
            Kind::Tcp => "tcp",
            Kind::Udp => "udp",
        }
    }

    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Kind::UnixStream | Kind::Tcp)
    }

    /// The address that a path or a port gives.
    pub(crate) fn address(self, path: PathBuf, port: u16) -> Address {
        let inet = ([127, 0, 0, 1], port).into();
        match self {
            Kind::UnixStream => Address::UnixStream(path),
            Kind::UnixDatagram => Address::UnixDatagram(path),
            Kind::Tcp => Address::Tcp(inet),
            Kind::Udp => Address::Udp(inet),
        }
    }
}

/// A server that listens on all kinds of sockets.
pub(crate) struct Measured {
    server: Server,
    handler: Pid,
    port: u16,
}

/// The server with the C module and the one with ours.
pub(crate) struct Pair {
    pub(crate) theirs: Measured,
    pub(crate) ours: Measured,
}

impl Pair {
    pub(crate) fn start() -> Self {
        Pair {
            theirs: Measured::start(Flavor::C),
            ours: Measured::start(Flavor::Rust),
        }
    }

    /// Puts this many entries into a hash table of both.
    pub(crate) fn fill(&self, table: &str, entries: usize) {
        for server in [&self.theirs, &self.ours] {
            let mut client = server.client(Kind::UnixStream);
            let calls = (0..entries).map(|number| {
                vec![
                    Arg::from(table),
                    Arg::from(format!("key-{number:06}").as_str()),
                    Arg::from(format!("the value of entry {number:06}").as_str()),
                ]
            });
            client.call_many("htable.sets", calls, |answer| {
                assert!(matches!(answer, Answer::Reply(_)), "{answer}");
            });
        }
    }
}

impl Measured {
    fn start(flavor: Flavor) -> Self {
        let port = free_port();
        let server = Server::builder(flavor)
            .modules(["sl", "pv", "kex", "htable", "ctl"])
            .config(&format!(
                "modparam(\"ctl\", \"binrpc\", \"unix:{{dir}}/kamailio_ctl\")\n\
                 modparam(\"ctl\", \"binrpc\", \"unixd:{{dir}}/datagram\")\n\
                 modparam(\"ctl\", \"binrpc\", \"tcp:127.0.0.1:{port}\")\n\
                 modparam(\"ctl\", \"binrpc\", \"udp:127.0.0.1:{port}\")\n\
                 modparam(\"htable\", \"htable\", \"small=>size=4;\")\n\
                 modparam(\"htable\", \"htable\", \"large=>size=16;\")\n"
            ))
            // The C module builds a large reply in private memory.
            .memory(256, 1024)
            .start();
        let handler = server.process("ctl handler");
        Measured {
            server,
            handler,
            port,
        }
    }

    pub(crate) fn client(&self, kind: Kind) -> Client {
        let path = match kind {
            Kind::UnixDatagram => self.server.path("datagram"),
            _ => self.server.socket(),
        };
        Client::connect(kind.address(path, self.port))
    }

    pub(crate) fn pid(&self) -> Pid {
        self.handler
    }
}
