//! Connections through a proxy in front that tells of the client behind it.

use std::io::{Read, Write};
use std::net::TcpStream;

use harness::modules::Flavor;
use harness::server::Server;

use crate::script::logged;

#[test]
fn the_variables_tell_the_proxy_and_the_message_whom_it_stands_for() {
    let server = Server::builder(Flavor::Rust)
        .tcp()
        .core_config("tcp_accept_haproxy=yes")
        .modules(["ctl", "sl", "pv", "xlog", "tcpops"])
        .config(
            r#"
            request_route {
                xlog("L_NOTICE", "REQUEST $si:$sp $tcp(c_si):$tcp(c_sp) $tcp(ac_si):$tcp(ac_sp)\n");
                sl_send_reply("200", "Done");
            }
            event_route[tcp:closed] {
                xlog("L_NOTICE", "EVENT $si:$sp $tcp(c_si):$tcp(c_sp)\n");
            }
            "#,
        )
        .start();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("it listens");
    let proxy = stream.local_addr().expect("it is connected");
    let request = "PROXY TCP4 192.0.2.7 192.0.2.8 4321 5060\r\n\
         OPTIONS sip:server@127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/TCP 192.0.2.7:4321;branch=z9hG4bK1\r\n\
         From: <sip:test@127.0.0.1>;tag=1\r\n\
         To: <sip:server@127.0.0.1>\r\n\
         Call-ID: 1@test\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("it reads");
    let read = stream.read(&mut [0; 1024]).expect("a reply");
    assert!(read > 0);
    logged(
        &server,
        &format!("REQUEST 192.0.2.7:4321 {proxy} {proxy}\n"),
    );
    drop(stream);
    logged(&server, &format!("EVENT 192.0.2.7:4321 {proxy}\n"));
}
