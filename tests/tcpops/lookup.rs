//! Finding the connection to an address, and whether it is alive.

use std::net::{Ipv6Addr, SocketAddr};

use harness::modules::Flavor;
use harness::server::{Server, free_port};
use harness::sip_server::StreamPorts;
use harness::sip_stream::{SipStream, Via};

use crate::script::{id, server};

const ROUTE: &str = r#"
request_route {
    if ($hdr(X-Address) != $null) {
        tcp_con_alive("$hdr(X-Address)"); $var(alive) = $retcode;
        $var(found) = -1;
        tcp_get_conid("$hdr(X-Address)", "$var(found)"); $var(code) = $retcode;
        append_to_reply("X-Result: $var(alive) $var(code) $var(found)\r\n");
    }
    append_to_reply("X-Id: $tcp(conid)\r\n");
    append_to_reply("X-Tcp: $tcp(conid) $tcp(c_si) $tcp(c_sp) $tcp(aconid) $tcp(ac_si) $tcp(ac_sp)\r\n");
    sl_send_reply("200", "Done");
    exit;
}
"#;

fn start(ports: &StreamPorts) -> Server {
    server(ports, Flavor::Rust).config(ROUTE).start()
}

/// The results of `tcp_con_alive` and `tcp_get_conid`, and the number that the latter
/// writes.
fn look_up(stream: &mut SipStream, address: &str) -> String {
    let reply = stream.request("OPTIONS", &format!("X-Address: {address}\r\n"));
    let result = reply.header("X-Result").expect("a result");
    result.to_owned()
}

#[test]
fn connections_are_found_by_address_and_by_uri() {
    let ports = StreamPorts::free();
    let _server = start(&ports);
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        let found = format!("1 1 {}", id(&mut stream));
        let port = stream.local_addr().port();
        for address in [
            format!("127.0.0.1:{port}"),
            format!("sip:127.0.0.1:{port}"),
            format!("sip:bob@127.0.0.1:{port};transport=tcp"),
            format!("SIPS:127.0.0.1:{port}"),
        ] {
            assert_eq!(look_up(&mut stream, &address), found, "{address}");
        }
    }
}

/// A URI that is about TLS and has no port does not lead to 5061, as with the C module.
#[test]
fn the_port_of_a_uri_without_one_is_that_of_sip() {
    let ports = StreamPorts::free();
    let _server = start(&ports);
    // Other tests may use the port, so the address is this test's own.
    let from = SocketAddr::from(([127, 91, 7, 60], 5060));
    let mut stream = ports.connect_from(from);
    let found = format!("1 1 {}", id(&mut stream));
    for uri in ["sip", "sips"].map(|scheme| format!("{scheme}:{}", from.ip())) {
        assert_eq!(look_up(&mut stream, &uri), found, "{uri}");
    }
    let tls = format!("sip:{};transport=tls", from.ip());
    assert_eq!(look_up(&mut stream, &tls), found);
}

#[test]
fn names_are_resolved() {
    let ports = StreamPorts::free();
    // The core's own cache asks name servers, and never reads /etc/hosts.
    let _server = server(&ports, Flavor::Rust)
        .core_config("use_dns_cache=off")
        .config(ROUTE)
        .start();
    let mut stream = ports.connect(Via::Tcp);
    let found = format!("1 1 {}", id(&mut stream));
    let port = stream.local_addr().port();
    for address in [format!("localhost:{port}"), format!("sip:localhost:{port}")] {
        assert_eq!(look_up(&mut stream, &address), found, "{address}");
    }
}

#[test]
fn what_leads_nowhere_is_told() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    let mut stream = ports.connect(Via::Tcp);
    for (address, answer) in [
        // The first address has no connection, and the second is not an address.
        ("127.0.0.1:1", "-1 -1 0"),
        ("127.0.0.1", "-1 -1 0"),
        ("sip:127.0.0.1:1", "-1 -1 0"),
        ("sips:127.0.0.1", "-1 -1 0"),
        ("no.such.host.invalid", "-1 -5 -1"),
        ("no.such.host.invalid:5060", "-1 -5 -1"),
        ("sip:no.such.host.invalid", "-1 -5 -1"),
        ("127.0.0.1:port", "-1 -1 -1"),
        ("127.0.0.1:70000", "-1 -1 -1"),
        (":5060", "-1 -1 -1"),
        ("sip:", "-1 -1 -1"),
        ("sip:[::1", "-1 -1 -1"),
    ] {
        assert_eq!(look_up(&mut stream, address), answer, "{address}");
    }
    assert!(
        server.log().contains("no.such.host.invalid has no address"),
        "{}",
        server.log()
    );
}

#[test]
fn ipv6_connections_are_found() {
    let ports = StreamPorts::free();
    let address = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), free_port());
    let _server = server(&ports, Flavor::Rust)
        .core_config(&format!("listen=tcp:{address}"))
        .config(ROUTE)
        .start();
    let mut stream = SipStream::connect(Via::Tcp, address);
    let number = id(&mut stream);
    let port = stream.local_addr().port();
    for address in [format!("[::1]:{port}"), format!("sip:[::1]:{port}")] {
        assert_eq!(
            look_up(&mut stream, &address),
            format!("1 1 {number}"),
            "{address}"
        );
    }
    for nobody in ["[::1]:1", "[::1]", "::1", "sip:[::1]:1"] {
        assert_eq!(look_up(&mut stream, nobody), "-1 -1 0", "{nobody}");
    }
    let reply = stream.request("OPTIONS", "");
    let text = format!("{number} ::1 {port} {number} ::1 {port}");
    assert_eq!(reply.header("X-Tcp"), Some(text.as_str()));
}

#[test]
fn the_variables_tell_the_connection_of_the_message() {
    let ports = StreamPorts::free();
    let _server = start(&ports);
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        let number = id(&mut stream);
        let port = stream.local_addr().port();
        let reply = stream.request("OPTIONS", "");
        let text = format!("{number} 127.0.0.1 {port} {number} 127.0.0.1 {port}");
        assert_eq!(reply.header("X-Tcp"), Some(text.as_str()));
    }
}
