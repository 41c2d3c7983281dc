//! The process that runs a command has no private memory left.

use harness::sip::Peer;

use crate::everywhere::{Everywhere, Transport};

/// The core takes private memory for each header in the parameters of this command, and
/// if there is too little for all of them it keeps what it took. From then on commands
/// that need any fail in that process. All others are answered, because replies need
/// none.
#[test]
fn commands_that_need_none_go_on() {
    const TIMES: usize = 3;
    let peer = Peer::start();
    let everywhere = Everywhere::new();
    let server = match everywhere.builder("").memory(64, 1).try_start() {
        Ok(server) => server,
        // This is the least that can be given; 5.6 starts with it.
        Err(ended) if ended.log.contains("pv_init_buffer(): could not allocate") => {
            eprintln!("NOT TESTED: this Kamailio does not start with 1 MiB of private memory");
            return;
        }
        Err(ended) => panic!("the server ended at once; its log:\n{}", ended.log),
    };
    let processes = server.processes();
    let uri = peer.uri("200");
    let headers = format!(
        "From: <sip:a@127.0.0.1>\r\nTo: <sip:b@127.0.0.1>\r\n{}",
        "X: y\r\n".repeat(9_000)
    );
    let call = ["OPTIONS", &uri, ".", ".", &headers];
    let mut clients = everywhere.clients(&server);
    // Over the line protocols a parameter is a line. HTTP is served by the processes
    // for SIP, which need their memory for other things.
    clients.retain(|client| {
        use Transport::{JsonHttp, LinesPipe, LinesTcp, LinesUdp, MiDatagram};
        let others = [LinesPipe, LinesUdp, LinesTcp, JsonHttp, MiDatagram];
        !others.contains(&client.transport)
    });
    for client in &mut clients {
        for _ in 0..TIMES {
            let answer = client.ask("tm.t_uac_start", &call);
            let refused = answer.contains("400") && answer.contains("Invalid headers");
            assert!(refused, "{:?}: {answer}", client.transport);
            assert!(client.is_answered(), "{:?}", client.transport);
        }
    }
    // These clients share a process with the command.
    for client in &mut everywhere.clients(&server) {
        assert!(client.is_answered(), "{:?}", client.transport);
    }
    assert_eq!(server.processes(), processes);
    let log = server.log();
    let lines = log.matches("could not allocate private memory").count();
    assert!(lines >= TIMES * clients.len(), "{log}");
}
