//! `ctl.who`, `ctl.listen` and `ctl.connections`.

use harness::binrpc::{Address, Client};
use harness::builder::Builder;
use harness::jsonrpc;
use harness::linefifo;
use harness::modules::Flavor;
use harness::server::{Server, short_directory};
use rpc_wire::binrpc::client::{Answer, Node};

use crate::listeners::{CtlListeners, STREAM, wait_for_connections};

const COMMANDS: [&str; 3] = ["ctl.who", "ctl.listen", "ctl.connections"];

fn described(flavor: Flavor, listeners: &CtlListeners) -> Builder {
    Server::builder(flavor)
        .modules(["ctl"])
        .config(&listeners.config())
        .socket(STREAM)
}

/// They are listed without a connection, with one, and with one of each kind.
#[test]
fn they_answer_over_every_transport_as_in_the_c_module() {
    let (place, listeners) = (short_directory(), CtlListeners::new());
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = described(flavor, &listeners)
            .directory(place.path())
            .start();
        ask_everywhere(&listeners, &server)
    });
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert_eq!(theirs, ours);
    }
}

/// A command, and the answer to it without what differs between two runs.
type Told = (String, String);

fn ask_everywhere(listeners: &CtlListeners, server: &Server) -> Vec<Told> {
    let mut told = Vec::new();
    let [stream, tcp] = listeners.streams(server);
    for address in listeners.datagrams(server) {
        let mut client = Client::connect(address.clone());
        wait_for_connections(&mut client, 0);
        told.extend(ask(&mut client, &format!("{address:?}, nobody connected")));
    }
    for address in [&stream, &tcp] {
        let mut client = Client::connect(address.clone());
        wait_for_connections(&mut client, 1);
        told.extend(ask(&mut client, &format!("{address:?}, alone")));
    }
    let _others = connected(&[stream.clone(), tcp.clone(), stream, tcp]);
    for address in listeners.datagrams(server) {
        let mut client = Client::connect(address.clone());
        wait_for_connections(&mut client, 4);
        told.extend(ask(&mut client, &format!("{address:?}, four connected")));
    }
    told
}

/// Clients that are connected in this order.
fn connected(addresses: &[Address]) -> Vec<Client> {
    let connect = |address: &Address| {
        let mut client = Client::connect(address.clone());
        // The client is answered, so it is accepted before the next one.
        client.call("core.version", &[]);
        client
    };
    addresses.iter().map(connect).collect()
}

fn ask(client: &mut Client, how: &str) -> Vec<Told> {
    let asked = COMMANDS.map(|command| {
        let answer = without_client_ports(command, client.call(command, &[]));
        (format!("{command} over {how}"), answer.to_string())
    });
    asked.to_vec()
}

/// Replaces the client's port, which is the fourth of six values of each connection.
fn without_client_ports(command: &str, mut answer: Answer) -> Answer {
    let ports = match &mut answer {
        Answer::Reply(values) if command == "ctl.who" => values.iter_mut().skip(3).step_by(6),
        _ => return answer,
    };
    for port in ports {
        let digits = port.as_str().expect("a port is text").len();
        *port = Node::Str(if digits == 0 { "none" } else { "some" }.into());
    }
    answer
}

#[test]
fn every_place_is_listed_in_the_words_of_the_configuration() {
    let (place, listeners) = (short_directory(), CtlListeners::new());
    let server = described(Flavor::Rust, &listeners)
        .directory(place.path())
        .start();
    let listed = server.client().call("ctl.listen", &[]);
    let mut texts: Vec<Vec<&str>> = listed
        .values()
        .chunks(4)
        .map(|place| place.iter().filter_map(Node::as_str).collect())
        .collect();
    texts.sort_unstable();
    let kinds: Vec<[&str; 2]> = texts.iter().map(|place| [place[0], place[1]]).collect();
    assert_eq!(
        kinds,
        [
            ["binrpc", "tcp"],
            ["binrpc", "udp"],
            ["binrpc", "unix_dgram"],
            ["binrpc", "unix_stream"],
            ["fifo", "fifo"],
            ["fifo", "tcp"],
            ["fifo", "udp"],
        ]
    );
    for place in &texts {
        match place[1] {
            "tcp" | "udp" => {
                assert_eq!(place[2], "127.0.0.1");
                assert!(place[3].parse::<u16>().is_ok(), "{place:?}");
            }
            _ => assert!(place[2].starts_with('/'), "{place:?}"),
        }
    }
}

/// A connection of the line protocol is listed as well, and its client may also ask.
#[test]
fn they_answer_over_the_line_protocol() {
    let listeners = CtlListeners::new();
    let server = described(Flavor::Rust, &listeners).start();
    let [pipe, udp, tcp] = listeners.lines(&server);
    let listed = server.client().call("ctl.listen", &[]);
    let expected: String = listed
        .values()
        .iter()
        .map(|value| format!("{}\n", value.as_str().expect("text")))
        .collect();
    for address in [&pipe, &udp, &tcp] {
        let reply = linefifo::ask(address, "ctl.listen", &[]);
        assert_eq!(
            String::from_utf8_lossy(&reply),
            format!("200 OK\n{expected}")
        );
    }

    let mut witness = Client::connect(listeners.datagrams(&server)[0].clone());
    wait_for_connections(&mut witness, 0);
    let reply = linefifo::ask(&pipe, "ctl.connections", &[]);
    assert_eq!(reply, b"200 OK\n0\n");
    let reply = linefifo::ask(&udp, "ctl.who", &[]);
    assert_eq!(reply, b"400 no open stream connection\n");
    let reply = linefifo::ask(&tcp, "ctl.who", &[]);
    let reply = String::from_utf8(reply).expect("text");
    let lines: Vec<&str> = reply.lines().collect();
    assert_eq!(
        lines[..4],
        ["200 OK", "fifo", "tcp", "127.0.0.1"],
        "{reply}"
    );
    assert_eq!(lines[5], "127.0.0.1", "{reply}");
    assert_eq!(lines.len(), 7, "{reply}");
}

/// A process other than the handler does not know the handler's connections.
#[test]
fn asked_from_another_transport_they_say_so_as_in_the_c_module() {
    let place = short_directory();
    let listeners = CtlListeners::new();
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = described(flavor, &listeners)
            .from_c("jsonrpcs")
            .modules(["jsonrpcs"])
            .config(
                r#"
                modparam("jsonrpcs", "transport", 4)
                modparam("jsonrpcs", "dgram_socket", "{dir}/jsonrpc")
                "#,
            )
            .directory(place.path())
            .start();
        // A client is connected about which it could tell.
        let _client = connected(&[Address::UnixStream(server.socket())]);
        COMMANDS.map(|command| jsonrpc::call(&server.path("jsonrpc"), command, ""))
    });
    assert_eq!(theirs, ours);
    let [who, listen, connections] = ours;
    assert!(who.contains("606"), "{who}");
    assert!(connections.contains("606"), "{connections}");
    assert!(!listen.contains("binrpc"), "{listen}");
}
