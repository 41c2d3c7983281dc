//! Answers that come after the command has returned: the answer of `tm.t_uac_wait` is
//! the reply to a SIP request.

use harness::builder::Builder;
use harness::http::{Client, Response};
use harness::linefifo::ReplyPipe;
use harness::modules::Flavor;
use harness::server::Server;
use harness::sip::Peer;
use harness::wait;

use crate::transports::datagram;

fn start(flavor: Flavor, pretty: i32) -> Server {
    builder(flavor, pretty).start()
}

fn builder(flavor: Flavor, pretty: i32) -> Builder {
    Server::builder(flavor)
        .tcp()
        .modules([
            "ctl", "tm", "sl", "pv", "xlog", "kex", "rtimer", "xhttp", "jsonrpcs",
        ])
        .config(&format!(
            r#"
            modparam("jsonrpcs", "transport", 7)
            modparam("jsonrpcs", "pretty_format", {pretty})
            modparam("jsonrpcs", "fifo_name", "{{dir}}/rpc.fifo")
            modparam("jsonrpcs", "dgram_socket", "{{dir}}/rpc.socket")
            modparam("tm", "fr_timer", 400)
            modparam("tm", "wt_timer", 100)
            tcp_accept_no_cl=yes
            request_route {{ exit; }}
            event_route[xhttp:request] {{ jsonrpc_dispatch(); }}
            "#
        ))
}

fn document(uri: &str, id: &str) -> String {
    let headers = r"From: <sip:a@127.0.0.1>\r\nTo: <sip:b@127.0.0.1>\r\n";
    format!(
        r#"{{"jsonrpc":"2.0","method":"tm.t_uac_wait","params":["OPTIONS","{uri}",".",".","{headers}"],"id":{id}}}"#
    )
}

fn ask(server: &Server, uri: &str) -> Response {
    Client::connect(server.port()).post(document(uri, "1").as_bytes())
}

/// A reply without what differs between two requests.
fn comparable(response: &Response) -> String {
    let lines = response.body.split(r"\r\n").map(|line| {
        let names = ["Via:", "Call-ID:", "From:", "To:"];
        let start = names.iter().filter_map(|name| line.find(name)).min();
        &line[..start.unwrap_or(line.len())]
    });
    // The first has the client's port, and the second counts the digits of a process
    // number.
    let differ = ["Sia:", "Content-Length:"];
    let headers = response
        .headers
        .iter()
        .filter(|header| differ.iter().all(|name| !header.starts_with(name)));
    format!(
        "{}\n{:?}\n{:?}",
        response.status,
        headers.collect::<Vec<_>>(),
        lines.collect::<Vec<_>>()
    )
}

#[test]
fn the_answer_is_that_of_the_c_module() {
    let peer = Peer::start();
    for pretty in [0, 1] {
        let (theirs, ours) = (start(Flavor::C, pretty), start(Flavor::Rust, pretty));
        for uri in [
            peer.uri("200"),
            peer.uri("404"),
            peer.uri("603"),
            // Nobody answers, so the reply is the server's own.
            peer.uri("silent"),
            // The request cannot even be sent.
            "sip:nobody@nowhere.invalid".to_owned(),
            "no uri".to_owned(),
        ] {
            let told = ask(&ours, &uri);
            assert_eq!(
                comparable(&ask(&theirs, &uri)),
                comparable(&told),
                "{uri}: {told:?}"
            );
        }
    }
}

#[test]
fn the_answer_has_the_reply() {
    let peer = Peer::start();
    let server = start(Flavor::Rust, 0);
    let ok = ask(&server, &peer.uri("200"));
    assert_eq!(ok.status, "HTTP/1.1 200 OK");
    let start = r#"{"jsonrpc":"2.0","result":[200,"Told So","#;
    assert!(ok.body.starts_with(start), "{}", ok.body);
    assert!(
        ok.body.contains(r#"X-Said: \"quoted\" \\ é\r\n"#),
        "{}",
        ok.body
    );
    assert!(ok.body.ends_with(r#""],"id":1}"#), "{}", ok.body);
    let silent = ask(&server, &peer.uri("silent"));
    assert_eq!(
        silent.body,
        r#"{"jsonrpc":"2.0","result":[408,"Request Timeout","","","",""],"id":1}"#
    );
}

#[test]
fn ids_come_back_exactly() {
    let peer = Peer::start();
    let server = start(Flavor::Rust, 0);
    let long = format!("\"{}\"", "x".repeat(4000));
    for id in [
        "9007199254740993",
        "1.50",
        "null",
        r#""\u00e9 \"x\"""#,
        &long,
    ] {
        let document = document(&peer.uri("200"), id);
        let told = Client::connect(server.port()).post(document.as_bytes());
        assert!(told.body.ends_with(&format!(r#","id":{id}}}"#)), "{told:?}");
        assert!(told.body.contains("[200,"), "{told:?}");
    }
}

#[test]
fn others_are_served_while_an_answer_is_awaited() {
    let peer = Peer::start();
    // The first of them must still be waited for when the last has come.
    let server = builder(Flavor::Rust, 0)
        .config(r#"modparam("tm", "fr_timer", 30000)"#)
        .start();
    let mut waiting: Vec<Client> = (0..5)
        .map(|id| {
            let mut client = Client::connect(server.port());
            client.send(document(&peer.uri("held"), &id.to_string()).as_bytes());
            client
        })
        .collect();
    wait::until("the peer has all of them", || peer.held() >= 5);
    let version = br#"{"jsonrpc":"2.0","method":"core.version","id":1}"#;
    let told = Client::connect(server.port()).post(version);
    assert!(told.body.contains("kamailio"), "{told:?}");
    peer.release();
    for (id, client) in waiting.iter_mut().enumerate() {
        let told = client.receive().expect("an answer");
        assert!(told.body.contains("[200,"), "{told:?}");
        assert!(told.body.ends_with(&format!(r#","id":{id}}}"#)), "{told:?}");
    }
}

#[test]
fn a_client_that_is_gone_harms_nobody() {
    let peer = Peer::start();
    let server = start(Flavor::Rust, 0);
    let mut client = Client::connect(server.port());
    client.send(document(&peer.uri("held"), "1").as_bytes());
    wait::until("the peer has it", || peer.held() > 0);
    client.abort();
    wait::until("the server knows", || connections(&server) == 0);
    peer.release();
    wait::until("it is told", || server.log().contains("gets no answer"));
    let told = ask(&server, &peer.uri("200"));
    assert!(told.body.contains("[200,"), "{told:?}");
}

#[test]
fn shared_memory_comes_back() {
    let peer = Peer::start();
    let server = start(Flavor::Rust, 0);
    let uris = [
        peer.uri("200"),
        peer.uri("486"),
        "sip:nobody@nowhere.invalid".to_owned(),
    ];
    let rounds = |count: usize| {
        for number in 0..count {
            let told = ask(&server, &uris[number % uris.len()]);
            assert!(told.body.contains("jsonrpc"), "{told:?}");
        }
    };
    // Whatever the server allocates only once exists after some of them.
    rounds(60);
    let before = settled(&server);
    rounds(600);
    // Each transaction that is not freed would leave two kilobytes and more.
    wait::until("the memory comes back", || used(&server) < before + 100_000);
}

#[test]
fn elsewhere_the_command_has_no_way_to_wait() {
    let peer = Peer::start();
    let server = start(Flavor::Rust, 0);
    let fault = r#""error":{"code":500,"message":"internal error: failed to create context"}"#;
    let document = document(&peer.uri("200"), "1");

    let batch = Client::connect(server.port()).post(format!("[{document}]").as_bytes());
    assert!(batch.body.contains(fault), "{batch:?}");

    let no_id = document.replace(r#","id":1"#, "");
    let told = Client::connect(server.port()).post(no_id.as_bytes());
    assert!(told.body.contains(fault), "{told:?}");

    let told = datagram(&server.path("rpc.socket"), document.as_bytes());
    assert!(told.contains(fault), "{told}");

    let mut reply = ReplyPipe::new();
    let named = format!(r#"{{"reply_name":"{}","#, reply.name());
    let request = document.replacen('{', &named, 1);
    std::fs::write(server.path("rpc.fifo"), request).expect("the server reads");
    let told = reply.read_all().expect("an answer");
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains(fault), "{told}");
}

/// The shared memory in use once no transaction is left.
fn settled(server: &Server) -> i32 {
    wait::until("all transactions end", || {
        number(server, "tm.stats", "current") == 0
    });
    wait::until("all connections end", || connections(server) == 0);
    used(server)
}

fn used(server: &Server) -> i32 {
    number(server, "core.shmmem", "used")
}

fn connections(server: &Server) -> i32 {
    number(server, "core.tcp_info", "opened_connections")
}

fn number(server: &Server, command: &str, member: &str) -> i32 {
    let answer = server.client().call(command, &[]);
    answer
        .values()
        .first()
        .and_then(|value| value.get(member))
        // It is a double if the command says long, as later versions do.
        .and_then(|number| number.as_int().or_else(|| Some(number.as_double()? as i32)))
        .unwrap_or_else(|| panic!("no {member} in {answer}"))
}
