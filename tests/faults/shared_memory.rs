//! The server has no shared memory left. Every request is still answered, because
//! nothing of ours needs any except for replies that come later.

use harness::binrpc::Client;
use harness::http;
use harness::server::Server;
use harness::sip::Peer;
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg};

use crate::everywhere::Everywhere;

/// The smallest amount with which a server starts has a few MiB left; this is more than
/// it needs.
const SHARED_MIB: u32 = 8;

fn start(everywhere: &Everywhere) -> Server {
    everywhere
        .builder(
            r#"
            modparam("tm", "fr_timer", 400)
            modparam("tm", "wt_timer", 100)
            "#,
        )
        .memory(SHARED_MIB, 8)
        .start()
}

/// The number of entries, each of which is a little larger than the one before, so that
/// memory can be freed in pieces of all sizes.
const GROWING: usize = 200;
const STEP: usize = 64;

/// Fills the shared memory with the entries of a table.
fn fill(client: &mut Client) {
    let mut count = 0;
    while count < GROWING {
        let has_room = set(client, count, count * STEP);
        assert!(has_room, "there is no room for {count} entries");
        count += 1;
    }
    for size in [64 * 1024, 8 * 1024, 1024, 128, 8] {
        while set(client, count, size) {
            count += 1;
        }
    }
}

fn set(client: &mut Client, number: usize, size: usize) -> bool {
    let (key, value) = (format!("key{number}"), "x".repeat(size));
    let args = ["t".into(), Arg::from(&*key), Arg::from(&*value)];
    matches!(client.call("htable.sets", &args), Answer::Reply(_))
}

#[test]
fn everybody_is_answered() {
    let everywhere = Everywhere::new();
    let server = start(&everywhere);
    // A new HTTP client needs some of the core's memory, so these exist before.
    let mut clients = everywhere.clients(&server);
    fill(&mut server.client());
    for _ in 0..3 {
        for client in &mut clients {
            assert!(client.is_answered(), "{:?}", client.transport);
            let fault = client.ask("htable.sets", &["t", "more", &"x".repeat(10_000)]);
            assert!(fault.contains("500"), "{:?}: {fault}", client.transport);
        }
    }
    drop(clients);
    server.client().call("htable.flush", &["t".into()]);
    for client in &mut everywhere.clients(&server) {
        assert!(client.is_answered(), "{:?}", client.transport);
    }
}

/// Whatever is left when the command asks for its context, for the copy of the request
/// or for its transaction, there is an answer.
#[test]
fn a_reply_that_would_come_later_is_an_error_or_comes() {
    let peer = Peer::start();
    let everywhere = Everywhere::new();
    let server = start(&everywhere);
    let mut ctl = server.client();
    let mut client = http::Client::connect(server.port());
    fill(&mut ctl);
    let request = document(&peer.uri("200"));
    let (mut refused, mut answered) = (0, 0);
    for number in 0..GROWING {
        let told = client.post(request.as_bytes()).body;
        assert!(told.ends_with(r#","id":1}"#), "{told}");
        if told.contains("[200,") {
            answered += 1;
        } else {
            assert!(
                told.contains(r#""code":500,"#) || told.contains("[408,"),
                "{told}"
            );
            refused += 1;
        }
        let key = format!("key{number}");
        ctl.call("htable.delete", &["t".into(), Arg::from(&*key)]);
    }
    assert!(refused > 20 && answered > 20, "{refused} and {answered}");
    // The core needs memory for new connections before clients come.
    ctl.call("htable.flush", &["t".into()]);
    wait::until("all is as it was", || {
        everywhere
            .clients(&server)
            .iter_mut()
            .all(|client| client.is_answered())
    });
}

fn document(uri: &str) -> String {
    let headers = r"From: <sip:a@127.0.0.1>\r\nTo: <sip:b@127.0.0.1>\r\n";
    format!(
        r#"{{"jsonrpc":"2.0","method":"tm.t_uac_wait","params":["OPTIONS","{uri}",".",".","{headers}"],"id":1}}"#
    )
}
