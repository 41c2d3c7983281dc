//! Starts that fail, and starts after another server: what an operator is told.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;

use harness::binrpc::{Address, Client};
use harness::builder::{Builder, Ended};
use harness::linefifo;
use harness::modules::Flavor;
use harness::server::{Server, free_port, short_directory};

use rustix::process::Pid;

use crate::addresses::assert_answers_somehow;
use crate::listeners::{CtlListeners, STREAM, local};

fn listening(parameter: &str, address: &str) -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(r#"modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")"#)
        .config(&format!(r#"modparam("ctl", "{parameter}", "{address}")"#))
}

/// Asserts that the start failed with an error that has all these words.
#[track_caller]
fn assert_failed(ended: &Ended, words: &[&str]) {
    assert!(!ended.status.success(), "it started:\n{}", ended.log);
    let told =
        |line: &str| line.contains("ERROR: ctl ") && words.iter().all(|words| line.contains(words));
    assert!(
        ended.log.lines().any(told),
        "no line says {words:?} in\n{}",
        ended.log
    );
}

#[test]
fn one_configuration_starts_again_and_again() {
    let (place, listeners) = (short_directory(), CtlListeners::new());
    for _ in 0..5 {
        let mut server = Server::builder(Flavor::Rust)
            .modules(["ctl"])
            .config(&listeners.config())
            .socket(STREAM)
            .directory(place.path())
            .start();
        // Connections that the server closes keep their port in use for a while, which
        // must not keep the next server from listening.
        let mut clients = listeners.binrpc(&server).map(Client::connect);
        for client in &mut clients {
            client.call("core.version", &[]);
        }
        let status = server.stop();
        assert!(status.success(), "{status}");
        assert_eq!(sockets_and_pipes(place.path()), [""; 0]);
    }
}

fn sockets_and_pipes(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory");
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| name.into_string().ok())
        .filter(|name| !["kamailio.cfg", "log", "modules"].contains(&name.as_str()))
        .collect()
}

#[test]
fn after_a_crash_every_socket_is_replaced() {
    let (place, listeners) = (short_directory(), CtlListeners::new());
    let start = || {
        Server::builder(Flavor::Rust)
            .modules(["ctl"])
            .config(&listeners.config())
            .socket(STREAM)
            .directory(place.path())
            .start()
    };
    let mut crashed = start();
    crashed.crash();
    assert_eq!(sockets_and_pipes(place.path()).len(), 3);
    let server = start();
    for address in listeners.binrpc(&server) {
        let answer = Client::connect(address).call("core.echo", &["hello".into()]);
        assert_eq!(answer.values().len(), 1, "{answer}");
    }
}

#[test]
fn a_missing_directory_is_named() {
    for (parameter, address) in [
        ("binrpc", "unix:/no/such/directory/socket"),
        ("binrpc", "unixd:/no/such/directory/socket"),
        ("fifo", "/no/such/directory/pipe"),
    ] {
        let ended = listening(parameter, address).start_failing();
        let path = address
            .trim_start_matches("unix:")
            .trim_start_matches("unixd:");
        assert_failed(&ended, &[path, "directory does not exist"]);
    }
}

/// Not even root can create files in /sys.
#[test]
fn a_directory_that_is_not_writable_is_named() {
    for (parameter, address) in [
        ("binrpc", "unix:/sys/socket"),
        ("binrpc", "unixd:/sys/socket"),
        ("fifo", "/sys/pipe"),
    ] {
        let ended = listening(parameter, address).start_failing();
        assert_failed(&ended, &["cannot listen", "/sys/"]);
    }
}

#[test]
fn a_file_in_place_of_a_directory_is_named() {
    for (parameter, address) in [
        ("binrpc", "unix:{dir}/file/socket"),
        ("fifo", "{dir}/file/pipe"),
    ] {
        let ended = listening(parameter, address)
            .file("file", "precious")
            .start_failing();
        assert_failed(&ended, &["/file/", "Not a directory"]);
    }
}

#[test]
fn a_file_in_place_of_a_socket_stays() {
    for transport in ["unix", "unixd"] {
        let place = short_directory();
        let file = place.path().join("file");
        let ended = listening("binrpc", &format!("{transport}:{{dir}}/file"))
            .file("file", "precious")
            .directory(place.path())
            .start_failing();
        assert_failed(&ended, &["/file", "something else"]);
        assert_eq!(fs::read_to_string(&file).ok().as_deref(), Some("precious"));
    }
}

#[test]
fn a_port_that_another_program_has_is_named() {
    let port = free_port();
    let _tcp = TcpListener::bind(local(port)).expect("it is free");
    let _udp = UdpSocket::bind(local(port)).expect("it is free");
    for parameter in ["binrpc", "fifo"] {
        for transport in ["tcp", "udp"] {
            let address = format!("{transport}:127.0.0.1:{port}");
            let ended = listening(parameter, &address).start_failing();
            assert_failed(&ended, &[&address, "another process uses it"]);
        }
    }
}

/// A server is started a second time by mistake, while the first one has the ports.
#[test]
fn a_port_that_another_server_has_is_named() {
    for transport in ["tcp", "udp"] {
        let port = free_port();
        let address = format!("{transport}:127.0.0.1:{port}");
        let _first = listening("binrpc", &address).start();
        assert_refused(listening("binrpc", &address), &address);
    }
}

/// One configuration has the same port twice.
#[test]
fn a_port_that_is_named_twice_is_refused() {
    for transport in ["tcp", "udp"] {
        let address = format!("{transport}:127.0.0.1:{}", free_port());
        let twice = listening("binrpc", &address)
            .config(&format!(r#"modparam("ctl", "fifo", "{address}")"#));
        assert_refused(twice, &address);
    }
}

fn assert_refused(server: Builder, address: &str) {
    match server.try_start() {
        Ok(_) => panic!("it listens on {address}, which is taken"),
        Err(ended) => assert_failed(&ended, &[address, "another process uses it"]),
    }
}

#[test]
fn an_address_of_another_host_is_named() {
    // The address is for documentation only, so no host has it.
    let address = format!("tcp:{}:{}", Ipv4Addr::new(203, 0, 113, 250), free_port());
    let ended = listening("binrpc", &address).start_failing();
    assert_failed(&ended, &[&address, "this host does not have that address"]);
}

/// One address and all addresses may share a port, as in C.
#[test]
fn a_udp_port_may_be_that_of_one_address_and_of_all() {
    let port = free_port();
    let (one, all) = (format!("udp:127.0.0.1:{port}"), format!("udp:*:{port}"));
    for (first, second) in [(&one, &all), (&all, &one)] {
        let line = format!(r#"modparam("ctl", "binrpc", "{second}")"#);
        let _server = listening("binrpc", first).config(&line).start();
        let answer = Client::connect(Address::Udp(local(port))).call("core.echo", &["x".into()]);
        assert_eq!(answer.values().len(), 1, "{answer}");
        assert_answers_somehow((Ipv4Addr::new(127, 0, 0, 2), port).into());
        // Sharing the port lets no other program in.
        assert_refused(listening("binrpc", &one), &one);
        assert_refused(listening("binrpc", &all), &all);
    }
}

/// A server that is started once more by mistake must not take the sockets of the
/// running one.
#[test]
fn a_place_that_another_server_serves_is_left_to_it() {
    for (parameter, address) in [
        ("binrpc", "unix:{dir}/place"),
        ("binrpc", "unixd:{dir}/place"),
        ("fifo", "{dir}/place"),
    ] {
        let place = short_directory();
        let address = address.replace("{dir}", &place.path().display().to_string());
        let first = listening(parameter, &address)
            .directory(place.path())
            .start();
        let ended = listening(parameter, &address).start_failing();
        assert_failed(&ended, &["/place is in use by process "]);
        let names_one = |pid: &Pid| {
            let named = format!("is in use by process {};", pid.as_raw_pid());
            ended.log.contains(&named)
        };
        assert!(first.processes().iter().any(names_one), "{}", ended.log);
        assert_serves(&first, parameter, &address, &place.path().join("place"));
    }
}

/// If two parameters name one path the second one gets it, as with C.
#[test]
fn a_place_that_is_named_twice_is_taken_by_the_second() {
    for address in ["unix:{dir}/place", "unixd:{dir}/place"] {
        let server = listening("binrpc", address)
            .config(&format!(r#"modparam("ctl", "fifo", "{address}")"#))
            .start();
        let told = "an earlier parameter names it";
        assert!(server.log().contains(told), "{}", server.log());
    }
}

/// Asserts that this server answers there.
fn assert_serves(server: &Server, parameter: &str, address: &str, path: &Path) {
    let main = server.pid().as_raw_pid();
    if parameter == "fifo" {
        let pipe = linefifo::Address::Pipe(path.to_owned());
        let reply = String::from_utf8(linefifo::ask(&pipe, "core.ps", &[])).expect("text");
        assert!(
            reply.contains(&main.to_string()),
            "{main} is not in {reply}"
        );
        return;
    }
    let mut client = Client::connect(match address.starts_with("unixd:") {
        true => Address::UnixDatagram(path.to_owned()),
        false => Address::UnixStream(path.to_owned()),
    });
    let answer = client.call("core.ps", &[]);
    let mut pids = answer.values().iter().filter_map(|value| value.as_int());
    assert!(pids.any(|pid| pid == main), "{main} is not among\n{answer}");
}

/// A crash has left the files of an earlier configuration: a pipe where there is a
/// socket now, and the other way round.
#[test]
fn a_stale_pipe_makes_room_for_a_socket_and_the_other_way_round() {
    let kinds = [
        ("fifo", "{dir}/place"),
        ("binrpc", "unix:{dir}/place"),
        ("binrpc", "unixd:{dir}/place"),
    ];
    for (before, address_before) in kinds {
        for (after, address) in kinds {
            let place = short_directory();
            let mut crashed = listening(before, address_before)
                .directory(place.path())
                .start();
            crashed.crash();
            let server = listening(after, address).directory(place.path()).start();
            let log = server.log();
            assert!(!log.contains("is in use"), "{before} {after}: {log}");
            assert_serves(&server, after, address, &place.path().join("place"));
        }
    }
}

/// If one address is wrong, the files of those before it are left as they were.
#[test]
fn a_failed_start_leaves_no_files() {
    let place = short_directory();
    let ended = listening("fifo", "{dir}/pipe")
        .config(r#"modparam("ctl", "binrpc", "unix:/no/such/directory/socket")"#)
        .directory(place.path())
        .start_failing();
    assert!(!ended.status.success());
    assert_eq!(sockets_and_pipes(place.path()), [""; 0]);
}
