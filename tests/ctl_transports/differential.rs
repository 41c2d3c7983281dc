//! The suitable requests are sent over every BINRPC transport of the C module, and over
//! those of ours.

use harness::binrpc::{Address, Client};
use harness::differential::{Exchange, Recorder, SUITABLE, SharedSetup, assert_alike};
use harness::modules::Flavor;
use harness::requests::Request;

use crate::listeners::{CtlListeners, wait_for_connections};

#[test]
fn every_transport_answers_as_in_the_c_module() {
    let (setup, listeners) = (SharedSetup::new(), CtlListeners::new());
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| record(&setup, &listeners, flavor));
    for ((transport, theirs), (_, ours)) in theirs.iter().zip(&ours) {
        println!("over {transport}:");
        assert_alike(theirs, ours);
    }
}

/// Asks the same server over one transport after the other. What the requests change is
/// changed over each of them, and in both servers alike.
fn record(
    setup: &SharedSetup,
    listeners: &CtlListeners,
    flavor: Flavor,
) -> Vec<(&'static str, Vec<Exchange>)> {
    // The socket that shows that the server is up is not one of those under test.
    let config = format!(
        "{}\nmodparam(\"ctl\", \"binrpc\", \"unix:{{dir}}/kamailio_ctl\")",
        listeners.config()
    );
    let server = setup.start(flavor, &config);
    let [unix, unix_datagram, udp, tcp] = listeners.binrpc(&server);
    vec![
        ("unixd", ask(unix_datagram, 0)),
        ("udp", ask(udp, 0)),
        ("tcp", ask(tcp, 1)),
        ("unix", ask(unix, 1)),
    ]
}

fn ask(address: Address, connections: i32) -> Vec<Exchange> {
    let mut client = Client::connect(address);
    // The requests include `ctl.who` and `ctl.connections`.
    wait_for_connections(&mut client, connections);
    let mut recorder = Recorder::new(client);
    recorder.ask_all(Request::parse_all(SUITABLE));
    recorder.finish()
}
