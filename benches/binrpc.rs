//! BINRPC clients, and what they ask.

use harness::binrpc::{Client, request};
use rpc_wire::binrpc::client::Arg;

use crate::measure::{Asker, Load};
use crate::servers::Kind;

/// A command with its parameters, and how often it is asked for.
pub(crate) struct Question {
    pub(crate) load: Load,
    request: Vec<u8>,
}

impl Question {
    pub(crate) fn new(name: &'static str, args: &[&str], in_flight: usize, count: usize) -> Self {
        let args: Vec<Arg> = args.iter().map(|arg| Arg::from(*arg)).collect();
        Question {
            load: Load::new(name, in_flight, count),
            request: request(name, &args, 1),
        }
    }

    /// One who asks this over a socket of this kind.
    pub(crate) fn by(&self, client: Client, kind: Kind) -> Box<dyn Asker> {
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
