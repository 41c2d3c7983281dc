//! SIP over streams, with a plain server.

use harness::modules::Flavor;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{End, Via};
use harness::wait;

/// Answers with the transport and the address from which a request came.
const ANSWER: &str = r#"
request_route {
    append_to_reply("X-Seen: $proto $si:$sp\r\n");
    if (is_method("BYE")) {
        sl_send_reply("481", "Over");
        tcp_close_connection();
        exit;
    }
    sl_send_reply("200", "Fine");
    exit;
}
event_route[tcp:closed] { xlog("L_NOTICE", "closed $si:$sp\n"); }
event_route[tcp:reset] { xlog("L_NOTICE", "reset $si:$sp\n"); }
"#;

fn start(ports: &StreamPorts) -> Server {
    ports
        .open(Server::builder(Flavor::C))
        .modules(["ctl", "textops", "tcpops"])
        .config(ANSWER)
        .start()
}

#[test]
fn every_way_carries_requests_and_replies() {
    let ports = StreamPorts::free();
    let _server = start(&ports);
    for (via, seen) in ports.ways().into_iter().zip(["tcp", "tls", "ws"]) {
        let mut stream = ports.connect(via);
        for _ in 0..3 {
            let reply = stream.request("OPTIONS", "");
            assert_eq!(reply.first_line, "SIP/2.0 200 Fine");
            let from = format!("{seen} {}", stream.local_addr());
            assert_eq!(reply.header("X-Seen"), Some(from.as_str()));
        }
        assert!(!stream.has_ended());
    }
}

#[test]
fn the_server_tells_a_fin_from_a_reset() {
    let ports = StreamPorts::free();
    let server = start(&ports);
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        stream.request("OPTIONS", "");
        let closed = format!("closed {}", stream.local_addr());
        stream.close();
        wait::until("a FIN is seen", || server.log().contains(&closed));
    }
    for via in [Via::Tcp, Via::Ws] {
        let mut stream = ports.connect(via);
        stream.request("OPTIONS", "");
        let reset = format!("reset {}", stream.local_addr());
        stream.reset();
        wait::until("an RST is seen", || server.log().contains(&reset));
    }
}

#[test]
fn the_client_sees_that_the_server_ends_a_connection() {
    let ports = StreamPorts::free();
    let _server = start(&ports);
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        assert_eq!(stream.request("BYE", "").status(), 481);
        assert_eq!(stream.wait_for_end(), End::Fin);
        assert!(stream.has_ended());
    }
}
