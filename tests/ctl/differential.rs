//! Every command that a test may call, asked over the C module and over ours.
//!
//! A server is started with one `ctl` and asked everything; then, in the same
//! directory and on the same port, a server with the other one. What differs
//! between the two rows of answers is either in the table of volatile values,
//! or ours to explain.

use harness::binrpc::{Client, decode, request};
use harness::compare::difference;
use harness::modules::Flavor;
use harness::requests::Request;
use harness::server::{Server, free_port, short_directory};
use harness::volatile::{TABLE, Volatile};
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg, Node};

use crate::everything;

/// Requests that suit their commands, in an order in which they make sense.
const SUITABLE: &str = include_str!("requests.txt");

/// Commands that are not called, and why.
const LEFT_OUT: &[(&str, &str)] = &[(
    "core.kill",
    "it ends the server; a test of its own calls it",
)];

/// One request and the packet that answered it.
struct Exchange {
    request: Request,
    packet: Vec<u8>,
}

#[test]
fn every_command_answers_as_over_the_c_module() {
    let place = Place::new();
    let theirs = place.record(Flavor::C, "", Age(0));
    let ours = place.record(Flavor::Rust, "", Age(0));
    assert_alike(&theirs, &ours);
}

#[test]
fn every_command_answers_so_with_converted_parameters() {
    const CONVERTING: &str = r#"modparam("ctl", "autoconversion", 1)"#;
    let place = Place::new();
    let theirs = place.record(Flavor::C, CONVERTING, Age(0));
    let ours = place.record(Flavor::Rust, CONVERTING, Age(0));
    assert_alike(&theirs, &ours);
}

/// Without this, a difference above could be the servers' and not the modules'.
///
/// The second server is asked later in its life than the first, so that no
/// value that depends on the time is the same by chance.
#[test]
fn two_runs_over_the_c_module_answer_alike() {
    let place = Place::new();
    let first = place.record(Flavor::C, "", Age(0));
    let second = place.record(Flavor::C, "", Age(2));
    assert_alike(&first, &second);
    assert_no_stale_entries(&first);
}

/// What two servers that are to be compared have in common.
struct Place {
    directory: tempfile::TempDir,
    port: u16,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: short_directory(),
            port: free_port(),
        }
    }

    /// Asks a server of this age, with this in its configuration, everything.
    fn record(&self, flavor: Flavor, config: &str, age: Age) -> Vec<Exchange> {
        let server = everything::load_into(Server::builder(flavor))
            .config(config)
            .directory(self.directory.path())
            .port(self.port)
            .start();
        let mut client = server.client();
        age.wait(&mut client);
        let methods = list_methods(&mut client);
        let mut recorder = Recorder {
            client,
            exchanges: Vec::new(),
        };
        recorder.ask_all(Request::parse_all(SUITABLE));
        recorder.ask_all(methods.iter().flat_map(|method| unsuitable(method)));
        // Whatever that has changed is to be the same change.
        recorder.ask_all(Request::parse_all(SUITABLE));
        recorder.exchanges
    }
}

/// How long a server has been up, in seconds.
#[derive(Clone, Copy)]
struct Age(i32);

impl Age {
    fn wait(self, client: &mut Client) {
        wait::until("a server of the right age", || {
            let uptime = client.call("core.uptime", &[]);
            let seconds = uptime
                .values()
                .first()
                .and_then(|value| value.get("uptime")?.as_int());
            seconds.expect("core.uptime tells an int") >= self.0
        });
    }
}

fn list_methods(client: &mut Client) -> Vec<String> {
    let answer = client.call("system.listMethods", &[]);
    answer
        .values()
        .iter()
        .map(|name| name.as_str().expect("names are text").to_owned())
        .filter(|name| LEFT_OUT.iter().all(|(left_out, _)| left_out != name))
        .collect()
}

/// Requests that suit hardly any command: too few parameters, too many, of
/// wrong types.
fn unsuitable(method: &str) -> Vec<Request> {
    let word = || Arg::from("alpha");
    let sets = [
        vec![],
        vec![word()],
        vec![7.into()],
        vec![(-1).into()],
        vec![word(), 7.into()],
        vec![7.into(), word()],
        vec![1.into(), 2.into()],
        vec![word(), word(), word()],
        vec![word(), word(), word(), word(), word()],
        vec![Arg::Bytes(b"alpha".to_vec())],
        vec![Arg::Struct(vec![("name".into(), word())])],
        vec![Arg::Array(vec![1.into(), word()])],
        // The last, so that a command that takes one number has it from here:
        // an int before may have been refused by C and accepted by ours.
        vec![1.5.into()],
    ];
    sets.into_iter()
        .map(|args| Request {
            method: method.to_owned(),
            args,
        })
        .collect()
}

struct Recorder {
    client: Client,
    exchanges: Vec<Exchange>,
}

impl Recorder {
    fn ask_all(&mut self, requests: impl IntoIterator<Item = Request>) {
        for asked in requests {
            // Any four bytes do, as long as both servers get the same.
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
}

/// Fails with everything that differs, not only with the first.
fn assert_alike(theirs: &[Exchange], ours: &[Exchange]) {
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

/// What the commands themselves say when C does not let them read a number.
const OWN_WORDS: &[(&str, &str)] = &[
    ("xhttp_prom.gauge_set", "required number argument"),
    ("xhttp_prom.histogram_observe", "required number argument"),
];

/// An int where the command asks for a float or long is accepted by ours on
/// every version of the server, and by C only from 5.8 on.
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

/// A negative int that a command reads as text stays negative with ours; in C
/// it becomes text by way of an unsigned long.
fn keeps_the_sign(theirs: &Exchange, ours: &Exchange) -> bool {
    let negative = |arg: &Arg| match arg {
        Arg::Int(number @ ..0) => Some(i64::from(*number)),
        _ => None,
    };
    let (Ok((_, theirs_said)), Ok((_, ours_said))) = (decode(&theirs.packet), decode(&ours.packet))
    else {
        return false;
    };
    let signed = |text: String, number: i64| {
        text.replace(&number.cast_unsigned().to_string(), &number.to_string())
    };
    let negatives = theirs.request.args.iter().filter_map(negative);
    let corrected = negatives.fold(theirs_said.to_string(), signed);
    corrected != theirs_said.to_string() && corrected == ours_said.to_string()
}

/// Fails if the table names a value that no answer has.
fn assert_no_stale_entries(exchanges: &[Exchange]) {
    for entry in TABLE {
        let found = exchanges
            .iter()
            .filter(|exchange| exchange.request.method == entry.method)
            .any(|exchange| matches_something(entry, &exchange.packet));
        assert!(
            found,
            "nothing in the answers to {} is {}",
            entry.method, entry.path
        );
    }
}

fn matches_something(entry: &Volatile, packet: &[u8]) -> bool {
    let Ok((_, Answer::Reply(mut values))) = decode(packet) else {
        return false;
    };
    let mut found = false;
    entry.each(&mut values, &mut |_: &mut Node| found = true);
    found
}
