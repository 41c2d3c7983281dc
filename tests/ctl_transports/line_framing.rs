//! Requests of the line protocol that come in pieces, or several at once.

use std::io::{Read, Write};
use std::net::TcpStream;

use harness::linefifo::{Client, ReplyPipe, ask_raw, request};
use rpc_wire::linefifo::client::Arg;

use crate::line_requests::LineServer;

#[test]
fn requests_in_one_write_are_answered_in_their_order() {
    let lines = LineServer::new();
    let [pipe, _, tcp] = lines.addresses();

    let requests: Vec<u8> = (0..200)
        .flat_map(|number| request("core.echo", "", &[Arg::from(number)]))
        .collect();
    let expected: String = (0..200)
        .map(|number| format!("200 OK\n{number}\n"))
        .collect();
    let reply = ask_raw(&tcp, |_| requests);
    assert_eq!(String::from_utf8_lossy(&reply), expected);

    let mut replies: Vec<ReplyPipe> = (0..20).map(|_| ReplyPipe::new()).collect();
    let requests: Vec<u8> = replies
        .iter()
        .flat_map(|reply| request("core.echo", reply.name(), &[Arg::from(reply.name())]))
        .collect();
    Client::connect(&pipe)
        .send(&requests)
        .expect("the server reads");
    for reply in &mut replies {
        let expected = format!("200 OK\n{}\n", reply.name());
        let told = reply.read_all().expect("a reply");
        assert_eq!(String::from_utf8_lossy(&told), expected);
    }
}

/// What follows the request in a datagram is ignored, as in C.
#[test]
fn a_datagram_is_one_request() {
    let lines = LineServer::new();
    let [_, udp, _] = lines.addresses();
    let mut client = Client::connect(&udp);
    let two = b":core.echo:\nfirst\n\n:core.echo:\nsecond\n\n";
    client.send(two).expect("the server reads");
    assert_eq!(client.receive_all().expect("a reply"), b"200 OK\nfirst\n");
    client
        .send(b":core.echo:\nthird\n\n")
        .expect("the server reads");
    assert_eq!(client.receive_all().expect("a reply"), b"200 OK\nthird\n");
}

#[test]
fn a_datagram_that_is_cut_off_is_refused() {
    let lines = LineServer::new();
    let [_, udp, _] = lines.addresses();
    for cut in [
        ":core.echo:",
        ":core.echo:\n",
        ":core.echo:\nx",
        ":core.echo:\nx\n",
    ] {
        let reply = ask_raw(&udp, |_| cut.into());
        let refusal = b"400 bad request: the request is not complete";
        assert!(
            reply.starts_with(refusal),
            "{cut:?}: {}",
            reply.escape_ascii()
        );
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let lines = LineServer::new();
    let [pipe, _, tcp] = lines.addresses();
    for address in [pipe, tcp] {
        let mut client = Client::connect(&address);
        let words = [Arg::from("one"), Arg::from("t\\wo")];
        for byte in request("core.echo", client.reply_file(), &words) {
            client.send(&[byte]).expect("the server reads");
        }
        let reply = client.receive_all().expect("a reply");
        assert_eq!(reply, b"200 OK\none\nt\\\\wo\n", "{address:?}");
    }
}

/// A read may end inside a line end or an escape.
#[test]
fn a_request_may_be_cut_anywhere() {
    let lines = LineServer::new();
    let mut stream = lines.connect_tcp();
    let first = b":core.echo:\nbefore\n\n";
    let second = b":core.echo:\r\na\\tb\r\n\r\n";
    for cut in 0..second.len() {
        let (start, end) = second.split_at(cut);
        stream
            .write_all(&[first, start].concat())
            .expect("it reads");
        // The answer shows that the server has read up to the cut.
        assert_reads(&mut stream, "200 OK\nbefore\n");
        stream.write_all(end).expect("it reads");
        assert_reads(&mut stream, "200 OK\na\\tb\n");
    }
}

fn assert_reads(stream: &mut TcpStream, expected: &str) {
    let mut reply = vec![0; expected.len()];
    stream.read_exact(&mut reply).expect("a reply");
    assert_eq!(String::from_utf8_lossy(&reply), expected);
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let lines = LineServer::new();
    let mut stream = lines.connect_tcp();
    for number in 0..100 {
        let request = request("core.echo", "", &[Arg::from(number)]);
        stream.write_all(&request).expect("it reads");
        assert_reads(&mut stream, &format!("200 OK\n{number}\n"));
    }
}
