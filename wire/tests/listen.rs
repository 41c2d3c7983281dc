//! What holds for every address to listen on.

use proptest::prelude::*;
use rpc_wire::listen::{Flavour, Listen, PathFlavour, Place, Port, Transport};

fn flavour() -> impl Strategy<Value = Flavour> {
    prop_oneof![Just(Flavour::BINRPC), Just(Flavour::FIFO)]
}

fn port() -> impl Strategy<Value = Port> {
    prop_oneof![
        Just(Port::Default),
        (1..=u16::MAX).prop_map(Port::Number),
        "[a-z][a-z0-9-]{0,14}".prop_map(Port::Service),
    ]
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| ip.to_string()),
        "fe80::[0-9a-f]{1,4}%[a-z0-9]{1,8}",
        "[a-zA-Z0-9_-]{0,9}[a-z][a-z0-9.-]{0,9}",
    ]
}

fn inet() -> impl Strategy<Value = Listen> {
    let transport = prop_oneof![Just(Transport::Udp), Just(Transport::Tcp)];
    (transport, proptest::option::of(host()), port()).prop_map(|(transport, host, port)| Listen {
        transport,
        place: Place::Inet { host, port },
    })
}

fn path() -> impl Strategy<Value = Listen> {
    let transport = prop_oneof![
        Just(Transport::UnixStream),
        Just(Transport::UnixDatagram),
        Just(Transport::Fifo),
    ];
    // At most 26 characters of 4 bytes each fit into a socket's path.
    (transport, "[^\0]{1,26}").prop_map(|(transport, path)| Listen {
        transport,
        place: Place::Path(path),
    })
}

proptest! {
    #[test]
    fn an_address_is_read_back_as_it_is_shown(
        listen in prop_oneof![inet(), path()],
        flavour in flavour(),
    ) {
        prop_assert_eq!(Listen::parse(&listen.to_string(), flavour), Ok(listen));
    }

    #[test]
    fn an_address_that_was_read_is_read_again(
        text in "(udp:|unix:|)[a-z0-9:/.*\\[\\]%]{0,20}",
        flavour in flavour(),
    ) {
        if let Ok(listen) = Listen::parse(&text, flavour) {
            prop_assert_eq!(listen.transport.is_inet(), matches!(listen.place, Place::Inet { .. }));
            prop_assert_eq!(Listen::parse(&listen.to_string(), flavour), Ok(listen));
        }
    }

    #[test]
    fn an_address_where_a_path_is_usual_is_read_again(
        text in "(udp:|unix:|unixd:|fifo:|tcp:|)[a-z0-9:/.*\\[\\]%]{0,20}",
        flavour in prop_oneof![Just(PathFlavour::DATAGRAM), Just(PathFlavour::PIPE)],
    ) {
        if let Ok(listen) = Listen::parse_path(&text, flavour) {
            prop_assert_eq!(Listen::parse_path(&listen.to_string(), flavour), Ok(listen));
        }
    }

    #[test]
    fn any_text_is_an_address_or_an_error_in_one_line(text: String, flavour in flavour()) {
        if let Err(error) = Listen::parse(&text, flavour) {
            prop_assert!(!error.to_string().contains(char::is_control));
        }
    }
}
