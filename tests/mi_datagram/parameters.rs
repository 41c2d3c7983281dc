//! Parameters with right and wrong values, and starts after another server.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use harness::builder::Builder;
use harness::datagram::{ask, ask_udp};
use harness::modules::Flavor;
use harness::server::{Server, free_port, short_directory};
use rustix::process::{getegid, geteuid};

fn described(config: &str) -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl", "mi_datagram"])
        .config(config)
}

const SOCKET: &str = "modparam(\"mi_datagram\", \"socket_name\", \"{dir}/mi\")\n";

fn with(parameter: &str) -> Builder {
    described(&format!("{SOCKET}modparam(\"mi_datagram\", {parameter})"))
}

#[test]
fn the_last_socket_name_counts() {
    let server = described(SOCKET)
        .config(r#"modparam("mi_datagram", "socket_name", "{dir}/last")"#)
        .start();
    assert_eq!(
        ask(&server.path("last"), b":core.echo:\na\n"),
        b"200 OK\na\n"
    );
    assert!(!server.path("mi").exists());
}

#[test]
fn a_transport_may_stand_before_the_path_or_the_address() {
    for prefix in ["unix", "unixd", "UnixD"] {
        let server = described(&format!(
            "modparam(\"mi_datagram\", \"socket_name\", \"{prefix}:{{dir}}/mi\")"
        ))
        .start();
        assert_eq!(ask(&server.path("mi"), b":core.echo:\na\n"), b"200 OK\na\n");
    }
    let port = free_port();
    let _server = described(&format!(
        "modparam(\"mi_datagram\", \"socket_name\", \"UDP:127.0.0.1:{port}\")"
    ))
    .start();
    let address = (Ipv4Addr::LOCALHOST, port).into();
    assert_eq!(ask_udp(address, b":core.echo:\na\n"), b"200 OK\na\n");
}

#[test]
fn without_a_socket_name_the_server_does_not_start() {
    let ended = described("").start_failing();
    assert!(!ended.status.success());
    assert!(
        ended.log.contains("parameter socket_name is missing"),
        "{}",
        ended.log
    );
}

#[test]
fn the_mode_and_the_owner_are_set() {
    const NOBODY: u32 = 65_534;
    const DAEMON: u32 = 1;
    let (user, group, uid, gid) = match geteuid().is_root() {
        true => ("\"nobody\"".into(), "\"daemon\"".into(), NOBODY, DAEMON),
        // Other users may not give files away.
        false => {
            let (uid, gid) = (geteuid().as_raw(), getegid().as_raw());
            (uid.to_string(), gid.to_string(), uid, gid)
        }
    };
    let server = with(r#""unix_socket_mode", 0622"#)
        .config(&format!(
            r#"
            modparam("mi_datagram", "unix_socket_user", {user})
            modparam("mi_datagram", "unix_socket_group", {group})
            "#
        ))
        .start();
    let socket = fs::metadata(server.path("mi")).expect("a socket");
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.mode() & 0o7777, 0o622);
    assert_eq!((socket.uid(), socket.gid()), (uid, gid));
}

#[test]
fn by_default_owner_and_group_may_write() {
    let server = described(SOCKET).start();
    let socket = fs::metadata(server.path("mi")).expect("a socket");
    assert_eq!(socket.mode() & 0o7777, 0o660);
}

#[test]
fn mode_0_becomes_0600_and_the_log_says_so() {
    let server = with(r#""unix_socket_mode", 0"#).start();
    let socket = fs::metadata(server.path("mi")).expect("a socket");
    assert_eq!(socket.mode() & 0o7777, 0o600);
    assert!(server.log().contains("unix_socket_mode cannot be 0"));
}

#[test]
fn the_indent_is_what_the_operator_wants() {
    let server = with(r#""reply_indent", "--""#).start();
    let reply = ask(&server.path("mi"), b":core.uptime:\n");
    assert!(reply.starts_with(b"200 OK\nstruct:: \n--now:: "));
}

#[test]
fn an_alias_adds_a_name_or_replaces_one() {
    let server = with(r#""alias", "say=core.echo""#)
        .config(r#"modparam("mi_datagram", "alias", " pwd = core.echo ")"#)
        .config(r#"modparam("mi_datagram", "alias", "arg=no.such")"#)
        .start();
    let socket = server.path("mi");
    assert_eq!(ask(&socket, b":say:\na\n"), b"200 OK\na\n");
    assert_eq!(ask(&socket, b":pwd:\na\n"), b"200 OK\na\n");
    assert_eq!(ask(&socket, b":arg:\n"), b"500 command not available\n");
}

/// Parameters that `kamailio -c` refuses, and its words about them.
const WRONG: &[(&str, &str)] = &[
    (r#""socket_name", "udp:127.0.0.1""#, "it has no port"),
    (
        r#""socket_name", "udp:no.such.host.invalid:8033""#,
        "does not resolve",
    ),
    (r#""socket_name", "udp:127.0.0.1:99999""#, "socket_name"),
    (
        r#""socket_name", "tcp:127.0.0.1:8033""#,
        r#""tcp:" is not served here; write a path"#,
    ),
    (
        r#""socket_name", "unx:/tmp/mi""#,
        r#""unx:" is not served here; write a path"#,
    ),
    (r#""socket_name", """#, "/run/kamailio/mi.sock"),
    (r#""children_count", 0"#, "which is from 1 to 1024"),
    (r#""children_count", -1"#, "which is from 1 to 1024"),
    (r#""children_count", 1025"#, "which is from 1 to 1024"),
    (r#""unix_socket_mode", 99999"#, "is no file mode"),
    (r#""unix_socket_user", "no-such-user""#, "there is no user"),
    (
        r#""unix_socket_group", "no-such-group""#,
        "there is no group",
    ),
    (r#""unix_socket_group", -5"#, "is no user or group number"),
    (r#""socket_timeout", -1"#, "it is in milliseconds"),
    (r#""alias", "no equals sign""#, "write old=new"),
    (r#""alias", "=core.echo""#, "write old=new"),
    (r#""alias", "a=core.echo=b""#, "write old=new"),
];

#[test]
fn a_configuration_check_finds_what_is_wrong() {
    for (parameter, told) in WRONG {
        let ended = with(parameter).check();
        assert!(!ended.status.success(), "{parameter} is accepted");
        let has = |line: &str| line.contains("mi_datagram") && line.contains(told);
        assert!(ended.log.lines().any(has), "{parameter}\n{}", ended.log);
    }
}

#[test]
fn a_configuration_check_touches_no_socket() {
    let place = short_directory();
    let ended = described(SOCKET).directory(place.path()).check();
    assert!(ended.status.success(), "{}", ended.log);
    assert!(!place.path().join("mi").exists());
}

#[test]
fn a_socket_that_a_crash_left_is_replaced_and_the_last_one_removes_it() {
    let place = short_directory();
    let mut crashed = described(SOCKET).directory(place.path()).start();
    crashed.crash();
    let socket = place.path().join("mi");
    assert!(socket.exists());
    let mut server = described(SOCKET).directory(place.path()).start();
    assert_eq!(ask(&socket, b":core.echo:\na\n"), b"200 OK\na\n");
    assert!(server.stop().success());
    assert!(!socket.exists());
}

#[test]
fn a_file_of_another_kind_is_not_touched() {
    let ended = described(SOCKET).file("mi", "precious").start_failing();
    assert!(!ended.status.success());
    assert!(ended.log.contains("/mi"), "{}", ended.log);
}
