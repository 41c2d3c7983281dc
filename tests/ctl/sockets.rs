//! The sockets of `ctl`, which come with the server and go with it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use harness::binrpc::{Address, Client};
use harness::builder::Builder;
use harness::modules::Flavor;
use harness::server::{Server, free_port, short_directory};
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Node};

const TWO_SOCKETS: &str = r#"
modparam("ctl", "binrpc", "unix:{dir}/first")
modparam("ctl", "binrpc", "unixs:{dir}/second")
"#;

fn plain(flavor: Flavor) -> Builder {
    Server::builder(flavor).modules(["ctl"])
}

fn is_socket(path: &Path) -> bool {
    path.symlink_metadata()
        .is_ok_and(|file| file.file_type().is_socket())
}

fn echoes(address: Address) -> bool {
    let answer = Client::connect(address).call("core.echo", &["hello".into()]);
    answer == Answer::Reply(vec![Node::Str(b"hello".to_vec())])
}

#[test]
fn the_default_socket_is_in_the_runtime_directory() {
    let server = plain(Flavor::Rust).start();
    let socket = server.path("kamailio_ctl");
    assert!(is_socket(&socket));
    assert!(echoes(Address::UnixStream(socket.clone())));
    let mode = fs::metadata(&socket)
        .expect("it exists")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600, "for its owner alone");
}

#[test]
fn every_named_socket_is_served_and_the_default_is_not() {
    let server = plain(Flavor::Rust)
        .config(TWO_SOCKETS)
        .socket("first")
        .start();
    assert!(echoes(Address::UnixStream(server.path("first"))));
    assert!(echoes(Address::UnixStream(server.path("second"))));
    assert!(!server.path("kamailio_ctl").exists());
}

#[test]
fn sockets_are_listed_as_the_c_module_lists_them() {
    let place = short_directory();
    let lists = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = plain(flavor)
            .config(TWO_SOCKETS)
            .socket("first")
            .directory(place.path())
            .start();
        let mut second = Client::connect(Address::UnixStream(server.path("second")));
        wait::until("those who looked whether it is up are gone", || {
            second.call("ctl.connections", &[]).values()[0].as_int() == Some(1)
        });
        (second.call("ctl.listen", &[]), second.call("ctl.who", &[]))
    });
    assert_eq!(lists[0], lists[1]);
    assert_eq!(lists[0].0.values().len(), 8, "four values for each socket");
}

#[test]
fn a_clean_stop_removes_the_sockets() {
    let mut server = plain(Flavor::Rust)
        .config(TWO_SOCKETS)
        .socket("first")
        .start();
    let sockets = [server.path("first"), server.path("second")];
    let status = server.stop();
    assert!(status.success(), "{status}");
    for socket in sockets {
        assert!(!socket.exists(), "{} is left", socket.display());
    }
}

#[test]
fn a_socket_that_a_crash_left_is_replaced() {
    let place = short_directory();
    let start = || plain(Flavor::Rust).directory(place.path()).start();
    let mut crashed = start();
    crashed.crash();
    assert!(is_socket(&crashed.socket()), "nobody was left to remove it");
    let server = start();
    assert!(echoes(Address::UnixStream(server.socket())));
}

/// This is `kamailio -c` while a server with the same configuration runs.
#[test]
fn checking_a_configuration_touches_no_socket() {
    let place = short_directory();
    let described = || {
        plain(Flavor::Rust)
            .config(TWO_SOCKETS)
            .socket("first")
            .directory(place.path())
    };

    let checked = described().check();
    assert!(checked.status.success(), "{}", checked.log);
    assert!(!place.path().join("first").exists());

    let server = described().start();
    let checked = described().check();
    assert!(checked.status.success(), "{}", checked.log);
    assert!(echoes(Address::UnixStream(server.path("first"))));
}

#[test]
fn a_wrong_address_stops_the_start_and_is_named() {
    for wrong in [
        "unix:",
        "unix:/no/such/directory/socket",
        "sctp:x",
        "tcp:127.0.0.1:no-such-port",
        "udp:127.0.0.1:70000",
        "no such host",
        "",
    ] {
        let failed = with_address(wrong).start_failing();
        assert!(!failed.status.success(), "the server took {wrong:?}");
        let named = |line: &str| line.contains("ERROR: ctl ") && line.contains(wrong);
        assert!(
            failed.log.lines().any(named),
            "nothing about {wrong:?} in\n{}",
            failed.log
        );
    }
}

/// These mistakes can be found without binding anything.
#[test]
fn a_wrong_address_is_found_by_checking() {
    for wrong in ["unix:", "sctp:x", "tcp:127.0.0.1:no-such-port"] {
        let failed = with_address(wrong).check();
        assert!(!failed.status.success(), "{wrong:?} passed");
        assert!(
            failed.log.contains(wrong),
            "nothing about {wrong:?} in\n{}",
            failed.log
        );
    }
}

/// The error says that the path is too long for a `sockaddr_un`.
#[test]
fn a_path_that_is_too_long_is_refused() {
    let wrong = format!("unix:/tmp/{}", "x".repeat(200));
    let failed = with_address(&wrong).start_failing();
    assert!(!failed.status.success());
    assert!(failed.log.contains(&wrong), "{}", failed.log);
}

fn with_address(address: &str) -> Builder {
    plain(Flavor::Rust).config(&format!(r#"modparam("ctl", "binrpc", "{address}")"#))
}

#[test]
fn every_transport_answers() {
    let ports = [free_port(), free_port()];
    let [udp, tcp] = ports.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let server = plain(Flavor::Rust)
        .config(&format!(
            r#"
            modparam("ctl", "binrpc", "unix:{{dir}}/stream")
            modparam("ctl", "binrpc", "unixd:{{dir}}/datagram")
            modparam("ctl", "binrpc", "udp:{udp}")
            modparam("ctl", "binrpc", "tcp:{tcp}")
            "#
        ))
        .socket("stream")
        .start();
    for address in [
        Address::UnixStream(server.path("stream")),
        Address::UnixDatagram(server.path("datagram")),
        Address::Udp(udp),
        Address::Tcp(tcp),
    ] {
        let shown = format!("{address:?}");
        assert!(echoes(address), "{shown}");
    }
}
