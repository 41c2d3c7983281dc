//! Reading a server's connections from outside, and hosts that are cut off.

use std::net::SocketAddr;
use std::time::Duration;

use harness::keepalive::Keepalive;
use harness::modules::Flavor;
use harness::namespace::Hosts;
use harness::server::Server;
use harness::sip_server::StreamPorts;
use harness::sip_stream::{SipStream, Via};
use harness::wait;

const PROBES: &str = "tcp_keepidle=3\ntcp_keepintvl=2\ntcp_keepcnt=1";

const ANSWER: &str = r#"
request_route { sl_send_reply("200", "Fine"); exit; }
event_route[tcp:timeout] { xlog("L_NOTICE", "timeout\n"); }
"#;

#[test]
fn keepalive_is_read_from_the_servers_own_socket() {
    let ports = StreamPorts::free();
    let server = ports
        .open(Server::builder(Flavor::C))
        .modules(["ctl"])
        .core_config(PROBES)
        .config(ANSWER)
        .start();
    for via in ports.ways() {
        let mut stream = ports.connect(via);
        stream.request("OPTIONS", "");
        let expected = Keepalive {
            enabled: true,
            idle: Duration::from_secs(3),
            interval: Duration::from_secs(2),
            count: 1,
        };
        assert_eq!(Keepalive::of(&server, stream.local_addr()), expected);
    }
}

#[test]
fn a_host_that_is_cut_off_is_noticed() {
    let Some(hosts) = Hosts::create() else {
        eprintln!("NOT TESTED: only root can make network namespaces");
        return;
    };
    let port = 5060;
    let server = Server::builder(Flavor::C)
        .launcher(hosts.here())
        .tcp()
        .core_config(&format!("listen=tcp:{}:{port}\n{PROBES}", Hosts::HERE))
        .modules(["ctl", "sl", "pv", "xlog", "tcpops"])
        .config(ANSWER)
        .start();
    let address = SocketAddr::new(Hosts::HERE, port);
    let mut stream = hosts.there(|| SipStream::connect(Via::Tcp, address));
    assert_eq!(stream.local_addr().ip(), Hosts::THERE);
    assert_eq!(stream.request("OPTIONS", "").status(), 200);
    hosts.cut();
    wait::until("probes have no answer", || server.log().contains("timeout"));
}
