use super::{Flavour, Listen, ListenError, MAX_SOCKET_PATH, PathFlavour, Place, Port, Transport};

/// The meaning of `text` for the parameter `binrpc`, written out in full.
fn binrpc(text: &str) -> String {
    written_out(text, Flavour::BINRPC)
}

fn fifo(text: &str) -> String {
    written_out(text, Flavour::FIFO)
}

fn written_out(text: &str, flavour: Flavour) -> String {
    match Listen::parse(text, flavour) {
        Ok(listen) => listen.to_string(),
        Err(error) => error.to_string(),
    }
}

fn refused(text: &str) -> ListenError {
    Listen::parse(text, Flavour::BINRPC).expect_err("a wrong address")
}

#[test]
fn every_transport() {
    assert_eq!(binrpc("unix:/tmp/ctl"), "unix:/tmp/ctl");
    assert_eq!(binrpc("unixs:/tmp/ctl"), "unix:/tmp/ctl");
    assert_eq!(binrpc("unixd:/tmp/ctl"), "unixd:/tmp/ctl");
    assert_eq!(binrpc("fifo:/tmp/ctl"), "fifo:/tmp/ctl");
    assert_eq!(binrpc("udp:localhost:2000"), "udp:localhost:2000");
    assert_eq!(binrpc("tcp:127.0.0.1:2000"), "tcp:127.0.0.1:2000");
    assert_eq!(binrpc("UnixS:/tmp/ctl"), "unix:/tmp/ctl");
    assert_eq!(binrpc("TCP:*:2000"), "tcp:*:2000");
}

#[test]
fn any_address() {
    for text in ["tcp:2000", "tcp:*:2000", "tcp::2000"] {
        assert_eq!(binrpc(text), "tcp:*:2000");
    }
    for text in ["udp:", "udp:*", "udp:*:", "udp::", "*"] {
        assert_eq!(binrpc(text), "udp:*");
    }
    assert_eq!(binrpc("2000"), "udp:*:2000");
    assert_eq!(binrpc(":2000"), "udp:*:2000");
}

#[test]
fn ipv6_in_brackets() {
    assert_eq!(binrpc("udp:[::1]:2000"), "udp:[::1]:2000");
    assert_eq!(binrpc("tcp:[fe80::1%eth0]"), "tcp:[fe80::1%eth0]");
    assert_eq!(binrpc("[::1]:2000"), "udp:[::1]:2000");
    assert_eq!(binrpc("[::1]"), "udp:[::1]");
    assert_eq!(fifo("[::1]"), "udp:[::1]");
    let host = match Listen::parse("[::1]:", Flavour::BINRPC) {
        Ok(Listen {
            place:
                Place::Inet {
                    host,
                    port: Port::Default,
                },
            ..
        }) => host,
        other => panic!("{other:?}"),
    };
    assert_eq!(host.as_deref(), Some("::1"));
}

#[test]
fn ports_by_name_are_left_to_the_caller() {
    let listen = Listen::parse("tcp:localhost:sip-tls", Flavour::BINRPC);
    assert_eq!(
        listen.map(|listen| listen.place),
        Ok(Place::Inet {
            host: Some("localhost".to_owned()),
            port: Port::Service("sip-tls".to_owned())
        })
    );
}

#[test]
fn without_a_transport_the_parameter_decides() {
    assert_eq!(binrpc("/tmp/ctl"), "unix:/tmp/ctl");
    assert_eq!(fifo("/tmp/ctl"), "fifo:/tmp/ctl");
    assert_eq!(binrpc("run/ctl"), "unix:run/ctl");
    assert_eq!(binrpc("localhost"), "udp:localhost");
    assert_eq!(fifo("kamailio_fifo"), "fifo:kamailio_fifo");
    assert_eq!(binrpc("localhost:2000"), "udp:localhost:2000");
    assert_eq!(fifo("localhost:2000"), "udp:localhost:2000");
}

#[test]
fn an_internet_flavour_is_for_hosts_with_ports_too() {
    let tcp = Flavour {
        path: Transport::UnixStream,
        name: Transport::Tcp,
    };
    assert_eq!(written_out("localhost:2000", tcp), "tcp:localhost:2000");
    assert_eq!(written_out("[::1]", tcp), "tcp:[::1]");
    assert_eq!(written_out("2000", tcp), "tcp:*:2000");
}

#[test]
fn colons_in_paths_are_part_of_them() {
    assert_eq!(binrpc("unix:/tmp/a:b:5"), "unix:/tmp/a:b:5");
    assert_eq!(binrpc("/tmp/a:5"), "unix:/tmp/a:5");
}

fn datagram(text: &str) -> Result<String, ListenError> {
    Listen::parse_path(text, PathFlavour::DATAGRAM).map(|listen| listen.to_string())
}

#[test]
fn a_parameter_for_paths_knows_its_transports() {
    for (text, meaning) in [
        ("/tmp/rpc", "unixd:/tmp/rpc"),
        ("rpc.sock", "unixd:rpc.sock"),
        ("unix:/tmp/rpc", "unixd:/tmp/rpc"),
        ("unixd:/tmp/rpc", "unixd:/tmp/rpc"),
        ("UnixD:rpc", "unixd:rpc"),
        ("udp:127.0.0.1:8090", "udp:127.0.0.1:8090"),
        ("UDP:[::1]:8090", "udp:[::1]:8090"),
    ] {
        assert_eq!(datagram(text).as_deref(), Ok(meaning), "{text}");
    }
    let pipe = Listen::parse_path("Fifo:rpc.fifo", PathFlavour::PIPE);
    assert_eq!(
        pipe.map(|listen| listen.to_string()).as_deref(),
        Ok("fifo:rpc.fifo")
    );
}

#[test]
fn a_parameter_for_paths_refuses_other_transports() {
    for text in [
        "tcp:127.0.0.1:8090",
        "TCP:rpc",
        "unixs:/tmp/rpc",
        "fifo:/tmp/rpc",
        "sctp:127.0.0.1:8090",
        "http:x",
        "unx:/tmp/rpc",
        "upd:127.0.0.1:8090",
        "upd:[::1]:8090",
        "upd:*:8090",
    ] {
        let head = text.split_once(':').map_or(text, |(head, _)| head);
        let told = ListenError::NotServed(format!("{head}:"), PathFlavour::DATAGRAM);
        assert_eq!(datagram(text), Err(told), "{text}");
    }
    let refused = Listen::parse_path("unix:/tmp/rpc", PathFlavour::PIPE);
    assert_eq!(
        refused.map_err(|error| error.to_string()),
        Err(
            "\"unix:\" is not served here; write a path such as /run/kamailio/rpc, with or \
             without fifo: in front of it"
                .to_owned()
        )
    );
}

#[test]
fn names_of_files_may_have_colons() {
    for text in [
        "a:b",
        "a:b:c",
        ":a",
        "rpc:1",
        "kamailio:rpc:5060",
        "/tmp/a:b",
        "./udp:a",
        "run/a:/b",
    ] {
        assert_eq!(datagram(text), Ok(format!("unixd:{text}")), "{text}");
    }
}

#[test]
fn unknown_transports() {
    for text in ["sctp:127.0.0.1:2049", "sctp:2049", "SCTP:*"] {
        assert!(
            matches!(refused(text), ListenError::UnknownTransport(_)),
            "{text}"
        );
    }
    assert_eq!(
        binrpc("unx:/tmp/ctl"),
        "there is no transport \"unx\"; there are unix, unixs, unixd, udp, tcp and fifo"
    );
}

#[test]
fn wrong_ports() {
    for port in ["0", "65536", "99999999999", "-1", "20 49", "1.2", "ä"] {
        let text = format!("udp:localhost:{port}");
        assert_eq!(refused(&text), ListenError::Port(port.to_owned()), "{text}");
    }
    assert_eq!(refused("tcp:0"), ListenError::Port("0".to_owned()));
    assert_eq!(refused("70000"), ListenError::Port("70000".to_owned()));
    assert_eq!(
        binrpc("tcp:70000"),
        "\"70000\" is no port; write a number from 1 to 65535 or the name of a service"
    );
}

#[test]
fn wrong_hosts() {
    for host in ["local host", "a,b", "**", "5060"] {
        let text = format!("udp:{host}:2049");
        assert_eq!(refused(&text), ListenError::Host(host.to_owned()));
    }
    assert_eq!(
        refused("udp:/tmp/ctl"),
        ListenError::Host("/tmp/ctl".to_owned())
    );
    assert_eq!(
        refused("[10.0.0.1]"),
        ListenError::Host("[10.0.0.1]".to_owned())
    );
    assert_eq!(refused("[::1%]"), ListenError::Host("[::1%]".to_owned()));
}

#[test]
fn wrong_brackets() {
    assert_eq!(
        refused("udp:[::1"),
        ListenError::UnclosedBracket("[::1".to_owned())
    );
    assert_eq!(
        refused("[::1]2049"),
        ListenError::AfterBracket("2049".to_owned())
    );
    for text in ["::1", "2001:db8::1", "::1:2049"] {
        assert_eq!(refused(text), ListenError::Colons(text.to_owned()));
    }
    assert_eq!(refused("udp:::1"), ListenError::Colons("::1".to_owned()));
}

#[test]
fn wrong_paths() {
    assert_eq!(refused(""), ListenError::Empty);
    assert_eq!(
        refused("unix:"),
        ListenError::EmptyPath(Transport::UnixStream)
    );
    assert_eq!(refused("fifo:"), ListenError::EmptyPath(Transport::Fifo));
    assert_eq!(refused("unix:/a\0b"), ListenError::NulInPath);
    assert_eq!(
        binrpc("unixd:"),
        "the path is missing; write for example unixd:/run/kamailio/ctl"
    );
}

#[test]
fn paths_of_sockets_have_107_bytes_at_most() {
    let path = format!("/{}", "x".repeat(MAX_SOCKET_PATH - 1));
    assert!(Listen::parse(&format!("unix:{path}"), Flavour::BINRPC).is_ok());
    assert_eq!(
        refused(&format!("unixd:{path}x")),
        ListenError::PathTooLong(108)
    );
    assert_eq!(refused(&format!("{path}x")), ListenError::PathTooLong(108));
    assert!(Listen::parse(&format!("fifo:{path}x"), Flavour::BINRPC).is_ok());
}
