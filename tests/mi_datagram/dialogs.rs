//! Calls, which the old exchanges do not have.

use std::net::{Ipv4Addr, UdpSocket};

use harness::datagram::ask;
use harness::modules::Flavor;
use harness::server::Server;
use harness::wait;

fn reply(server: &Server, request: &str) -> String {
    String::from_utf8_lossy(&ask(&server.path("mi"), request.as_bytes())).into_owned()
}

/// The caller calls somebody who does not answer.
#[test]
fn dialogs_are_listed_and_ended_in_the_old_style() {
    let callee = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = callee.local_addr().expect("an address");
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "tm", "sl", "rr", "pv", "dialog", "mi_datagram"])
        .config(&format!(
            r#"
            modparam("mi_datagram", "socket_name", "{{dir}}/mi")
            request_route {{
                dlg_manage();
                $du = "sip:{address}";
                t_relay();
                exit;
            }}
            "#
        ))
        .start();
    assert_eq!(reply(&server, ":dlg_list:\n"), "200 OK\n");

    let caller = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let own = caller.local_addr().expect("an address");
    let invite = format!(
        "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bK1\r\n\
         From: <sip:alice@example.org>;tag=a1\r\nTo: <sip:bob@example.org>\r\n\
         Call-ID: call-1\r\nCSeq: 7 INVITE\r\nContact: <sip:alice@{own}>\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    caller
        .send_to(invite.as_bytes(), (Ipv4Addr::LOCALHOST, server.port()))
        .expect("a way there");
    // While the script runs there is a second reference.
    let listed = wait::for_some(|| {
        Some(reply(&server, ":dlg_list:\n")).filter(|listed| listed.contains("ref_count:: 1\n"))
    });
    let listed = listed.expect("a dialog");

    let hash = listed
        .strip_prefix("200 OK\ndialog::  hash=")
        .and_then(|rest| rest.lines().next())
        .unwrap_or_else(|| panic!("{listed}"));
    let (entry, id) = hash.split_once(':').expect("two numbers");
    for line in [
        "\tstate:: 1".to_owned(),
        "\ttimestart:: 0".to_owned(),
        "\tcallid:: call-1".to_owned(),
        "\tfrom_uri:: sip:alice@example.org".to_owned(),
        "\tfrom_tag:: a1".to_owned(),
        format!("\tcaller_contact:: sip:alice@{own}"),
        "\tcaller_cseq:: 7".to_owned(),
        "\tcaller_route_set:: ".to_owned(),
        format!("\tcaller_bind_addr:: udp:127.0.0.1:{}", server.port()),
        "\tto_uri:: sip:bob@example.org".to_owned(),
        "\tto_tag:: ".to_owned(),
    ] {
        assert!(listed.lines().any(|has| has == line), "{line:?}\n{listed}");
    }
    let names: Vec<&str> = listed
        .lines()
        .skip(2)
        .filter_map(|line| line.trim_start().split(":: ").next())
        .collect();
    assert_eq!(names, NAMES);

    // With arguments only that call is listed, or none.
    assert_eq!(reply(&server, ":dlg_list:\ncall-1\na1\n"), listed);
    assert_eq!(
        reply(&server, ":dlg_list:\nother\n"),
        "404 Nu such dialog\n"
    );

    let ended = reply(&server, &format!(":dlg_end_dlg:\n{entry}\n{id}\n"));
    assert_eq!(ended, "200 OK\n");
    assert_eq!(
        reply(&server, ":dlg_end_dlg:\n1\n2\n"),
        "404 Requested Dialog not found\n"
    );
}

/// The names of a dialog's values, in the old order.
const NAMES: &[&str] = &[
    "state",
    "ref_count",
    "timestart",
    "timeout",
    "callid",
    "from_uri",
    "from_tag",
    "caller_contact",
    "caller_cseq",
    "caller_route_set",
    "caller_bind_addr",
    "callee_bind_addr",
    "to_uri",
    "to_tag",
    "callee_contact",
    "callee_cseq",
    "callee_route_set",
];
