//! Connections that stay open, on Unix sockets and on TCP (`stream_socket`).

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use harness::modules::Flavor;
use harness::server::{Server, free_port};
use harness::wait::{self, patience};

use crate::transports::{ECHO, ECHOED};

/// A client of ten lines, such as an operator writes.
const PYTHON: &str = r#"
import json, socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
lines = client.makefile("rw")
for number, method in enumerate(sys.argv[2:]):
    request = {"jsonrpc": "2.0", "method": method, "id": number}
    print(json.dumps(request), file=lines, flush=True)
    reply = json.loads(lines.readline())
    print(reply["id"], reply["result"])
"#;

/// A server with three of them: one path is absolute, one relative.
struct Streams {
    server: Server,
    tcp: SocketAddr,
}

impl Streams {
    fn start(extra: &str) -> Self {
        let tcp: SocketAddr = ([127, 0, 0, 1], free_port()).into();
        let server = Server::builder(Flavor::Rust)
            .modules(["ctl", "jsonrpcs"])
            .config(&format!(
                r#"
                modparam("jsonrpcs", "transport", 4)
                modparam("jsonrpcs", "pretty_format", 0)
                modparam("jsonrpcs", "stream_socket", "unix:{{dir}}/rpc.stream")
                modparam("jsonrpcs", "stream_socket", "second.stream")
                modparam("jsonrpcs", "stream_socket", "tcp:{tcp}")
                {extra}
                "#
            ))
            .start();
        Self { server, tcp }
    }

    fn unix(&self, name: &str) -> UnixStream {
        let stream = UnixStream::connect(self.server.path(name)).expect("the server listens");
        stream
            .set_read_timeout(Some(patience()))
            .expect("a time limit");
        stream
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.tcp).expect("the server listens");
        stream
            .set_read_timeout(Some(patience()))
            .expect("a time limit");
        stream
    }
}

fn next_line(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("a reply");
    line
}

/// Asserts that requests which come together and one after the other are answered in
/// their order, each by a line, and that the connection stays open until the client
/// ends it.
fn assert_pipelined<S: Write>(mut writer: S, reader: &mut impl BufRead) -> S {
    let numbered = |id: usize| {
        format!(r#"{{"jsonrpc":"2.0","method":"core.echo","params":["{id}"],"id":{id}}}"#)
    };
    for between in ["", "\n", " \r\n"] {
        let requests: String = (0..100).map(|id| numbered(id) + between).collect();
        writer
            .write_all(requests.as_bytes())
            .expect("the server reads");
        for id in 0..100 {
            let expected = format!("{{\"jsonrpc\":\"2.0\",\"result\":[\"{id}\"],\"id\":{id}}}\n");
            assert_eq!(next_line(reader), expected);
        }
    }
    let batch = format!(
        r#"[{},{{"jsonrpc":"2.0","method":"core.version"}}]"#,
        numbered(7)
    );
    writer
        .write_all(batch.as_bytes())
        .expect("the server reads");
    let answer = next_line(reader);
    assert!(
        answer.starts_with("[{") && answer.ends_with("}]\n"),
        "{answer}"
    );
    assert!(answer.contains(r#""result":["7"]"#), "{answer}");
    writer
}

#[test]
fn requests_are_pipelined_and_connections_stay_open() {
    let streams = Streams::start("");
    for name in ["rpc.stream", "second.stream"] {
        let stream = streams.unix(name);
        let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
        let stream = assert_pipelined(stream, &mut reader);
        stream.shutdown(Shutdown::Write).expect("it is open");
        assert_eq!(next_line(&mut reader), "");
    }
    let stream = streams.tcp();
    let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
    let stream = assert_pipelined(stream, &mut reader);
    stream.shutdown(Shutdown::Write).expect("it is open");
    assert_eq!(next_line(&mut reader), "");
}

/// Bytes that cannot be read may be the rest of something else, so the client is
/// closed.
#[test]
fn what_is_no_document_is_answered_by_a_line_and_closed() {
    let streams = Streams::start("");
    for garbage in ["no document", "{]"] {
        let mut stream = streams.unix("rpc.stream");
        let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
        stream
            .write_all(garbage.as_bytes())
            .expect("the server reads");
        stream.shutdown(Shutdown::Write).expect("it is open");
        let answer = next_line(&mut reader);
        assert!(answer.contains(r#""code":-32700"#), "{answer}");
        assert!(answer.ends_with("}\n"), "{answer}");
        assert_eq!(next_line(&mut reader), "");
    }
}

#[test]
fn the_clients_of_a_shell_and_of_python_are_served() {
    let streams = Streams::start("");
    let path = streams.server.path("rpc.stream");
    let path = path.to_str().expect("a plain path");
    for command in [
        format!("echo '{ECHO}' | nc -N -U {path}"),
        format!("echo '{ECHO}' | socat -t 60 - UNIX-CONNECT:{path}"),
        format!("echo '{ECHO}' | socat -t 60 - TCP:{}", streams.tcp),
    ] {
        let output = Command::new("timeout")
            .args(["60", "sh", "-c", &command])
            .stderr(Stdio::inherit())
            .output()
            .expect("a shell is there");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed, format!("{ECHOED}\n"), "{command}");
    }
    let output = Command::new("python3")
        .args(["-c", PYTHON, path, "core.version", "core.echo"])
        .stderr(Stdio::inherit())
        .output()
        .expect("Python is there");
    let printed = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].starts_with("0 kamailio "), "{printed}");
    assert!(lines[1].starts_with("1 "), "{printed}");
}

#[test]
fn the_files_have_the_mode_of_the_datagram_socket_and_go_with_the_server() {
    let mut streams = Streams::start(r#"modparam("jsonrpcs", "dgram_mode", 0600)"#);
    let names = ["rpc.stream", "second.stream"];
    for name in names {
        let file = fs::metadata(streams.server.path(name)).expect("the socket");
        assert_eq!(file.permissions().mode() & 0o7777, 0o600, "{name}");
    }
    // A socket that somebody deletes is recreated.
    fs::remove_file(streams.server.path("rpc.stream")).expect("it is there");
    wait::until("the socket is made again", || {
        UnixStream::connect(streams.server.path("rpc.stream")).is_ok()
    });
    streams.server.stop();
    for name in names {
        assert!(!streams.server.path(name).exists(), "{name} is left");
    }
}

#[test]
fn an_address_of_another_kind_is_named_before_the_server_starts() {
    for (address, reason) in [
        ("udp:127.0.0.1:8090", "udp:"),
        ("unixd:/tmp/x", "unixd:"),
        ("tcp:127.0.0.1", "it has no port"),
        ("", "is empty"),
    ] {
        let ended = Server::builder(Flavor::Rust)
            .modules(["ctl", "jsonrpcs"])
            .config(&format!(
                r#"modparam("jsonrpcs", "stream_socket", "{address}")"#
            ))
            .check();
        assert!(!ended.status.success(), "{address}");
        let told = |line: &str| line.contains("parameter stream_socket") && line.contains(reason);
        assert!(ended.log.lines().any(told), "{address}: {}", ended.log);
    }
}
