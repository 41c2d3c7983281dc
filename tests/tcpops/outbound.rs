//! The connection by which a request leaves.

use harness::modules::Flavor;
use harness::sip_server::StreamPorts;

use crate::script::server;

/// Forwards requests to where nobody listens, unless the connection is used that the
/// header `X-Conid` names.
const ROUTE: &str = r#"
request_route {
    if ($hdr(X-Conid) == $null) {
        append_to_reply("X-Id: $conid\r\n");
        sl_send_reply("200", "Done");
        exit;
    }
    $var(id) = $(hdr(X-Conid){s.int});
    $ru = "sip:bob@127.0.0.1:1;transport=tcp";
    tcp_set_otcpid("$var(id)");
    tcp_set_otcpid_flag("1");
    if ($hdr(X-Value) == "0") { tcp_set_otcpid_flag("0"); }
    if (!t_relay()) { sl_send_reply("503", "Nobody There"); }
    exit;
}
"#;

#[test]
fn the_connection_that_is_set_and_switched_on_is_used() {
    let ports = StreamPorts::free();
    let _server = server(&ports, Flavor::Rust).config(ROUTE).start();
    let via = ports.ways()[0];
    let mut bob = ports.connect(via);
    let mut alice = ports.connect(via);
    let reply = bob.request("OPTIONS", "");
    let id = reply.header("X-Id").expect("its number");
    alice.send("MESSAGE", &format!("X-Conid: {id}\r\nX-Value: 1\r\n"));
    let arrived = bob.receive();
    assert!(
        arrived.first_line.starts_with("MESSAGE sip:bob@"),
        "{arrived:?}"
    );
    // Without the flag the request goes where its URI says.
    let mut carol = ports.connect(via);
    let reply = carol.request("MESSAGE", &format!("X-Conid: {id}\r\nX-Value: 0\r\n"));
    assert!(reply.status() >= 400, "{reply:?}");
    assert!(!bob.has_ended());
}
