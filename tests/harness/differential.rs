//! Sending the same requests to a server with the C module and to one with ours.

use tempfile::TempDir;

use rpc_wire::binrpc::client::{Answer, Arg};

use crate::binrpc::{Client, decode, request};
use crate::compare::difference;
use crate::everything;
use crate::modules::Flavor;
use crate::requests::Request;
use crate::server::{Server, free_port, short_directory};

/// Requests that suit their commands, in an order that makes sense.
pub const SUITABLE: &str = include_str!("../fixtures/requests.txt");

/// A request and the packet that answered it.
#[derive(Debug)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// The packet of the answer.
    pub packet: Vec<u8>,
}

/// The directory and the port that two servers under comparison share.
#[derive(Debug)]
pub struct SharedSetup {
    directory: TempDir,
    port: u16,
}

impl SharedSetup {
    /// A new directory and a free port.
    #[must_use]
    pub fn new() -> Self {
        Self {
            directory: short_directory(),
            port: free_port(),
        }
    }

    /// Starts a server with every module, and with this in its configuration.
    #[must_use]
    pub fn start(&self, flavor: Flavor, config: &str) -> Server {
        self.start_with(flavor, &[], config)
    }

    /// As [`start`](Self::start), with further modules. A server with `jsonrpcs` serves
    /// it over HTTP, too.
    #[must_use]
    pub fn start_with(&self, flavor: Flavor, modules: &[&str], config: &str) -> Server {
        let mut server = Server::builder(flavor);
        if modules.contains(&"jsonrpcs") {
            server = server.core_config("#!define WITH_JSONRPC\ntcp_accept_no_cl=yes");
        }
        everything::load_into(server)
            .modules(modules.iter().copied())
            .config(config)
            .directory(self.directory.path())
            .port(self.port)
            .start()
    }
}

impl Default for SharedSetup {
    fn default() -> Self {
        Self::new()
    }
}

/// A client that records the answers.
#[derive(Debug)]
pub struct Recorder {
    client: Client,
    exchanges: Vec<Exchange>,
}

impl Recorder {
    /// Sends requests through this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            exchanges: Vec::new(),
        }
    }

    /// Sends all these requests, one after the other.
    ///
    /// # Panics
    ///
    /// One of them is not answered.
    pub fn ask_all(&mut self, requests: impl IntoIterator<Item = Request>) {
        for asked in requests {
            // Any four bytes will do, as long as both servers get the same.
            let cookie = self.exchanges.len() as u32;
            let packet = self
                .client
                .call_raw(&request(&asked.method, &asked.args, cookie));
            self.exchanges.push(Exchange {
                request: asked,
                packet,
            });
        }
    }

    /// All requests and answers so far.
    #[must_use]
    pub fn finish(self) -> Vec<Exchange> {
        self.exchanges
    }
}

/// Compares two records, and fails with all differences instead of only the first.
///
/// # Panics
///
/// There is a difference.
pub fn assert_alike(theirs: &[Exchange], ours: &[Exchange]) {
    let mut different = Vec::new();
    for (theirs, ours) in theirs.iter().zip(ours) {
        assert_eq!(theirs.request, ours.request, "both are asked the same");
        if accepts_an_int(theirs) || keeps_the_sign(theirs, ours) {
            continue;
        }
        if let Some(how) = difference(&theirs.request.method, &theirs.packet, &ours.packet) {
            different.push(format!("{}\n{how}", theirs.request));
        }
    }
    assert_eq!(theirs.len(), ours.len(), "they have the same commands");
    let count = different.len();
    assert!(
        different.is_empty(),
        "{count} of {} answers differ:\n{}",
        theirs.len(),
        different.join("\n")
    );
}

/// The texts of commands that C does not let read a number.
const OWN_WORDS: &[(&str, &str)] = &[
    ("xhttp_prom.gauge_set", "required number argument"),
    ("xhttp_prom.histogram_observe", "required number argument"),
];

/// Whether only C refuses an int because a command asks for a float or a long. Ours
/// accepts it on every version of the server, C only from 5.6.6, 5.7.5 and 5.8.1 on.
fn accepts_an_int(theirs: &Exchange) -> bool {
    let Ok((_, Answer::Fault { code: 400, reason })) = decode(&theirs.packet) else {
        return false;
    };
    let Request { method, args } = &theirs.request;
    let reason = String::from_utf8_lossy(&reason);
    args.iter().enumerate().any(|(position, arg)| {
        let refused = format!("error at parameter {position}: expected float type but");
        let in_own_words = OWN_WORDS.contains(&(method, &reason)) && position == 1;
        matches!(arg, Arg::Int(_)) && (reason.starts_with(&refused) || in_own_words)
    })
}

/// Whether only ours keeps the sign of a negative int that a command reads as text. In
/// C it becomes text by way of an unsigned long.
fn keeps_the_sign(theirs: &Exchange, ours: &Exchange) -> bool {
    let negative = |arg: &Arg| match arg {
        Arg::Int(number @ ..0) => Some(i64::from(*number)),
        _ => None,
    };
    let (Ok((_, theirs_said)), Ok((_, ours_said))) = (decode(&theirs.packet), decode(&ours.packet))
    else {
        return false;
    };
    let signed =
        |text: String, number: i64| text.replace(&(number as u64).to_string(), &number.to_string());
    let negatives = theirs.request.args.iter().filter_map(negative);
    let corrected = negatives.fold(theirs_said.to_string(), signed);
    corrected != theirs_said.to_string() && corrected == ours_said.to_string()
}
