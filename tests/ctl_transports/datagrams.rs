//! What datagrams cannot do: carry a large reply, or reach a client without a
//! name.

use std::os::unix::net::UnixDatagram;

use harness::binrpc::{Address, Client, decode, request};
use harness::builder::Builder;
use harness::linefifo;
use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg};
use rpc_wire::linefifo::client::Arg as LineArg;

use crate::ways::{STREAM, Ways};

/// The largest datagrams: what UDP can say, and what clients written for the C
/// module take from a Unix socket.
const UDP: usize = 65_507;
const UNIX: usize = 65_535;

fn described(ways: &Ways) -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl", "pv"])
        .config(r#"modparam("pv", "shvset", "text=s:")"#)
        .config(&ways.config())
        .socket(STREAM)
}

fn set_text(server: &Server, len: usize) {
    let text = "x".repeat(len);
    let args = ["text".into(), "str".into(), Arg::from(&*text)];
    let answer = server.client().call("pv.shvSet", &args);
    assert!(matches!(answer, Answer::Reply(_)), "{answer}");
}

/// The packet that answers `pv.shvGet`, always of the same length.
fn get(address: &Address) -> Vec<u8> {
    Client::connect(address.clone()).call_raw(&request("pv.shvGet", &["text".into()], 7))
}

fn get_lines(address: &linefifo::Address) -> Vec<u8> {
    linefifo::ask(address, "pv.shvGet", &[LineArg::from("text")])
}

/// Sets the text so long that `reply_len` of the replies is `wanted`.
fn make_reply_long(server: &Server, wanted: usize, reply_len: impl Fn() -> usize) {
    const GUESS: usize = 60_000;
    set_text(server, GUESS);
    let around = reply_len() - GUESS;
    set_text(server, wanted - around);
    assert_eq!(reply_len(), wanted);
}

fn assert_says_so(reason: &[u8], size: usize) {
    let reason = String::from_utf8_lossy(reason);
    for word in [&*size.to_string(), "unix:", "tcp:"] {
        assert!(reason.contains(word), "{reason:?} does not tell {word}");
    }
}

#[test]
fn binrpc_answers_with_a_fault_that_tells_the_size_and_a_way_out() {
    let ways = Ways::new();
    let server = described(&ways).start();
    let [unix, udp] = ways.datagrams(&server);
    let [stream, tcp] = ways.streams(&server);
    for (address, limit) in [(unix, UNIX), (udp, UDP)] {
        make_reply_long(&server, limit, || get(&stream).len());
        assert_eq!(get(&address), get(&stream), "{address:?}");

        make_reply_long(&server, limit + 1, || get(&stream).len());
        let packet = get(&address);
        let (header, answer) = decode(&packet).expect("one whole answer");
        assert_eq!(header.packet_len(), packet.len());
        assert_eq!(header.cookie, 7);
        let Answer::Fault { code: 500, reason } = answer else {
            panic!("{address:?} answers\n{answer}");
        };
        assert_says_so(&reason, limit + 1);
        assert_eq!(get(&tcp).len(), limit + 1);
    }
}

#[test]
fn the_line_protocol_answers_so_too() {
    let ways = Ways::new();
    let server = described(&ways).start();
    let [pipe, udp, tcp] = ways.lines(&server);
    make_reply_long(&server, UDP, || get_lines(&tcp).len());
    assert_eq!(get_lines(&udp), get_lines(&tcp));

    make_reply_long(&server, UDP + 1, || get_lines(&tcp).len());
    let fault = get_lines(&udp);
    assert!(fault.starts_with(b"500 "), "{}", fault.escape_ascii());
    assert!(fault.ends_with(b"\n"));
    assert_says_so(&fault, UDP + 1);
    assert_eq!(get_lines(&pipe), get_lines(&tcp));
}

/// Nothing else comes: the next answer belongs to the next request.
#[test]
fn a_reply_is_one_datagram() {
    let ways = Ways::new();
    let server = described(&ways).start();
    set_text(&server, 400_000);
    for address in ways.datagrams(&server) {
        let mut client = Client::connect(address);
        for word in ["first", "second"] {
            let fault = client.call("pv.shvGet", &["text".into()]);
            assert!(matches!(fault, Answer::Fault { code: 500, .. }), "{fault}");
            let answer = client.call("core.echo", &[word.into()]);
            assert_eq!(answer.values()[0].as_str(), Some(word));
        }
    }
}

/// A Unix datagram socket without a name gets no reply, which its client may
/// not want.
#[test]
fn a_request_from_a_socket_without_a_name_runs() {
    let ways = Ways::new();
    let server = described(&ways).start();
    let [Address::UnixDatagram(path), _] = ways.datagrams(&server) else {
        unreachable!("that is the first one");
    };
    let nameless = UnixDatagram::unbound().expect("a new socket");
    let args = ["text".into(), "str".into(), "set by nobody".into()];
    let set = request("pv.shvSet", &args, 1);
    nameless.send_to(&set, path).expect("the server listens");
    let mut witness = server.client();
    wait::until("the command has run", || {
        let answer = witness.call("pv.shvGet", &["text".into()]);
        let value = answer.values().first().and_then(|value| value.get("value"));
        value.and_then(|value| value.as_str()) == Some("set by nobody")
    });
}
