//! The types of parameters: a number may be in quotes, and a text may be a number,
//! whichever of the two the C modules accept.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use harness::builder::Builder;
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use rustix::process::{getegid, geteuid};

/// Every parameter that is a number, with a value that differs from the default.
const NUMBERS: &[(&str, &str, &str)] = &[
    ("ctl", "mode", "0666"),
    ("ctl", "user", "0"),
    ("ctl", "group", "0"),
    ("ctl", "autoconversion", "1"),
    ("ctl", "binrpc_max_body_size", "8"),
    ("ctl", "binrpc_struct_max_body_size", "2"),
    ("ctl", "binrpc_buffer_size", "4096"),
    ("jsonrpcs", "pretty_format", "0"),
    ("jsonrpcs", "transport", "0xe"),
    ("jsonrpcs", "fifo_mode", "0666"),
    ("jsonrpcs", "fifo_user", "0"),
    ("jsonrpcs", "fifo_group", "0"),
    ("jsonrpcs", "dgram_workers", "3"),
    ("jsonrpcs", "dgram_timeout", "4000"),
    ("jsonrpcs", "dgram_mode", "0666"),
    ("jsonrpcs", "dgram_user", "0"),
    ("jsonrpcs", "dgram_group", "0"),
    ("jsonrpcs", "tcp_keep", "1"),
    ("jsonrpcs", "strict", "1"),
    ("mi_datagram", "children_count", "2"),
    ("mi_datagram", "unix_socket_mode", "0666"),
    ("mi_datagram", "unix_socket_user", "0"),
    ("mi_datagram", "unix_socket_group", "0"),
    ("mi_datagram", "socket_timeout", "3000"),
    ("tcpops", "closed_event", "2"),
];

fn described() -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl", "tm", "sl", "jsonrpcs", "mi_datagram", "tcpops"])
        .tcp()
        .config(r#"modparam("mi_datagram", "socket_name", "{dir}/mi")"#)
}

fn modparam((module, name, value): (&str, &str, &str)) -> String {
    format!("modparam(\"{module}\", \"{name}\", {value})\n")
}

fn quoted((module, name, value): &(&str, &str, &str)) -> String {
    modparam((module, name, &format!("\"{value}\"")))
}

#[test]
fn a_number_may_stand_in_quotes() {
    let parameters: String = NUMBERS.iter().map(quoted).collect();
    // Only root may give files away.
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let parameters = parameters
        .replace("user\", \"0\"", &format!("user\", \"{user}\""))
        .replace("group\", \"0\"", &format!("group\", \"{group}\""));
    let server = described()
        .config(&parameters)
        .config(&modparam((
            "jsonrpcs",
            "tcp_socket",
            &format!("\"tcp:127.0.0.1:{}\"", free_port()),
        )))
        .start();
    for name in [
        "kamailio_ctl",
        "kamailio_rpc.fifo",
        "kamailio_rpc.sock",
        "mi",
    ] {
        let mode = fs::metadata(server.path(name))
            .expect("a file")
            .permissions();
        assert_eq!(mode.mode() & 0o7777, 0o666, "{name}");
    }
    let answer = server.client().call("core.ps", &[]);
    let processes = format!("{answer}");
    let count = |name| processes.matches(name).count();
    assert_eq!(count("JSONRPCS DATAGRAM"), 3, "{processes}");
    assert_eq!(count("JSONRPCS TCP"), 1, "{processes}");
    assert_eq!(count("MI DATAGRAM"), 2, "{processes}");
}

#[test]
fn checking_names_a_text_that_is_no_number() {
    for (module, name, _) in NUMBERS {
        // A text is the name of a user or a group.
        let told = match name.rsplit('_').next() {
            Some("user") => "there is no user \"4k\"",
            Some("group") => "there is no group \"4k\"",
            _ => "\"4k\" is no number",
        };
        let ended = described().config(&quoted(&(module, name, "4k"))).check();
        assert!(!ended.status.success(), "{module} {name}");
        let named = format!("parameter {name}: {told}");
        assert!(ended.log.contains(&named), "{named}\n{}", ended.log);
    }
}

#[test]
fn checking_refuses_what_only_looks_like_a_number() {
    for text in [
        "",
        " 1",
        "1 ",
        "+1",
        "--1",
        "0x",
        "08",
        "0x-1",
        "99999999999",
    ] {
        let ended = described()
            .config(&quoted(&("ctl", "binrpc_buffer_size", text)))
            .check();
        assert!(!ended.status.success(), "{text:?}");
        let told = format!("parameter binrpc_buffer_size: {text:?} is no number");
        assert!(ended.log.contains(&told), "{told}\n{}", ended.log);
    }
}

/// An operator who forgets the leading zero gets a mode that nobody wants, and is told
/// what it means.
#[test]
fn a_mode_without_its_leading_zero_is_a_warning() {
    let modes = [
        ("ctl", "mode"),
        ("jsonrpcs", "fifo_mode"),
        ("jsonrpcs", "dgram_mode"),
        ("mi_datagram", "unix_socket_mode"),
    ];
    for (module, name) in modes {
        for value in ["660", "\"660\""] {
            let checked = described().config(&modparam((module, name, value))).check();
            assert!(checked.status.success(), "{}", checked.log);
            let told = format!(
                "parameter {name}: 660 without a leading zero is a decimal number, the mode 01224; \
                 write 0660 if that is meant"
            );
            assert!(checked.log.contains(&told), "{told}\n{}", checked.log);
        }
        for value in ["0660", "0666", "0600", "0622"] {
            let checked = described().config(&modparam((module, name, value))).check();
            assert!(!checked.log.contains("leading zero"), "{}", checked.log);
        }
    }
}

#[test]
fn a_number_in_place_of_a_text_is_its_digits() {
    let port = free_port();
    let server = described()
        .config(r#"modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")"#)
        .config(&modparam(("ctl", "binrpc", &port.to_string())))
        .config(&modparam(("jsonrpcs", "fifo_name", "2049")))
        .start();
    let listens = server.client().call("ctl.listen", &[]).to_string();
    assert!(listens.contains(&port.to_string()), "{listens}");
    let pipe = fs::metadata(server.path("2049")).expect("a pipe");
    assert!(pipe.file_type().is_fifo());
}
