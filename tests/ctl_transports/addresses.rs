//! The addresses of the parameters `binrpc` and `fifo`, in every form.

use std::fs;
use std::net::TcpListener;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use harness::binrpc::{Address, Client, decode, request};
use harness::kamcmd;
use harness::linefifo;
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use harness::wait::patience;
use rpc_wire::binrpc::client::{Answer, Node};
use rpc_wire::linefifo::client::Arg;

use crate::listeners::local;

/// The port of UDP and TCP sockets if none is given.
const DEFAULT_PORT: u16 = 2049;

/// A server that listens at these addresses, and at a socket that shows that it is up.
fn listening<'a>(parameter: &str, addresses: impl IntoIterator<Item = &'a str>) -> Server {
    let line = |address| format!("modparam(\"ctl\", \"{parameter}\", \"{address}\")\n");
    let lines: String = addresses.into_iter().map(line).collect();
    Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(r#"modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")"#)
        .config(&lines)
        .start()
}

fn assert_echoes(address: Address) {
    let shown = format!("{address:?}");
    let answer = Client::connect(address).call("core.echo", &["hello".into()]);
    let hello = Answer::Reply(vec![Node::Str(b"hello".to_vec())]);
    assert_eq!(answer, hello, "{shown}");
}

fn assert_echoes_lines(address: &linefifo::Address) {
    let reply = linefifo::ask(address, "core.echo", &[Arg::from("hello")]);
    assert_eq!(reply, b"200 OK\nhello\n", "{address:?}");
}

/// An address of the loopback network that nobody else uses, so that the default port
/// is free there whatever runs on this host.
fn own_address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let ours = |third: u8| Ipv4Addr::new(127, third, high, low.max(1));
    let is_free = |address: &Ipv4Addr| {
        let place = (*address, DEFAULT_PORT);
        UdpSocket::bind(place).is_ok() && TcpListener::bind(place).is_ok()
    };
    (64..128)
        .map(ours)
        .find(is_free)
        .expect("some loopback address has port 2049 free")
}

#[test]
fn every_ipv4_address_where_none_is_given() {
    let ports: Vec<u16> = (0..7).map(|_| free_port()).collect();
    let addresses = [
        format!("udp:*:{}", ports[0]),
        format!("tcp:*:{}", ports[1]),
        format!("udp::{}", ports[2]),
        format!("tcp::{}", ports[3]),
        format!("udp:{}", ports[4]),
        format!("tcp:{}", ports[5]),
        // An address without a transport is UDP.
        format!("*:{}", ports[6]),
    ];
    let _server = listening("binrpc", addresses.iter().map(String::as_str));
    for host in [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2)] {
        for (port, address) in ports.iter().zip(&addresses) {
            let place = SocketAddr::from((host, *port));
            match address.starts_with("tcp") {
                true => assert_echoes(Address::Tcp(place)),
                false => assert_answers_somehow(place),
            }
        }
    }
}

/// Asks a UDP socket for all addresses. The system chooses the address from which such
/// a socket answers, and a connected client would accept only one. This client accepts
/// any.
pub(crate) fn assert_answers_somehow(place: SocketAddr) {
    let client = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a new socket");
    client
        .set_read_timeout(Some(patience()))
        .expect("a time limit");
    let request = request("core.version", &[], 1);
    client.send_to(&request, place).expect("it can be sent");
    let mut packet = [0; 1024];
    let len = client.recv(&mut packet).expect("an answer");
    let (_, answer) = decode(&packet[..len]).expect("a good answer");
    assert!(matches!(answer, Answer::Reply(_)), "{answer}");
}

#[test]
fn port_2049_where_none_is_given() {
    let host = own_address();
    // An address without a transport is UDP.
    let addresses = [format!("tcp:{host}"), host.to_string()];
    let server = listening("binrpc", addresses.iter().map(String::as_str));
    let place = SocketAddr::from((host, DEFAULT_PORT));
    assert_echoes(Address::Tcp(place));
    assert_echoes(Address::Udp(place));
    drop(server);

    let addresses = [format!("tcp:{host}"), format!("udp:{host}")];
    let _server = listening("fifo", addresses.iter().map(String::as_str));
    assert_echoes_lines(&linefifo::Address::Tcp(place));
    assert_echoes_lines(&linefifo::Address::Udp(place));
}

/// If the name has addresses of both kinds the IPv4 address counts, as in C and for
/// kamcmd.
#[test]
fn a_name_that_resolves() {
    let ports = [free_port(), free_port()];
    let addresses = [
        format!("udp:localhost:{}", ports[0]),
        format!("tcp:localhost:{}", ports[1]),
    ];
    let _server = listening("binrpc", addresses.iter().map(String::as_str));
    let [udp, tcp] = ports.map(local);
    assert_echoes(Address::Udp(udp));
    assert_echoes(Address::Tcp(tcp));
    // The server's own client accepts the same text.
    for address in &addresses {
        let output = kamcmd::run_at(address, &["core.echo", "hello"]);
        assert_eq!(output.stdout, "hello\n", "{address}: {output:?}");
    }
}

/// The C module refuses them.
#[test]
fn ipv6_in_brackets() {
    let ports: Vec<u16> = (0..5).map(|_| free_port()).collect();
    let addresses = [
        format!("udp:[::1]:{}", ports[0]),
        format!("tcp:[::1]:{}", ports[1]),
        format!("[::1]:{}", ports[2]),
    ];
    let server = listening("binrpc", addresses.iter().map(String::as_str));
    let at = |port| SocketAddr::from((Ipv6Addr::LOCALHOST, port));
    assert_echoes(Address::Udp(at(ports[0])));
    assert_echoes(Address::Tcp(at(ports[1])));
    assert_echoes(Address::Udp(at(ports[2])));
    drop(server);

    let addresses = [
        format!("udp:[::1]:{}", ports[3]),
        format!("tcp:[::1]:{}", ports[4]),
    ];
    let _server = listening("fifo", addresses.iter().map(String::as_str));
    assert_echoes_lines(&linefifo::Address::Udp(at(ports[3])));
    assert_echoes_lines(&linefifo::Address::Tcp(at(ports[4])));
}

#[test]
fn a_bare_path() {
    let server = listening("binrpc", ["{dir}/bare"]);
    assert_echoes(Address::UnixStream(server.path("bare")));
    drop(server);

    let server = listening("fifo", ["{dir}/bare"]);
    assert_echoes_lines(&linefifo::Address::Pipe(server.path("bare")));
}

/// A path goes up to the end of the text.
#[test]
fn a_path_with_a_colon() {
    let server = listening("binrpc", ["unixs:{dir}/a:b", "unixd:{dir}/c:d"]);
    assert_echoes(Address::UnixStream(server.path("a:b")));
    assert_echoes(Address::UnixDatagram(server.path("c:d")));
}

/// These are written as in `ss -x` and in other programs' configurations.
#[test]
fn transports_in_capitals() {
    let ports = [free_port(), free_port()];
    let addresses = [
        format!("UDP:127.0.0.1:{}", ports[0]),
        format!("Tcp:127.0.0.1:{}", ports[1]),
        "UNIXD:{dir}/datagram".to_owned(),
        "Unix:{dir}/stream".to_owned(),
    ];
    let server = listening("binrpc", addresses.iter().map(String::as_str));
    assert_echoes(Address::Udp(local(ports[0])));
    assert_echoes(Address::Tcp(local(ports[1])));
    assert_echoes(Address::UnixDatagram(server.path("datagram")));
    assert_echoes(Address::UnixStream(server.path("stream")));
}

#[test]
fn a_service_instead_of_a_port() {
    let host = own_address();
    let (name, port) = free_service(host);
    let addresses = [format!("tcp:{host}:{name}"), format!("udp:{host}:{name}")];
    let _server = listening("binrpc", addresses.iter().map(String::as_str));
    let place = SocketAddr::from((host, port));
    assert_echoes(Address::Tcp(place));
    assert_echoes(Address::Udp(place));
}

/// A service that has the same port on TCP and UDP. An ordinary user may listen on it,
/// and nobody does.
fn free_service(host: Ipv4Addr) -> (String, u16) {
    let services = fs::read_to_string("/etc/services").expect("a list of services");
    let entry = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let name = words.next()?.to_owned();
        let port = words.next()?.strip_suffix("/tcp")?.parse().ok()?;
        Some((name, port))
    };
    let has_udp = |port: u16| {
        let wanted = format!("{port}/udp");
        services
            .lines()
            .any(|line| line.split_whitespace().nth(1) == Some(&wanted))
    };
    services
        .lines()
        .filter_map(entry)
        .filter(|(_, port)| *port > 1024 && *port != DEFAULT_PORT && has_udp(*port))
        .find(|(_, port)| {
            UdpSocket::bind((host, *port)).is_ok() && TcpListener::bind((host, *port)).is_ok()
        })
        .expect("a service whose port is free")
}

#[test]
fn any_number_of_addresses_at_once() {
    const EACH: usize = 20;
    let ports: Vec<u16> = (0..EACH).map(|_| free_port()).collect();
    let addresses: Vec<String> = (0..EACH)
        .flat_map(|number| {
            [
                format!("unix:{{dir}}/s{number}"),
                format!("unixd:{{dir}}/d{number}"),
                format!("udp:127.0.0.1:{}", ports[number]),
                format!("tcp:127.0.0.1:{}", ports[number]),
            ]
        })
        .collect();
    let server = listening("binrpc", addresses.iter().map(String::as_str));
    for (number, port) in ports.iter().enumerate() {
        assert_echoes(Address::UnixStream(server.path(&format!("s{number}"))));
        assert_echoes(Address::UnixDatagram(server.path(&format!("d{number}"))));
        assert_echoes(Address::Udp(local(*port)));
        assert_echoes(Address::Tcp(local(*port)));
    }
    let listed = server.client().call("ctl.listen", &[]);
    assert_eq!(listed.values().len(), 4 * (4 * EACH + 1), "{listed}");
}
