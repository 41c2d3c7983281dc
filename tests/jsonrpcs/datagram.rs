//! Documents over a Unix datagram socket.

use harness::differential::Place;
use harness::modules::Flavor;

use crate::ways::datagram;

const ECHO: &str = r#"{"jsonrpc":"2.0","method":"core.echo","params":["a"],"id":1}"#;

/// Documents that end a server with the C module, or that it leaves without an
/// answer, and the code of the error that answers them.
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
        r#"{"jsonrpc":"2.0","method":"htable.get","params":["a",[]],"id":1}"#,
        "-32602",
    ),
];

#[test]
fn wrong_documents_are_answered_with_the_right_error() {
    let place = Place::new();
    let server = place.start(Flavor::Rust, &config(0));
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
    let place = Place::new();
    let server = place.start(Flavor::Rust, &config(0));
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
