//! Packets that are malformed, each in one way.

use std::path::Path;

use harness::binrpc::{Client, decode};
use harness::modules::Flavor;
use harness::process::{resident_kib, virtual_kib};
use harness::server::{Server, short_directory};
use rpc_wire::binrpc::client::{Answer, Node};

/// The defect, the packet, and a part of the reason that the client is told.
struct Wrong {
    what: &'static str,
    packet: &'static [u8],
    reason: &'static str,
}

const fn wrong(what: &'static str, packet: &'static [u8], reason: &'static str) -> Wrong {
    Wrong {
        what,
        packet,
        reason,
    }
}

/// Packets that the C module refuses with the same words.
const REFUSED_BY_BOTH: &[Wrong] = &[
    wrong(
        "no BINRPC",
        b"{\"jsonrpc\":\"2.0\"}",
        "bad request: corrupted packet",
    ),
    wrong(
        "version 2",
        b"\xa2\x00\x01\x07\x01",
        "bad request: corrupted packet",
    ),
    wrong(
        "no kind",
        b"\xa1\x20\x03\x07\x21a\0",
        "bad request: corrupted packet",
    ),
    wrong(
        "a reply",
        b"\xa1\x10\x03\x07\x21a\0",
        "bad request: corrupted packet",
    ),
    wrong(
        "a fault",
        b"\xa1\x30\x03\x07\x21a\0",
        "bad request: corrupted packet",
    ),
    wrong(
        "no method",
        b"\xa1\x00\x00\x07",
        "bad request method: end of packet encountered",
    ),
    wrong(
        "an int as method",
        b"\xa1\x00\x02\x07\x10\x05",
        "bad request method: record doesn't match type",
    ),
    wrong(
        "a struct as method",
        b"\xa1\x00\x02\x07\x03\x83",
        "bad request method: record doesn't match type",
    ),
    wrong(
        "half a method",
        b"\xa1\x00\x03\x07\x41ab",
        "bad request method: more data needed",
    ),
];

/// Packets that only ours refuses. The defects are behind a good method `a`, which does
/// not exist. The C module would say just that, because it reads parameters only when a
/// command asks for them.
const REFUSED_BY_OURS: &[Wrong] = &[
    wrong(
        "a record over the end",
        b"\xa1\x00\x06\x07\x21a\0\x41bc",
        "over the end",
    ),
    wrong("an unknown type", b"\xa1\x00\x04\x07\x21a\0\x07", "type 7"),
    wrong(
        "a length on no byte",
        b"\xa1\x00\x04\x07\x21a\0\x81",
        "0 bytes instead of",
    ),
    wrong(
        "a length on 5 bytes",
        b"\xa1\x00\x0a\x07\x21a\0\xd1\0\0\0\0\x01\0",
        "5 bytes instead of",
    ),
    wrong(
        "an int of 5 bytes",
        b"\xa1\x00\x09\x07\x21a\0\x50\0\0\0\0\x01",
        "a number has 5 bytes",
    ),
    wrong(
        "a double of 9 bytes",
        b"\xa1\x00\x0d\x07\x21a\0\x92\0\0\0\0\0\0\0\0\x01",
        "a number has 9 bytes",
    ),
    wrong(
        "text without its end",
        b"\xa1\x00\x06\x07\x21a\0\x21bc",
        "does not end in NUL",
    ),
    wrong(
        "a struct with a length",
        b"\xa1\x00\x05\x07\x21a\0\x13\0",
        "carries a length",
    ),
    wrong(
        "an end without a start",
        b"\xa1\x00\x04\x07\x21a\0\x83",
        "nothing that is open ends",
    ),
    wrong(
        "an array closed as a struct",
        b"\xa1\x00\x05\x07\x21a\0\x04\x83",
        "nothing that is open ends",
    ),
    wrong(
        "a struct without an end",
        b"\xa1\x00\x04\x07\x21a\0\x03",
        "not closed",
    ),
    wrong(
        "a name outside structs",
        b"\xa1\x00\x07\x07\x21a\0\x25b\0\0",
        "only the members",
    ),
    wrong(
        "a name without a value",
        b"\xa1\x00\x08\x07\x21a\0\x03\x25b\0\x83",
        "not followed by its value",
    ),
];

#[test]
fn each_gets_a_fault_that_says_why() {
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    let mut neighbour = server.client();
    for Wrong {
        what,
        packet,
        reason,
    } in REFUSED_BY_BOTH.iter().chain(REFUSED_BY_OURS)
    {
        let mut client = server.client();
        let (_, answer) = decode(&client.call_raw(packet)).expect("a good answer");
        let Answer::Fault {
            code: 400,
            reason: told,
        } = &answer
        else {
            panic!("{what} is answered\n{answer}");
        };
        let told = String::from_utf8_lossy(told);
        assert!(told.contains(reason), "{what} is answered {told:?}");
        // Nobody can know where the next packet would start.
        assert!(client.is_closed_by_server(), "after {what}");
        assert_works(&mut neighbour);
        assert_works(&mut server.client());
    }
}

#[test]
fn what_the_c_module_refuses_is_refused_in_its_words() {
    let place = short_directory();
    let theirs = refusals(Flavor::C, place.path());
    let ours = refusals(Flavor::Rust, place.path());
    for ((wrong, theirs), ours) in REFUSED_BY_BOTH.iter().zip(theirs).zip(ours) {
        assert_eq!(decode(&theirs).ok(), decode(&ours).ok(), "{}", wrong.what);
        assert_eq!(theirs, ours, "{}", wrong.what);
    }
}

fn refusals(flavor: Flavor, place: &Path) -> Vec<Vec<u8>> {
    let server = Server::builder(flavor)
        .modules(["ctl"])
        .directory(place)
        .start();
    let refusal = |wrong: &Wrong| server.client().call_raw(wrong.packet);
    REFUSED_BY_BOTH.iter().map(refusal).collect()
}

#[test]
fn structs_nested_without_end_are_refused() {
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    let depth = 100_000;
    let body = [b"\x21a\0".to_vec(), vec![0x03; depth], vec![0x83; depth]].concat();
    let len = u32::try_from(body.len())
        .expect("a short body")
        .to_be_bytes();
    let packet = [b"\xa1\x0c".as_slice(), &len, b"\x07", &body].concat();
    let (_, answer) = decode(&server.client().call_raw(&packet)).expect("a good answer");
    assert!(
        matches!(answer, Answer::Fault { code: 400, .. }),
        "{answer}"
    );
    assert_works(&mut server.client());
}

/// The server takes no memory for a length that nobody accepts, nor for one that never
/// comes.
#[test]
fn an_announced_length_costs_nothing() {
    const ALLOWED_KIB: u64 = 8 * 1024;
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    let handler = server.process("ctl handler");
    let before = (resident_kib(handler), virtual_kib(handler));

    // Lengths of 4 GiB - 1, 2 GiB and 16 MiB are refused at once.
    for header in [
        b"\xa1\x0c\xff\xff\xff\xff\x07",
        b"\xa1\x0c\x80\0\0\0\x07",
        b"\xa1\x0c\x01\0\0\0\x07",
    ] {
        let mut client = server.client();
        let (header, answer) = decode(&client.call_raw(header)).expect("a good answer");
        assert!(
            matches!(answer, Answer::Fault { code: 400, .. }),
            "{answer}"
        );
        assert_eq!(header.cookie, 7, "the client knows which request failed");
        assert!(client.is_closed_by_server());
    }
    // A length of 512 KiB, which a request may have, is waited for.
    let waiting: Vec<Client> = (0..64)
        .map(|_| {
            let mut client = server.client();
            client
                .send(b"\xa1\x0c\0\x08\0\0\x07")
                .expect("the server reads");
            client
        })
        .collect();
    assert_works(&mut server.client());

    let after = (resident_kib(handler), virtual_kib(handler));
    assert!(
        after.0 < before.0 + ALLOWED_KIB,
        "{before:?} KiB have become {after:?}"
    );
    assert!(
        after.1 < before.1 + ALLOWED_KIB,
        "{before:?} KiB have become {after:?}"
    );
    drop(waiting);
}

/// The C module closes the connection from 64 KiB on.
#[test]
fn requests_may_have_a_megabyte_and_not_more() {
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    let long = "x".repeat(1_000_000);

    let answer = server.client().call("core.echo", &[long.as_str().into()]);
    assert_eq!(answer, Answer::Reply(vec![Node::Str(long.into_bytes())]));

    // Only the header is sent, because a server that has refused it reads nothing more.
    let (_, answer) =
        decode(&server.client().call_raw(b"\xa1\x08\x10\0\0\x07")).expect("a good answer");
    assert!(
        matches!(answer, Answer::Fault { code: 400, .. }),
        "{answer}"
    );
    assert_works(&mut server.client());
}

/// The core's look-up computes with the address of the name.
#[test]
fn a_method_without_a_name_is_not_found() {
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    for method in ["", "\0"] {
        let answer = server.client().call(method, &[]);
        assert!(
            matches!(answer, Answer::Fault { code: 500, .. }),
            "{answer}"
        );
    }
    assert_works(&mut server.client());
}

fn assert_works(client: &mut Client) {
    let answer = client.call("core.echo", &["works".into()]);
    assert_eq!(answer.values().len(), 1, "{answer}");
}
