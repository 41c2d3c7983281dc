//! `kamcmd` over each transport that it can use.

use harness::binrpc::Address;
use harness::kamcmd::{self, Output};
use harness::modules::Flavor;
use harness::server::{Server, short_directory};

use crate::ways::{STREAM, Ways};

/// What differs in none of these between two servers or two transports.
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
    let (place, ways) = (short_directory(), Ways::new());
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = Server::builder(flavor)
            .modules(["ctl", "htable"])
            .config(r#"modparam("htable", "htable", "a=>size=4;")"#)
            .config(&ways.config())
            .socket(STREAM)
            .directory(place.path())
            .start();
        ways.binrpc(&server).map(|address| run_all(&address))
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
    let run = |args: &&[&str]| kamcmd::run_at(&address, args);
    RUNS.iter().map(run).collect()
}

/// An address as the option `-s` takes it.
fn option(address: &Address) -> String {
    match address {
        Address::UnixStream(path) => format!("unixs:{}", path.display()),
        Address::UnixDatagram(path) => format!("unixd:{}", path.display()),
        Address::Udp(address) => format!("udp:{address}"),
        Address::Tcp(address) => format!("tcp:{address}"),
    }
}
