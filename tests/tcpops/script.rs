//! Scripts that return what a function returned.

use harness::builder::Builder;
use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{Message, SipStream};
use harness::wait;

/// A server with TCP, TLS and WebSocket, and `tcpops` of this flavor.
pub(crate) fn server(ports: &StreamPorts, flavor: Flavor) -> Builder {
    ports
        .open(Server::builder(flavor))
        .modules(["ctl", "textops", "tcpops"])
}

/// A request route in which a client chooses a case. The numbers in the headers
/// `X-Conid` and `X-Value` are in `$var(id)` and `$var(value)`, and `$var(result)` is
/// the answer.
pub(crate) fn answering(cases: &[(&str, &str)]) -> String {
    let mut route = String::from(
        r#"
        request_route {
            $var(id) = $(hdr(X-Conid){s.int});
            $var(value) = $(hdr(X-Value){s.int});
            $var(result) = 0;
        "#,
    );
    for (name, call) in cases {
        route += &format!("if ($hdr(X-Do) == \"{name}\") {{ {call}; $var(result) = $retcode; }}\n");
    }
    route
        + r#"
            append_to_reply("X-Result: $var(result)\r\n");
            append_to_reply("X-Id: $tcp(conid)\r\n");
            sl_send_reply("200", "Done");
            exit;
        }
        "#
}

/// Makes the script run a case for the connection with this number.
pub(crate) fn ask(stream: &mut SipStream, case: &str, id: i64, value: i64) -> i64 {
    let headers = format!("X-Do: {case}\r\nX-Conid: {id}\r\nX-Value: {value}\r\n");
    number(&stream.request("OPTIONS", &headers), "X-Result")
}

/// The number of the connection.
pub(crate) fn id(stream: &mut SipStream) -> i64 {
    let headers = "X-Conid: 0\r\nX-Value: 0\r\n";
    number(&stream.request("OPTIONS", headers), "X-Id")
}

fn number(reply: &Message, header: &str) -> i64 {
    let number = reply.header(header).and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| panic!("no number {header} in {reply:?}"))
}

/// Whether the server's version does not tell event routes which connection has ended.
pub(crate) fn is_5_6(server: &Server) -> bool {
    let version = server.client().call("core.version", &[]);
    version.values()[0]
        .as_str()
        .is_some_and(|version| version.contains("kamailio 5.6."))
}

/// Waits for a line with this text in the log.
pub(crate) fn logged(server: &Server, text: &str) {
    wait::until(text, || server.log().contains(text));
}
