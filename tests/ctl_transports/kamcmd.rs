//! `kamcmd` over each transport that it supports.

use std::ops::Range;
use std::path::Path;

use harness::binrpc::Address;
use harness::kamcmd::{self, Output};
use harness::modules::Flavor;
use harness::server::{Server, short_directory};
use rpc_wire::binrpc::client::Answer;

use crate::listeners::{CtlListeners, STREAM};

/// Runs whose output is the same on two servers and over all transports.
const RUNS: &[&[&str]] = &[
    &["core.version"],
    &["core.echo", "a", "2", "s:3"],
    &["-f", "%v = %v%%\\n", "core.echo", "a", "1", "b", "2"],
    &["help", "core.uptime"],
    &["no.such.command"],
    &["system.listMethods"],
    &["htable.sets", "a", "name", "value"],
    &["htable.dump", "a"],
    &["htable.dump", "none"],
    &["listen"],
];

#[test]
fn it_writes_the_same_over_every_transport_and_over_the_c_module() {
    let (place, listeners) = (short_directory(), CtlListeners::new());
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = Server::builder(flavor)
            .modules(["ctl", "htable"])
            .config(r#"modparam("htable", "htable", "a=>size=4;")"#)
            .config(&listeners.config())
            .socket(STREAM)
            .directory(place.path())
            .start();
        listeners.binrpc(&server).map(|address| run_all(&address))
    });
    for (transport, (theirs, ours)) in ["unixs", "unixd", "udp", "tcp"]
        .iter()
        .zip(theirs.iter().zip(&ours))
    {
        for ((args, theirs), ours) in RUNS.iter().zip(theirs).zip(ours) {
            assert_eq!(theirs, ours, "kamcmd {} over {transport}", args.join(" "));
        }
        let echo = &ours[1];
        assert_eq!(echo.stdout, "a\n2\n3\n", "over {transport}: {echo:?}");
        assert!(echo.success, "over {transport}: {echo:?}");
    }
}

fn run_all(address: &Address) -> Vec<Output> {
    let address = option(address);
    let run = |args: &&[&str]| kamcmd::run_at(&address, args).in_common();
    RUNS.iter().map(run).collect()
}

/// The address as the option `-s` takes it.
fn option(address: &Address) -> String {
    match address {
        Address::UnixStream(path) => format!("unixs:{}", path.display()),
        Address::UnixDatagram(path) => format!("unixd:{}", path.display()),
        Address::Udp(address) => format!("udp:{address}"),
        Address::Tcp(address) => format!("tcp:{address}"),
    }
}

/// Replies that no UDP datagram carries, with lengths just below and above what
/// `kamcmd` reassembles. For a thousand entries the C module sends a dozen datagrams,
/// ours one or two.
#[test]
fn it_puts_large_replies_together_as_with_the_c_module() {
    /// The replies have from half of what a UDP datagram carries to most of what
    /// `kamcmd` takes.
    const ENTRIES: [usize; 4] = [300, 700, 1_000, 1_300];
    let (place, listeners) = (short_directory(), CtlListeners::new());
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = with_large_table(&listeners, flavor, place.path());
        let [stream, unix, udp, _] = listeners.binrpc(&server);
        let mut from = 0;
        ENTRIES.map(|entries| {
            add_entries(&server, from..entries);
            from = entries;
            [&stream, &unix, &udp]
                .map(|address| kamcmd::run_at(&option(address), &["htable.dump", "t"]))
        })
    });
    for ((entries, theirs), ours) in ENTRIES.iter().zip(theirs).zip(ours) {
        assert_eq!(theirs, ours, "{entries} entries");
        let [stream, unix, udp] = ours;
        assert!(stream.success, "{entries}: {stream:?}");
        assert_eq!(stream.stdout.matches("name: ").count(), *entries);
        assert!(stream == unix && stream == udp, "{entries} entries");
    }
}

fn with_large_table(listeners: &CtlListeners, flavor: Flavor, directory: &Path) -> Server {
    Server::builder(flavor)
        .modules(["ctl", "htable"])
        .config(r#"modparam("htable", "htable", "t=>size=10;")"#)
        .config(&listeners.config())
        .socket(STREAM)
        .directory(directory)
        .start()
}

fn add_entries(server: &Server, numbers: Range<usize>) {
    let calls = numbers.map(|number| {
        let (key, value) = (format!("key-{number:05}"), format!("{number:040}"));
        vec!["t".into(), key.as_str().into(), value.as_str().into()]
    });
    server.client().call_many("htable.sets", calls, |answer| {
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    });
}

#[test]
fn beyond_its_128_kib_it_is_told_the_size() {
    let (place, listeners) = (short_directory(), CtlListeners::new());
    let server = with_large_table(&listeners, Flavor::Rust, place.path());
    add_entries(&server, 0..2_000);
    let [_, unix, udp, _] = listeners.binrpc(&server);
    let told = kamcmd::run_at(&option(&udp), &["htable.dump", "t"]);
    assert!(
        told.stdout.starts_with("error: 500 - the reply has "),
        "{told:?}"
    );
    // One datagram carries it, but kamcmd does not accept it.
    let told = kamcmd::run_at(&option(&unix), &["htable.dump", "t"]);
    assert!(told.stderr.contains("reply too big"), "{told:?}");
}
