//! Replies that the server may not deliver, because the client has forgotten to let the
//! server's user write. The log must say whose reply it was, because the client only
//! sees that none comes.

use std::fs::{File, OpenOptions, Permissions, set_permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use harness::linefifo::make_pipe;
use harness::modules::Flavor;
use harness::own_path::OwnPath;
use harness::server::{Server, short_directory};
use harness::{binrpc, linefifo, wait};
use rustix::fs::OFlags;
use rustix::process::geteuid;
use tempfile::TempDir;

const NOBODY: u32 = 65_534;

/// The server runs as a user with few rights.
fn start(directory: &TempDir) -> Server {
    let mut options = Vec::new();
    if geteuid().is_root() {
        chown(directory.path(), Some(NOBODY), Some(NOBODY)).expect("root may");
        options.extend(["-u", "nobody", "-g", "nogroup"]);
    }
    Server::builder(Flavor::Rust)
        .modules(["ctl", "jsonrpcs", "mi_datagram"])
        .directory(directory.path())
        .options(options)
        .config(
            r#"
            modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")
            modparam("ctl", "binrpc", "unixd:{dir}/datagram")
            modparam("ctl", "fifo", "{dir}/pipe")
            modparam("jsonrpcs", "fifo_name", "{dir}/rpc.fifo")
            modparam("jsonrpcs", "dgram_socket", "{dir}/rpc.sock")
            modparam("mi_datagram", "socket_name", "{dir}/mi")
            "#,
        )
        .start()
}

fn document(reply_name: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"core.echo","params":["a"],"reply_name":"{reply_name}","id":1}}"#
    )
}

fn forbid(path: &Path) {
    set_permissions(path, Permissions::from_mode(0o000)).expect("it is ours");
}

fn wait_for_line(server: &Server, name: &str) {
    wait::until("the log names the client", || {
        let log = server.log();
        log.lines()
            .any(|line| line.contains(name) && line.contains("Permission denied"))
    });
}

#[test]
fn the_log_names_the_reply_pipe() {
    let directory = short_directory();
    let server = start(&directory);
    for name in ["pipe", "rpc.fifo"] {
        let reply = OwnPath::new();
        make_pipe(reply.path());
        // There is a reader, so nothing else can be wrong.
        let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag");
        let _reader = OpenOptions::new()
            .read(true)
            .custom_flags(nonblocking)
            .open(reply.path())
            .expect("our own pipe");
        forbid(reply.path());
        let request = match name {
            "pipe" => linefifo::request("core.echo", reply.name(), &[]),
            _ => document(reply.name()).into_bytes(),
        };
        let mut pipe = File::options()
            .write(true)
            .open(server.path(name))
            .expect("the server reads");
        pipe.write_all(&request).expect("the server reads");
        wait_for_line(&server, reply.name());
    }
}

#[test]
fn the_log_names_the_socket_of_a_datagram_client() {
    let directory = short_directory();
    let server = start(&directory);
    let requests = [
        ("datagram", binrpc::request("core.echo", &["a".into()], 1)),
        ("rpc.sock", document("").into_bytes()),
        ("mi", b":core.echo:\na\n".to_vec()),
    ];
    for (socket, request) in requests {
        let own = OwnPath::new();
        let client = UnixDatagram::bind(own.path()).expect("a new socket");
        forbid(own.path());
        client
            .send_to(&request, server.path(socket))
            .expect("the server listens");
        wait_for_line(&server, own.name());
    }
}
