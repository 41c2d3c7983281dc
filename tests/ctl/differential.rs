//! Every command that a test may call is sent to the C module and to ours.
//!
//! A server is started with one `ctl` and gets all requests. Then a server with the
//! other `ctl` is started in the same directory and on the same port. Each difference
//! between the two rows of answers must be in the table of volatile values, or is a
//! fault of ours.

use harness::additions;
use harness::binrpc::{Client, decode};
use harness::differential::{Exchange, Recorder, SUITABLE, SharedSetup, assert_alike};
use harness::modules::Flavor;
use harness::requests::Request;
use harness::volatile::{TABLE, Volatile};
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg, Node};

/// Commands that are not called, and the reasons.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "core.kill",
        "it ends the server; a test of its own calls it",
    ),
    (
        "modparam.list",
        "it has the parameters that ours alone have; tests/modules/told.rs compares it",
    ),
];

#[test]
fn every_command_answers_as_over_the_c_module() {
    let setup = SharedSetup::new();
    let theirs = record(&setup, Flavor::C, "", Age(0));
    let ours = record(&setup, Flavor::Rust, "", Age(0));
    assert_alike(&theirs, &ours);
}

#[test]
fn every_command_answers_so_with_converted_parameters() {
    const CONVERTING: &str = r#"modparam("ctl", "autoconversion", 1)"#;
    let setup = SharedSetup::new();
    let theirs = record(&setup, Flavor::C, CONVERTING, Age(0));
    let ours = record(&setup, Flavor::Rust, CONVERTING, Age(0));
    assert_alike(&theirs, &ours);
}

/// Without this test, a difference above could come from the servers instead of the
/// modules.
///
/// The second server is older than the first when it is asked, so that no value that
/// depends on the time is the same by chance.
#[test]
fn two_runs_over_the_c_module_answer_alike() {
    let setup = SharedSetup::new();
    let first = record(&setup, Flavor::C, "", Age(0));
    let second = record(&setup, Flavor::C, "", Age(2));
    assert_alike(&first, &second);
    assert_no_stale_entries(&first);
}

/// Sends all requests to a server of this age, with `config` in its configuration.
fn record(setup: &SharedSetup, flavor: Flavor, config: &str, age: Age) -> Vec<Exchange> {
    let server = setup.start(flavor, config);
    let mut client = server.client();
    age.wait(&mut client);
    let methods = list_methods(&mut client);
    let mut recorder = Recorder::new(client);
    recorder.ask_all(Request::parse_all(SUITABLE));
    recorder.ask_all(methods.iter().flat_map(|method| unsuitable(method)));
    // Whatever these requests change must be the same change in both servers.
    recorder.ask_all(Request::parse_all(SUITABLE));
    recorder.finish()
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
    let answer = client.call(additions::LIST, &[]);
    answer
        .values()
        .iter()
        .map(|name| name.as_str().expect("names are text").to_owned())
        .filter(|name| LEFT_OUT.iter().all(|(left_out, _)| left_out != name))
        .filter(|name| !additions::is_added(name))
        .collect()
}

/// Requests that suit hardly any command, with too few or too many parameters, or of
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
        // This comes last, so that a command that takes one number has it from here. C
        // may have refused the int before, which ours accepts.
        vec![1.5.into()],
    ];
    sets.into_iter()
        .map(|args| Request {
            method: method.to_owned(),
            args,
        })
        .collect()
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
