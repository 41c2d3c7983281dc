//! The module's parameters: their defaults, their types, and the errors about wrong
//! values.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::process::Command;

use harness::builder::Builder;
use harness::http::Client;
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use rpc_wire::binrpc::client::Node;

use crate::transports::{datagram, pipe, tcp};

const VERSION: &str = r#"{"jsonrpc":"2.0","method":"core.version","id":1}"#;

fn builder(flavor: Flavor, parameters: &[(&str, &str)]) -> Builder {
    let lines: String = parameters
        .iter()
        .map(|(name, value)| format!("modparam(\"jsonrpcs\", \"{name}\", {value})\n"))
        .collect();
    Server::builder(flavor)
        .modules(["ctl", "jsonrpcs"])
        .config(&lines)
}

/// The pipes and sockets in a server's directory, with mode, user and group.
fn files(server: &Server) -> BTreeMap<String, (u32, u32, u32)> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(server.path("")).expect("its directory") {
        let entry = entry.expect("a name");
        let name = entry.file_name().to_string_lossy().into_owned();
        let data = entry.metadata().expect("a file");
        let is_ours = data.file_type().is_fifo() || data.file_type().is_socket();
        if is_ours && name != "kamailio_ctl" {
            files.insert(name, (data.mode(), data.uid(), data.gid()));
        }
    }
    files
}

/// The number of the module's processes of each name.
fn processes(server: &Server) -> BTreeMap<String, usize> {
    let answer = server.client().call("core.ps", &[]);
    let mut processes = BTreeMap::new();
    for name in answer.values().iter().filter_map(Node::as_str) {
        if name.starts_with("JSONRPCS") {
            *processes.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    processes
}

#[test]
fn without_any_it_is_as_the_c_module() {
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| builder(flavor, &[]).start());
    assert_eq!(files(&theirs), files(&ours));
    assert_eq!(processes(&theirs), processes(&ours));
    assert_eq!(files(&ours).len(), 2, "{:?}", files(&ours));
    for server in [&theirs, &ours] {
        // The default is the pretty format.
        let answer = datagram(&server.path("kamailio_rpc.sock"), VERSION.as_bytes());
        assert!(
            answer.starts_with("{\n\t\"jsonrpc\":\t\"2.0\","),
            "{answer}"
        );
        let piped = pipe(&server.path("kamailio_rpc.fifo"), VERSION);
        assert_eq!(piped, answer);
    }
}

/// The C module starts with this value, too.
#[test]
fn the_number_minus_one_asks_for_no_owner_as_in_c() {
    let parameters = [
        ("fifo_user", "-1"),
        ("fifo_group", "-1"),
        ("dgram_user", "-1"),
        ("dgram_group", "-1"),
    ];
    let [theirs, ours] =
        [Flavor::C, Flavor::Rust].map(|flavor| builder(flavor, &parameters).start());
    assert_eq!(files(&theirs), files(&ours));
}

/// The C module asks the system for exactly what it was told.
#[test]
fn an_owner_that_cannot_be_had_stops_the_start_as_with_c() {
    let launcher: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["setpriv", "--bounding-set=-chown"],
        false => &[],
    };
    for name in ["fifo_user", "fifo_group", "dgram_user", "dgram_group"] {
        for flavor in [Flavor::C, Flavor::Rust] {
            let ended = builder(flavor, &[(name, "\"daemon\"")])
                .launcher(launcher.iter().copied())
                .start_failing();
            assert!(!ended.status.success(), "{flavor:?} {name}");
            let told = "Operation not permitted";
            assert!(ended.log.contains(told), "{flavor:?} {}", ended.log);
            let named = ended
                .log
                .contains(&format!("parameter {name}: cannot change"));
            assert_eq!(named, flavor == Flavor::Rust, "{}", ended.log);
        }
    }
}

fn said(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).output();
    let text = String::from_utf8(output.expect("it runs").stdout).expect("ASCII");
    text.trim().to_owned()
}

#[test]
fn users_and_groups_are_names_or_numbers_and_paths_are_relative() {
    let quoted = |text: String| format!("\"{text}\"");
    let names = (quoted(said(&["id", "-un"])), quoted(said(&["id", "-gn"])));
    let numbers = (said(&["id", "-u"]), said(&["id", "-g"]));
    for (user, group) in [names, numbers] {
        let parameters = [
            ("pretty_format", "0"),
            ("fifo_name", "\"my.fifo\""),
            ("fifo_mode", "0600"),
            ("fifo_user", user.as_str()),
            ("fifo_group", group.as_str()),
            ("dgram_socket", "\"my.socket\""),
            ("dgram_mode", "0620"),
            ("dgram_user", user.as_str()),
            ("dgram_group", group.as_str()),
            ("dgram_workers", "3"),
            ("dgram_timeout", "5000"),
        ];
        let [theirs, ours] =
            [Flavor::C, Flavor::Rust].map(|flavor| builder(flavor, &parameters).start());
        assert_eq!(files(&theirs), files(&ours));
        assert_eq!(processes(&theirs), processes(&ours));
        assert_eq!(processes(&ours)["JSONRPCS DATAGRAM"], 3);
        for _ in 0..10 {
            let answer = datagram(&ours.path("my.socket"), VERSION.as_bytes());
            assert!(
                answer.starts_with(r#"{"jsonrpc":"2.0","result":"#),
                "{answer}"
            );
        }
    }
}

#[test]
fn transports_are_bits() {
    let tcp_socket = format!("\"tcp:127.0.0.1:{}\"", free_port());
    for (transport, expected) in [
        ("2", vec!["JSONRPCS FIFO"]),
        ("4", vec!["JSONRPCS DATAGRAM"]),
        ("6", vec!["JSONRPCS DATAGRAM", "JSONRPCS FIFO"]),
        ("8", vec!["JSONRPCS TCP"]),
        // These are all transports that are possible without xhttp.
        (
            "0",
            vec!["JSONRPCS DATAGRAM", "JSONRPCS FIFO", "JSONRPCS TCP"],
        ),
    ] {
        let parameters = [
            ("transport", transport),
            ("tcp_socket", tcp_socket.as_str()),
        ];
        let server = builder(Flavor::Rust, &parameters).start();
        let names: Vec<String> = processes(&server).into_keys().collect();
        assert_eq!(names, expected, "transport {transport}");
    }
    // HTTP is named, but nothing receives it.
    let ended = builder(Flavor::Rust, &[("transport", "1")]).start_failing();
    assert!(
        ended
            .log
            .contains("cannot serve HTTP: the module xhttp is not loaded")
    );
    // An empty name is not a path.
    let parameters = [("fifo_name", "\"\""), ("dgram_socket", "\"\"")];
    let server = builder(Flavor::Rust, &parameters).start();
    assert!(files(&server).is_empty() && processes(&server).is_empty());
}

/// All modules are loaded before the first is initialized.
#[test]
fn xhttp_may_be_loaded_before_or_after_as_with_c() {
    for modules in [
        ["ctl", "sl", "xhttp", "jsonrpcs"],
        ["ctl", "jsonrpcs", "sl", "xhttp"],
    ] {
        for flavor in [Flavor::C, Flavor::Rust] {
            let server = Server::builder(flavor)
                .tcp()
                .modules(modules)
                .config(
                    r#"
                    tcp_accept_no_cl=yes
                    modparam("jsonrpcs", "transport", 1)
                    request_route { exit; }
                    event_route[xhttp:request] { jsonrpc_dispatch(); }
                    "#,
                )
                .start();
            let answer = Client::connect(server.port()).post(VERSION.as_bytes());
            assert_eq!(answer.status, "HTTP/1.1 200 OK", "{flavor:?} {modules:?}");
        }
    }
}

#[test]
fn internet_sockets_of_both_families() {
    for host in ["127.0.0.1", "[::1]", "::1"] {
        let (port, udp) = (free_port(), free_port());
        let sockets = [
            format!("\"tcp:{host}:{port}\""),
            format!("\"udp:{host}:{udp}\""),
        ];
        let parameters = [
            ("transport", "12"),
            ("tcp_socket", sockets[0].as_str()),
            ("dgram_socket", sockets[1].as_str()),
        ];
        let _server = builder(Flavor::Rust, &parameters).start();
        let bare = host.trim_matches(['[', ']']);
        let ip: std::net::IpAddr = bare.parse().expect("an address");
        let answer = tcp((ip, port).into(), VERSION.as_bytes());
        assert!(answer.contains("kamailio"), "{answer}");
        let any = if ip.is_ipv4() {
            "127.0.0.1:0"
        } else {
            "[::1]:0"
        };
        let client = std::net::UdpSocket::bind(any).expect("a socket");
        client
            .set_read_timeout(Some(harness::wait::patience()))
            .expect("a time limit");
        client.send_to(VERSION.as_bytes(), (ip, udp)).expect("sent");
        let mut reply = [0; 1000];
        let len = client.recv(&mut reply).expect("an answer");
        assert!(String::from_utf8_lossy(&reply[..len]).contains("kamailio"));
    }
}

/// A colon alone is no reason to refuse a name that the C module accepts.
#[test]
fn names_with_a_colon_are_names_as_in_c() {
    let parameters = [
        ("fifo_name", "\"kamailio:1.fifo\""),
        ("dgram_socket", "\"kamailio:rpc:1\""),
    ];
    let [theirs, ours] =
        [Flavor::C, Flavor::Rust].map(|flavor| builder(flavor, &parameters).start());
    assert_eq!(files(&theirs), files(&ours));
    assert!(files(&ours).contains_key("kamailio:1.fifo"));
    assert!(files(&ours).contains_key("kamailio:rpc:1"));
}

#[test]
fn a_transport_may_stand_before_a_name_in_any_case() {
    let udp = format!("\"UDP:127.0.0.1:{}\"", free_port());
    let server = builder(
        Flavor::Rust,
        &[("fifo_name", "\"fifo:a\""), ("dgram_socket", &udp)],
    )
    .start();
    let names: Vec<String> = files(&server).into_keys().collect();
    assert_eq!(names, ["a"]);
    for prefix in ["unix:", "unixd:", "UNIXD:"] {
        let socket = format!("\"{prefix}b\"");
        let server = builder(Flavor::Rust, &[("dgram_socket", &socket)]).start();
        let answer = datagram(&server.path("b"), VERSION.as_bytes());
        assert!(answer.contains("kamailio"), "{prefix} {answer}");
    }
}

#[test]
fn wrong_values_are_named_before_the_server_starts() {
    for (name, value, told) in [
        (
            "transport",
            "16",
            "16 is not a sum of 1 (HTTP), 2 (FIFO), 4 (datagram) and 8 (TCP)",
        ),
        ("transport", "-1", "-1 is not a sum of"),
        ("dgram_workers", "-1", "-1 is no number of processes"),
        ("dgram_workers", "1025", "which is from 0 to 1024"),
        (
            "dgram_socket",
            "\"udp:127.0.0.1\"",
            "is no address to listen on",
        ),
        (
            "dgram_socket",
            "\"udp:127.0.0.1:99999\"",
            "is no address to listen on",
        ),
        (
            "tcp_socket",
            "\"udp:127.0.0.1:8090\"",
            "write for example tcp:127.0.0.1:8090",
        ),
        ("tcp_socket", "\"/tmp/x\"", "is no address to listen on"),
        (
            "tcp_socket",
            "\"tcp:127.0.0.1\"",
            "write for example tcp:127.0.0.1:8090",
        ),
        (
            "dgram_socket",
            "\"tcp:127.0.0.1:8090\"",
            "\"tcp:\" is not served here; write a path such as /run/kamailio/rpc",
        ),
        (
            "dgram_socket",
            "\"upd:127.0.0.1:8090\"",
            "\"upd:\" is not served here",
        ),
        (
            "fifo_name",
            "\"unix:/tmp/x\"",
            "\"unix:\" is not served here; write a path such as",
        ),
        (
            "fifo_user",
            "\"nobody-has-this-name\"",
            "nobody-has-this-name",
        ),
        (
            "dgram_group",
            "\"nobody-has-this-name\"",
            "nobody-has-this-name",
        ),
        (
            "fifo_reply_dir",
            "\"/no/such/directory\"",
            "create it first",
        ),
        ("store_dir", "\"/no/such/directory\"", "create it first"),
        ("store_dir", "\".\"", "write the whole path"),
    ] {
        let ended = builder(Flavor::Rust, &[(name, value)]).check();
        assert!(!ended.status.success(), "{name} {value}");
        let line = ended.log.lines().find(|line| line.contains(told));
        let line = line.unwrap_or_else(|| panic!("{name} {value}: {}", ended.log));
        assert!(line.contains(name), "{line}");
    }
}

#[test]
fn the_directory_of_reply_pipes() {
    let directory = harness::server::short_directory();
    let path = format!("\"{}\"", directory.path().display());
    let server = builder(
        Flavor::Rust,
        &[("fifo_reply_dir", &path), ("pretty_format", "0")],
    )
    .start();
    let reply = directory.path().join("reply");
    harness::linefifo::make_pipe(&reply);
    let document = VERSION.replacen('{', r#"{"reply_name":"reply","#, 1);
    fs::write(server.path("kamailio_rpc.fifo"), document).expect("the server reads");
    let answer = fs::read_to_string(Path::new(&reply)).expect("an answer");
    assert!(
        answer.starts_with(r#"{"jsonrpc":"2.0","result":"kamailio"#),
        "{answer}"
    );
}
