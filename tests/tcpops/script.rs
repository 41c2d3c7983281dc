//! Scripts that tell what a function answered.

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

/// A request route that answers with what `$var(result)` has after `body`. A
/// client says in headers what is to be done: `X-Do`, `X-Conid` and `X-Value`.
pub(crate) fn answering(body: &str) -> String {
    format!(
        r#"
        request_route {{
            $var(id) = $(hdr(X-Conid){{s.int}});
            $var(value) = $(hdr(X-Value){{s.int}});
            $var(result) = "none";
            {body}
            append_to_reply("X-Result: $var(result)\r\n");
            append_to_reply("X-Id: $tcp(conid)\r\n");
            sl_send_reply("200", "Done");
            exit;
        }}
        "#
    )
}

/// One thing that the script can be asked to do.
pub(crate) fn case(name: &str, call: &str) -> String {
    format!(
        r#"
        if ($hdr(X-Do) == "{name}") {{
            {call};
            $var(result) = $rc;
        }}
        "#
    )
}

/// Has the script do something to the connection with this number.
pub(crate) fn ask(stream: &mut SipStream, what: &str, id: i64, value: i64) -> Message {
    stream.request(
        "OPTIONS",
        &format!("X-Do: {what}\r\nX-Conid: {id}\r\nX-Value: {value}\r\n"),
    )
}

/// What the function answered.
pub(crate) fn result(reply: &Message) -> String {
    let result = reply.header("X-Result").expect("every reply has one");
    result.to_owned()
}

/// The number of the connection.
pub(crate) fn id(stream: &mut SipStream) -> i64 {
    let reply = ask(stream, "nothing", 0, 0);
    let id = reply.header("X-Id").and_then(|id| id.parse().ok());
    id.unwrap_or_else(|| panic!("no number of a connection in {reply:?}"))
}

/// Waits for a line with this text in the log.
pub(crate) fn logged(server: &Server, text: &str) {
    wait::until(text, || server.log().contains(text));
}
