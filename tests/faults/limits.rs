//! The limits of what a handler keeps for all clients together.

use std::os::unix::net::UnixDatagram;

use harness::binrpc::{Client, request};
use harness::linefifo::{self, ReplyPipe};
use harness::own_path::OwnPath;
use harness::process::private_kib;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::client::Arg;

use crate::everywhere::{Everywhere, Transport};

fn assert_well(everywhere: &Everywhere, server: &Server) {
    for client in &mut everywhere.clients(server) {
        assert!(client.is_answered(), "{:?}", client.transport);
    }
}

/// The limit is 512 MiB for all connections.
#[test]
fn the_client_whose_reply_is_too_much_for_all_is_closed() {
    const EACH_MIB: i32 = 100;
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    let handler = server.process("ctl handler");
    let large = request("faulty.large", &[EACH_MIB.into()], 1);
    let [unix, tcp] = everywhere.streams(&server);
    let mut waiting: Vec<Client> = Vec::new();
    let line = "replies for all clients together are beyond 536870912 bytes";
    for address in [&unix, &tcp].into_iter().cycle().take(6) {
        assert!(!server.log().contains(line), "{}", server.log());
        let mut client = Client::connect(address.clone());
        client.send(&large).expect("the server reads");
        // When this is answered, the other request is, too.
        assert!(
            everywhere
                .client(&server, Transport::BinrpcTcp)
                .is_answered()
        );
        waiting.push(client);
    }
    assert_eq!(server.log().matches(line).count(), 1, "{}", server.log());
    let mut last = waiting.pop().expect("six");
    assert!(last.receive().is_err(), "it is closed in the middle");
    // The others have lost nothing.
    let reply = waiting[0].receive().expect("a reply");
    assert!(reply.len() > (EACH_MIB as usize) << 20);
    drop(waiting);
    wait::until("the memory is free", || private_kib(handler) < 100 * 1024);
    assert_well(&everywhere, &server);
}

/// The limit is 16 MiB for a socket.
#[test]
fn replies_in_datagrams_beyond_what_may_wait_are_lost() {
    let everywhere = Everywhere::new();
    let server = everywhere.builder("").start();
    let own = OwnPath::new();
    let deaf = UnixDatagram::bind(own.path()).expect("a new socket");
    let text = "x".repeat(60_000);
    let request = request("core.echo", &[Arg::from(&*text)], 1);
    let line = "bytes is lost: Resource temporarily unavailable";
    wait::until("one is lost", || {
        for _ in 0..300 {
            deaf.send_to(&request, server.path("datagram"))
                .expect("the server reads");
        }
        server.log().contains(line)
    });
    drop(deaf);
    assert_well(&everywhere, &server);
}

/// The limits are 256 MiB and 1,024 replies for all reply pipes.
#[test]
fn replies_through_pipes_beyond_what_may_wait_are_lost() {
    let everywhere = Everywhere::new();
    // A single reply may have less than what may wait.
    let server = everywhere
        .builder(r#"modparam("ctl", "max_reply", 0x20000000)"#)
        .start();
    let is_told = |line: &str| server.log().contains(line);
    let pipe = ReplyPipe::new();
    let huge = linefifo::request("faulty.large", pipe.name(), &[257.into()]);
    std::fs::write(server.path("pipe"), huge).expect("the server reads");
    wait::until("it is lost", || {
        is_told("too many replies wait for named pipes; the one for ")
    });
    // All of these wait for one pipe from which nobody reads.
    let unread = OwnPath::new();
    linefifo::make_pipe(unread.path());
    let request = linefifo::request("core.echo", unread.name(), &["waits".into()]);
    std::fs::write(server.path("pipe"), request.repeat(1_030)).expect("the server reads");
    wait::until("some are lost", || {
        is_told("nobody reads from it, and too many replies wait")
    });
    let mut other = everywhere.client(&server, Transport::BinrpcTcp);
    assert!(other.is_answered());
    // Once there is a reader they are sent, except for one or two that waited too long.
    let reader = rustix::fs::open(
        unread.path(),
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK,
        rustix::fs::Mode::empty(),
    )
    .expect("a pipe of our own");
    let (mut taken, all) = (0, "200 OK\nwaits\n".len() * 1_000);
    wait::until("there is room again", || {
        taken += rustix::io::read(&reader, &mut [0; 1 << 16]).unwrap_or(0);
        taken > all * 9 / 10
    });
    drop(reader);
    assert_well(&everywhere, &server);
}
