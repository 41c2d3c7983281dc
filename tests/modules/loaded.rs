//! A server with all our modules, each of which is asked once. `make test` runs it with
//! the version that is not installed.

use std::fs;

use harness::binrpc::{Address, Client};
use harness::datagram;
use harness::http;
use harness::json_transports::{self, ECHO, ECHOED};
use harness::modules::{Flavor, our_modules, ours};
use harness::server::Server;
use rpc_wire::binrpc::client::Answer;

const CONFIG: &str = r#"
tcp_accept_no_cl=yes
modparam("jsonrpcs", "transport", 5)
modparam("jsonrpcs", "pretty_format", 0)
modparam("jsonrpcs", "dgram_socket", "{dir}/rpc.socket")
modparam("mi_datagram", "socket_name", "{dir}/mi.socket")
request_route { exit; }
event_route[xhttp:request] {
    if (!tcp_conid_alive("$conid")) {
        xhttp_reply("500", "Not Alive", "text/plain", "");
        exit;
    }
    jsonrpc_dispatch();
}
"#;

#[test]
fn each_module_loads_and_answers() {
    let server = Server::builder(Flavor::Rust)
        .tcp()
        .modules([
            "ctl",
            "tm",
            "sl",
            "pv",
            "xhttp",
            "jsonrpcs",
            "mi_datagram",
            "tcpops",
        ])
        .config(CONFIG)
        .start();
    let maps = fs::read_to_string(format!("/proc/{}/maps", server.pid().as_raw_nonzero()))
        .expect("the server runs");
    for name in ours() {
        let file = our_modules().join(format!("{name}.so"));
        assert!(maps.contains(&*file.to_string_lossy()), "{name}: {maps}");
    }

    let mut client = Client::connect(Address::UnixStream(server.socket()));
    let answer = client.call("core.version", &[]);
    assert!(matches!(answer, Answer::Reply(_)), "{answer:?}");
    let answer = json_transports::datagram(&server.path("rpc.socket"), ECHO.as_bytes());
    assert_eq!(answer.trim(), ECHOED);
    let answer = datagram::ask(&server.path("mi.socket"), b":core.echo:\na\n");
    assert!(
        answer.starts_with(b"200 OK"),
        "{:?}",
        String::from_utf8_lossy(&answer)
    );
    // The route asks tcpops about the connection.
    let answer = http::Client::connect(server.port()).post(ECHO.as_bytes());
    assert_eq!(answer.body.trim(), ECHOED);
}
