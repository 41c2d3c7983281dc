//! Documents over a Unix datagram socket.

use harness::datagram::NamedSocket;
use harness::differential::SharedSetup;
use harness::modules::Flavor;
use harness::server::Server;
use harness::sip::Peer;
use harness::wait;

use crate::transports::datagram;

const ECHO: &str = r#"{"jsonrpc":"2.0","method":"core.echo","params":["a"],"id":1}"#;

/// Documents that end a server with the C module, or that it does not answer, and the
/// code of the error that answers them.
const WRONG: &[(&str, &str)] = &[
    ("", "-32700"),
    ("{", "-32700"),
    ("no json", "-32700"),
    (
        r#"{"jsonrpc":2.0,"method":"core.version","id":1}"#,
        "-32600",
    ),
    (r#"{"jsonrpc":"2.0","method":5,"id":1}"#, "-32600"),
    (r#"{"jsonrpc":"2.0","id":1}"#, "-32600"),
    ("[]", "-32600"),
    ("5", "-32600"),
    (
        r#"{"jsonrpc":"2.0","method":"core.version","params":"x","id":1}"#,
        "-32602",
    ),
    (
        r#"{"jsonrpc":"2.0","method":"cfg.help","params":[[]],"id":1}"#,
        "-32602",
    ),
];

#[test]
fn wrong_documents_are_answered_with_the_right_error() {
    let setup = SharedSetup::new();
    let server = setup.start(Flavor::Rust, &config(0));
    let socket = server.path("rpc.socket");
    for (document, code) in WRONG {
        let answer = datagram(&socket, document.as_bytes());
        let told = format!("\"code\":{code},");
        assert!(answer.contains(&told), "{document}\n{answer}");
        assert!(
            datagram(&socket, ECHO.as_bytes()).contains("\"result\""),
            "{document}"
        );
    }
}

#[test]
fn a_batch_is_answered_in_one_array() {
    let setup = SharedSetup::new();
    let server = setup.start(Flavor::Rust, &config(0));
    let batch = r#"[{"jsonrpc":"2.0","method":"core.echo","params":[1],"id":9007199254740993},
        5, {"jsonrpc":"2.0","method":"core.echo","params":[2],"id":null}]"#;
    assert_eq!(
        datagram(&server.path("rpc.socket"), batch.as_bytes()),
        concat!(
            r#"[{"jsonrpc":"2.0","result":["1"],"id":9007199254740993},"#,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request","#,
            r#""data":"a request is an object"},"id":null},"#,
            r#"{"jsonrpc":"2.0","result":["2"],"id":null}]"#
        )
    );
}

fn config(pretty: i32) -> String {
    format!(
        "loadmodule \"jsonrpcs.so\"\n\
         modparam(\"jsonrpcs\", \"pretty_format\", {pretty})\n\
         modparam(\"jsonrpcs\", \"dgram_socket\", \"{{dir}}/rpc.socket\")\n"
    )
}

/// The command that takes long is the first of many that come together; the second
/// process serves all others.
#[test]
fn a_worker_that_is_busy_holds_up_nobody() {
    let peer = Peer::start();
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "tm", "jsonrpcs"])
        .config(
            r#"
            modparam("jsonrpcs", "pretty_format", 0)
            modparam("jsonrpcs", "dgram_socket", "{dir}/rpc.socket")
            modparam("jsonrpcs", "dgram_workers", 2)
            "#,
        )
        .start();
    let client = NamedSocket::to(&server.path("rpc.socket"));
    let uri = peer.uri("held");
    let slow = format!(
        r#"{{"jsonrpc":"2.0","method":"tm.t_uac_wait_block","params":["OPTIONS","{uri}",".",".","From: <sip:a@127.0.0.1>\r\nTo: <sip:b@127.0.0.1>\r\n"],"id":"slow"}}"#
    );
    client.send(slow.as_bytes()).expect("sent");
    for _ in 0..10 {
        client.send(ECHO.as_bytes()).expect("sent");
    }
    let receive = || {
        let mut answer = vec![0; 1 << 16];
        let len = client.recv(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer[..len]).into_owned()
    };
    for _ in 0..10 {
        assert!(receive().contains(r#""result":["a"]"#));
    }
    wait::until("the peer has it", || peer.held() > 0);
    peer.release();
    let last = receive();
    assert!(
        last.contains(r#""code":200"#) && last.contains("slow"),
        "{last}"
    );
}
