//! The limits of datagrams: they cannot carry a large reply, nor reach a client without
//! a name.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use harness::binrpc::{Address, Client, decode, request};
use harness::builder::Builder;
use harness::datagram;
use harness::linefifo;
use harness::modules::Flavor;
use harness::own_path::OwnPath;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::Header;
use rpc_wire::binrpc::client::{Answer, Arg};
use rpc_wire::linefifo::client::Arg as LineArg;

use crate::listeners::{CtlListeners, STREAM};

/// The largest datagram that UDP carries.
const UDP: usize = 65_507;

/// The longest packet that `kamcmd` reassembles.
const IN_PIECES: usize = 128 * 1024;

fn described(listeners: &CtlListeners) -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl", "pv"])
        .config(r#"modparam("pv", "shvset", "text=s:")"#)
        .config(&listeners.config())
        .socket(STREAM)
}

fn set_text(server: &Server, len: usize) {
    let text = "x".repeat(len);
    let args = ["text".into(), "str".into(), Arg::from(&*text)];
    let answer = server.client().call("pv.shvSet", &args);
    assert!(matches!(answer, Answer::Reply(_)), "{answer}");
}

/// The packet that answers `pv.shvGet`, which always has the same length.
fn get(address: &Address) -> Vec<u8> {
    Client::connect(address.clone()).call_raw(&request("pv.shvGet", &["text".into()], 7))
}

fn get_lines(address: &linefifo::Address) -> Vec<u8> {
    linefifo::ask(address, "pv.shvGet", &[LineArg::from("text")])
}

/// Makes the text so long that `reply_len`, the length of the reply, is `wanted`.
fn make_reply_long(server: &Server, wanted: usize, reply_len: impl Fn() -> usize) {
    // The number of bytes around the text depends on its length.
    let mut around = 0;
    for _ in 0..4 {
        set_text(server, wanted - around);
        let len = reply_len();
        if len == wanted {
            return;
        }
        around = len - (wanted - around);
    }
    panic!("no reply has {wanted} bytes");
}

fn assert_says_so(reason: &[u8], size: usize) {
    let reason = String::from_utf8_lossy(reason);
    for word in [&*size.to_string(), "unix:", "tcp:"] {
        assert!(reason.contains(word), "{reason:?} does not tell {word}");
    }
}

/// The datagrams that answer `pv.shvGet` over UDP.
fn pieces(address: &Address) -> Vec<Vec<u8>> {
    let mut client = Client::connect(address.clone());
    let request = request("pv.shvGet", &["text".into()], 7);
    client.send(&request).expect("the server reads");
    let mut pieces = vec![client.read_some(UDP).expect("the first piece")];
    let header = Header::parse(&pieces[0]).ok().flatten();
    let header = header.expect("the first piece has the whole header");
    while pieces.concat().len() < header.packet_len() {
        pieces.push(client.read_some(UDP).expect("a further piece"));
    }
    pieces
}

#[test]
fn a_binrpc_reply_leaves_in_pieces_as_large_as_udp_carries() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [_, udp] = listeners.datagrams(&server);
    let [stream, _] = listeners.streams(&server);
    let sizes: [&[usize]; 6] = [
        &[UDP - 1],
        &[UDP],
        &[UDP, 1],
        &[UDP, UDP],
        &[UDP, UDP, 1],
        &[UDP, UDP, IN_PIECES - 2 * UDP],
    ];
    for expected in sizes {
        make_reply_long(&server, expected.iter().sum(), || get(&stream).len());
        let pieces = pieces(&udp);
        let lengths: Vec<usize> = pieces.iter().map(Vec::len).collect();
        assert_eq!(lengths, expected);
        assert_eq!(pieces.concat(), get(&stream), "{expected:?}");
    }
}

#[test]
fn beyond_what_kamcmd_takes_a_fault_tells_the_size_and_a_way_out() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [_, udp] = listeners.datagrams(&server);
    let [stream, tcp] = listeners.streams(&server);
    make_reply_long(&server, IN_PIECES + 1, || get(&stream).len());
    let packet = get(&udp);
    let (header, answer) = decode(&packet).expect("one whole answer");
    assert_eq!(header.packet_len(), packet.len());
    assert_eq!(header.cookie, 7);
    let Answer::Fault { code: 500, reason } = answer else {
        panic!("the answer is\n{answer}");
    };
    assert_says_so(&reason, IN_PIECES + 1);
    assert_eq!(get(&tcp).len(), IN_PIECES + 1);
}

/// The system takes them as long as the send buffer allows, and nothing has to be
/// reassembled.
#[test]
fn a_unix_datagram_has_what_the_system_takes() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [unix, _] = listeners.datagrams(&server);
    let [stream, _] = listeners.streams(&server);
    for size in [65_535, 65_536, 130_141, IN_PIECES, IN_PIECES + 1, 200_000] {
        make_reply_long(&server, size, || get(&stream).len());
        let mut client = Client::connect(unix.clone());
        let request = request("pv.shvGet", &["text".into()], 7);
        client.send(&request).expect("the server reads");
        let packet = client.read_some(datagram::LONGEST).expect("a reply");
        assert_eq!(packet.len(), size);
        assert_eq!(packet, get(&stream));
    }
}

/// Five such values of nearly a megabyte are more than the system takes with any send
/// buffer.
#[test]
fn where_the_system_does_not_take_it_a_fault_tells_the_size() {
    let listeners = CtlListeners::new();
    let server = described(&listeners)
        .modules(["htable"])
        .config(r#"modparam("htable", "htable", "t=>size=2;")"#)
        .start();
    let [unix, _] = listeners.datagrams(&server);
    let value = "x".repeat(900_000);
    for key in ["a", "b", "c", "d", "e"] {
        let args = ["t".into(), key.into(), value.as_str().into()];
        let answer = server.client().call("htable.sets", &args);
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    }
    let dump = request("htable.dump", &["t".into()], 7);
    let size = server.client().call_raw(&dump).len();
    let packet = Client::connect(unix).call_raw(&dump);
    let (_, answer) = decode(&packet).expect("one whole answer");
    let Answer::Fault { code: 500, reason } = answer else {
        panic!("the answer is\n{answer}");
    };
    assert_says_so(&reason, size);
}

#[test]
fn the_line_protocol_answers_so_too() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [pipe, udp, tcp] = listeners.lines(&server);
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
fn a_fault_is_one_datagram() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    set_text(&server, 400_000);
    let [_, udp] = listeners.datagrams(&server);
    let mut client = Client::connect(udp);
    for word in ["first", "second"] {
        let fault = client.call("pv.shvGet", &["text".into()]);
        assert!(matches!(fault, Answer::Fault { code: 500, .. }), "{fault}");
        let answer = client.call("core.echo", &[word.into()]);
        assert_eq!(answer.values()[0].as_str(), Some(word));
    }
}

/// A Unix datagram socket without a name gets no reply. Its client may not want one.
#[test]
fn a_request_from_a_socket_without_a_name_runs() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [Address::UnixDatagram(path), _] = listeners.datagrams(&server) else {
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

/// The system keeps about ten datagrams for a Unix socket that is not connected.
/// Further ones wait in the server in their order, and no other client does.
#[test]
fn replies_that_a_client_does_not_take_yet_wait_for_it() {
    const DEAF: usize = 10;
    const EACH: u32 = 30;
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [Address::UnixDatagram(path), _] = listeners.datagrams(&server) else {
        unreachable!("that is the first one");
    };
    let mut other = Client::connect(Address::UnixDatagram(path.clone()));
    // A busy machine may stop this process for longer than the server waits, so one
    // success in several attempts suffices.
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

/// One client does not read hundreds of replies. The system sets no limit of its own
/// for connected clients.
#[test]
fn others_are_answered_while_a_connected_client_reads_nothing() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    for address in listeners.datagrams(&server) {
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

/// Some clients ask for as much as the server keeps for clients that do not read.
/// Others are answered, new ones as well as earlier ones.
#[test]
fn the_room_of_others_is_not_used_up_by_clients_that_read_nothing() {
    const DEAF: usize = 4;
    /// All clients together ask for twice the limit.
    const EACH: usize = 300;
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [unix, _] = listeners.datagrams(&server);
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

/// Whether the next answer is the one to this request. If it is not, or none comes, the
/// server has given this one up.
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

#[test]
fn the_log_names_the_client_whose_reply_is_lost() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [Address::UnixDatagram(path), _] = listeners.datagrams(&server) else {
        unreachable!("that is the first one");
    };
    let own = OwnPath::new();
    let nameless = UnixDatagram::bind(own.path()).expect("a new socket");
    std::fs::remove_file(own.path()).expect("our own");
    let request = request("core.echo", &["a".into()], 1);
    nameless.send_to(&request, &path).expect("the server reads");
    let line = format!(
        "socket \"{}\" on unixd:{}: a reply of 7 bytes is lost: No such file or directory",
        own.path().display(),
        path.display()
    );
    wait::until("the log tells", || server.log().contains(&line));
}

/// The server does not try for long to reach the socket of a client that is gone.
#[test]
fn replies_for_clients_that_are_gone_are_dropped_with_a_line_in_the_log() {
    let listeners = CtlListeners::new();
    let server = described(&listeners).start();
    let [unix, _] = listeners.datagrams(&server);
    // The system takes any number of replies for a connected client, so a fast server
    // has answered everything before the client leaves, and nothing is lost.
    wait::until("the log tells", || {
        let mut gone = Client::connect(unix.clone());
        for cookie in 0..30 {
            let request = request("core.echo", &["nobody".into()], cookie);
            gone.send(&request).expect("the server reads");
        }
        drop(gone);
        server.log().contains("a reply of")
    });
    let answer = Client::connect(unix).call("core.echo", &["hello".into()]);
    assert_eq!(answer.values()[0].as_str(), Some("hello"));
}
