//! What datagrams cannot do: carry a large reply, or reach a client without a
//! name.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use harness::binrpc::{Address, Client, decode, request};
use harness::builder::Builder;
use harness::linefifo;
use harness::modules::Flavor;
use harness::own_path::OwnPath;
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

/// The system keeps ten or so for a Unix datagram socket that is not connected;
/// what goes beyond waits in the server, in its order, and nobody else does.
#[test]
fn replies_that_a_client_does_not_take_yet_wait_for_it() {
    const DEAF: usize = 10;
    const EACH: u32 = 30;
    let ways = Ways::new();
    let server = described(&ways).start();
    let [Address::UnixDatagram(path), _] = ways.datagrams(&server) else {
        unreachable!("that is the first one");
    };
    let mut other = Client::connect(Address::UnixDatagram(path.clone()));
    // A busy machine may stop this process for longer than the server waits, so
    // one success of several counts.
    wait::until(
        "all replies are read before the server gives one up",
        || {
            let names: Vec<OwnPath> = (0..DEAF).map(|_| OwnPath::new()).collect();
            let bind = |name: &OwnPath| UnixDatagram::bind(name.path()).expect("a new socket");
            let deaf: Vec<UnixDatagram> = names.iter().map(bind).collect();
            for cookie in 0..EACH {
                let request = request("core.echo", &["late".into()], cookie);
                for socket in &deaf {
                    socket.send_to(&request, &path).expect("the server reads");
                }
                let answer = other.call("core.echo", &["meanwhile".into()]);
                assert_eq!(answer.values()[0].as_str(), Some("meanwhile"));
            }
            deaf.iter()
                .all(|socket| (0..EACH).all(|cookie| takes(socket, cookie)))
        },
    );
}

/// One client with hundreds of replies that it does not read. Where clients are
/// connected the system sets them no limit of their own.
#[test]
fn others_are_answered_while_a_connected_client_reads_nothing() {
    let ways = Ways::new();
    let server = described(&ways).start();
    for address in ways.datagrams(&server) {
        let mut deaf = Client::connect(address.clone());
        let mut other = Client::connect(address);
        for cookie in 0..500 {
            let request = request("core.echo", &["unread".into()], cookie);
            deaf.send(&request).expect("the server reads");
            let answer = other.call("core.echo", &["meanwhile".into()]);
            assert_eq!(answer.values()[0].as_str(), Some("meanwhile"));
        }
    }
}

/// Some clients that ask for all the room there is for what nobody reads. Others are
/// answered, new ones and those that were there before.
#[test]
fn the_room_of_others_is_not_used_up_by_clients_that_read_nothing() {
    const DEAF: usize = 4;
    /// Twice the room, in all.
    const EACH: usize = 300;
    let ways = Ways::new();
    let server = described(&ways).start();
    let [unix, _] = ways.datagrams(&server);
    let long = "x".repeat(60_000);
    let mut old = Client::connect(unix.clone());
    let mut deaf: Vec<Client> = (0..DEAF).map(|_| Client::connect(unix.clone())).collect();
    let request = request("core.echo", &[long.as_str().into()], 1);
    for number in 0..EACH {
        for client in &mut deaf {
            client.send(&request).expect("the server reads");
        }
        let answer = Client::connect(unix.clone()).call("core.echo", &["new".into()]);
        assert_eq!(answer.values()[0].as_str(), Some("new"), "{number}");
    }
    let is_told = || server.log().contains("for its client did not take it");
    wait::until("the log tells", is_told);
    for _ in 0..1_000 {
        let answer = old.call("core.echo", &[long.as_str().into()]);
        assert_eq!(answer.values()[0].as_str(), Some(long.as_str()));
    }
}

/// Whether the next answer is the one to this request; if it is not, or does not
/// come, the server has given that up.
fn takes(socket: &UnixDatagram, cookie: u32) -> bool {
    let late = Some(Duration::from_secs(2));
    socket.set_read_timeout(late).expect("a time limit");
    let mut packet = [0; 1024];
    let Ok(len) = socket.recv(&mut packet) else {
        return false;
    };
    let (header, _) = decode(&packet[..len]).expect("one whole answer");
    header.cookie == cookie
}

/// The socket of a client that is gone is no reason to try for long.
#[test]
fn replies_for_clients_that_are_gone_are_dropped_with_a_line_in_the_log() {
    let ways = Ways::new();
    let server = described(&ways).start();
    let [unix, _] = ways.datagrams(&server);
    let mut gone = Client::connect(unix.clone());
    for cookie in 0..30 {
        let request = request("core.echo", &["nobody".into()], cookie);
        gone.send(&request).expect("the server reads");
    }
    drop(gone);
    wait::until("the log tells", || server.log().contains("a reply of"));
    let answer = Client::connect(unix).call("core.echo", &["hello".into()]);
    assert_eq!(answer.values()[0].as_str(), Some("hello"));
}
