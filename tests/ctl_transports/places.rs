//! The clients that get a place if there are more clients than places.

use harness::binrpc::{Address, Client, request};
use harness::kamcmd;
use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Node};

use crate::listeners::{CtlListeners, STREAM};

fn echoes(client: &mut Client) -> bool {
    let answer = client.try_call("core.echo", &["hello".into()]);
    answer.is_ok_and(|answer| answer == Answer::Reply(vec![Node::Str(b"hello".to_vec())]))
}

fn start(listeners: &CtlListeners, descriptors: u64) -> Server {
    Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(&listeners.config())
        .socket(STREAM)
        .descriptors(descriptors)
        .start()
}

/// A client of the network opens more connections than there are places.
#[test]
fn idle_clients_of_the_network_keep_nobody_out() {
    let listeners = CtlListeners::new();
    let server = start(&listeners, 160);
    let [unix, tcp] = listeners.streams(&server);
    let mut terminal = kamcmd::interactive(&server.socket());
    terminal.read_to("kamcmd> ");
    let mut first = Client::connect(tcp.clone());
    assert!(echoes(&mut first));
    // A client that is being served cannot lose its place.
    let echo = request("core.echo", &["hello".into()], 1);
    let mut idle: Vec<Client> = (0..300).map(|_| Client::connect(tcp.clone())).collect();
    assert!(first.is_closed_by_server());
    // They keep their places once each of them has begun a request.
    for client in &mut idle {
        let _ = client.send(&echo[..5]);
    }
    for address in [&unix, &tcp] {
        let mut clients: Vec<Client> = (0..5).map(|_| Client::connect(address.clone())).collect();
        assert!(clients.iter_mut().all(echoes));
    }
    let answer = kamcmd::run(&server.socket(), &["core.echo", "works"]);
    assert_eq!(answer.stdout, "works\n", "{answer:?}");
    terminal.type_in("core.echo still here\n");
    terminal.read_to("\nstill\r\nhere\r\n");
    let told = "is closed: another client needs the place";
    assert!(server.log().contains(told), "{}", server.log());
}

/// Clients of the Unix socket are never closed, so there is a limit for them.
#[test]
fn clients_of_the_network_leave_a_reserve_and_local_ones_stay() {
    let listeners = CtlListeners::new();
    let server = start(&listeners, 160);
    let [unix, tcp] = listeners.streams(&server);
    let mut local: Vec<Client> = Vec::new();
    loop {
        let mut client = Client::connect(unix.clone());
        if !echoes(&mut client) {
            break;
        }
        local.push(client);
        assert!(local.len() < 160, "more than there are descriptors");
    }
    assert!(!echoes(&mut Client::connect(tcp.clone())));
    assert!(local.iter_mut().all(echoes));
    // Any client may have the places from a quarter on.
    local.truncate(local.len() * 3 / 4);
    wait::until("there is room", || {
        echoes(&mut Client::connect(tcp.clone()))
    });
}

/// A server that is allowed few descriptors serves as many clients as with C.
#[test]
fn few_descriptors_are_enough_for_thirty_clients() {
    for descriptors in [64, 70] {
        for flavor in [Flavor::C, Flavor::Rust] {
            let listeners = CtlListeners::new();
            let server = Server::builder(flavor)
                .modules(["ctl"])
                .config(&listeners.config())
                .socket(STREAM)
                .descriptors(descriptors)
                .start();
            for address in listeners.streams(&server) {
                let mut clients: Vec<Client> =
                    (0..30).map(|_| Client::connect(address.clone())).collect();
                let served = clients.iter_mut().map(echoes).filter(|it| *it).count();
                assert_eq!(
                    served,
                    30,
                    "{flavor:?} with {descriptors}: {}",
                    server.log()
                );
            }
        }
    }
}

/// Idle clients at one port make room for those at another, but not the other way
/// round.
#[test]
fn each_port_has_its_share() {
    let listeners = CtlListeners::new();
    let server = start(&listeners, 160);
    let [_, tcp] = listeners.streams(&server);
    let Address::Tcp(binrpc) = tcp.clone() else {
        unreachable!("the second one is TCP");
    };
    let [_, _, lines] = listeners.lines(&server);
    let harness::linefifo::Address::Tcp(other) = lines else {
        unreachable!("the last one is TCP");
    };
    assert_ne!(binrpc, other);
    let mut few: Vec<harness::linefifo::Client> = (0..10)
        .map(|_| harness::linefifo::Client::connect(&lines))
        .collect();
    let many: Vec<Client> = (0..300).map(|_| Client::connect(tcp.clone())).collect();
    for client in &mut few {
        client.send(b":core.echo:\nhello\n\n").expect("it is open");
        let reply = client.receive_all();
        assert!(
            reply.as_ref().is_ok_and(|reply| reply.starts_with(b"200")),
            "{reply:?}"
        );
    }
    drop(many);
}
