//! Every suitable request over a Unix datagram socket.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use harness::differential::{Place, SUITABLE};
use harness::modules::Flavor;
use harness::own_path::OwnPath;
use harness::requests::Request;
use harness::volatile;
use harness::wait::PATIENCE;
use rpc_wire::binrpc::client::Arg;

/// Documents that the C module answers validly, and what they have of its
/// leniencies.
const ODD: &[&str] = &[
    r#"{"JSONRPC":"2.0","Method":"core.echo","params":["a"],"ID":1}"#,
    r#"{"jsonrpc":"2.0","method":"core.echo","params":["a"],"id":1} and more"#,
    r#"{"jsonrpc":"2.0","method":"core.echo","method":"core.version","params":["a"],"id":1}"#,
    r#"{"jsonrpc":"2.0","method":"core.echo","params":{"x":"a","x":"b","y":3},"id":1}"#,
    "{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":[\"a\tb\nc\"],\"id\":1}",
    r#"{"jsonrpc":"2.0","method":"core.echo","params":["\u00e4\ud83d\ude00\/"],"id":"x\"y"}"#,
    r#"{"jsonrpc":"2.0","method":"jsonrpc.echo","params":["a",5],"id":7}"#,
    r#"{"jsonrpc":"2.0","method":"no.such","id":1}"#,
    r#"{"jsonrpc":"2.0","method":"core.version"}"#,
];

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
fn suitable_requests_are_answered_as_by_the_c_module() {
    for pretty in [0, 1] {
        let documents: Vec<String> = documents().collect();
        assert!(documents.len() > 150, "only {} documents", documents.len());
        let place = Place::new();
        let theirs = answers(&place, Flavor::C, pretty, &documents);
        let ours = answers(&place, Flavor::Rust, pretty, &documents);
        let different: Vec<String> = documents
            .iter()
            .zip(theirs.iter().zip(&ours))
            .filter(|(_, (theirs, ours))| theirs != ours && !is_a_wrong_type(ours))
            .map(|(document, (theirs, ours))| format!("{document}\n C {theirs}\n    {ours}"))
            .collect();
        assert!(
            different.is_empty(),
            "{} of {} differ:\n{}",
            different.len(),
            documents.len(),
            different.join("\n")
        );
    }
}

#[test]
fn wrong_documents_are_answered_with_the_right_error() {
    let place = Place::new();
    let server = place.start(Flavor::Rust, &config(0));
    let socket = server.path("rpc.socket");
    for (document, code) in WRONG {
        let answer = ask(&socket, document);
        let told = format!("\"code\":{code},");
        assert!(answer.contains(&told), "{document}\n{answer}");
        assert!(ask(&socket, ODD[0]).contains("\"result\""), "{document}");
    }
}

#[test]
fn a_batch_is_answered_in_one_array() {
    let place = Place::new();
    let server = place.start(Flavor::Rust, &config(0));
    let batch = r#"[{"jsonrpc":"2.0","method":"core.echo","params":[1],"id":9007199254740993},
        5, {"jsonrpc":"2.0","method":"core.echo","params":[2],"id":null}]"#;
    assert_eq!(
        ask(&server.path("rpc.socket"), batch),
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

fn answers(place: &Place, flavor: Flavor, pretty: i32, documents: &[String]) -> Vec<String> {
    let server = place.start(flavor, &config(pretty));
    let socket = server.path("rpc.socket");
    let ask = |document: &String| ask(&socket, document);
    documents.iter().map(ask).collect()
}

pub(crate) fn ask(socket: &Path, document: &str) -> String {
    let own = OwnPath::new();
    let client = UnixDatagram::bind(own.path()).expect("a new socket");
    client
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    client.send_to(document.as_bytes(), socket).expect("sent");
    let mut reply = vec![0; 1 << 18];
    match client.recv(&mut reply) {
        Ok(len) => String::from_utf8_lossy(&reply[..len]).into_owned(),
        Err(error) => panic!("no answer to {document}: {error}"),
    }
}

/// C passes a parameter of a wrong type on as 0, or as nothing.
fn is_a_wrong_type(ours: &str) -> bool {
    let mut squeezed = ours.to_owned();
    squeezed.retain(|character| !character.is_whitespace());
    squeezed.contains(r#""error":{"code":-32602,"#) && squeezed.contains(r#""data":"parameter"#)
}

/// Requests by position and by name, and the odd ones.
fn documents() -> impl Iterator<Item = String> {
    Request::parse_all(SUITABLE)
        .into_iter()
        .filter(is_comparable)
        .flat_map(|request| {
            let values: Vec<String> = request.args.iter().filter_map(json).collect();
            let named = values
                .iter()
                .enumerate()
                .map(|(index, value)| format!("\"p{index}\":{value}"));
            let method = &request.method;
            let params = [
                format!("[{}]", values.join(",")),
                format!("{{{}}}", named.collect::<Vec<_>>().join(",")),
            ];
            params.map(|params| {
                format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#)
            })
        })
        .chain(ODD.iter().map(|odd| (*odd).to_owned()))
}

/// The answer tells no time, process or address, and the types are the
/// command's: the C module passes a wrong type on as 0 or nothing.
fn is_comparable(request: &Request) -> bool {
    const LEFT_OUT: &[&str] = &[
        "core.kill",
        // What C makes of a wrong type would be seen in later answers.
        "htable.seti",
        "pv.shvSet",
        "cfg.get",
        "cfg.set",
        "cfg.seti",
        "cfg.diff",
        // Memory in use, and the names of things that each server has its own of.
        "core.shmmem",
        "core.sockets_list",
        "mod.stats",
        "mod.stats_all",
        "pkg.stats",
        "ctl.who",
        "ctl.listen",
        "ctl.connections",
        "stats.get_statistics",
        "stats.fetch",
        "stats.fetchn",
    ];
    let all_text = request.args.iter().all(|arg| matches!(arg, Arg::Str(_)));
    all_text
        && volatile::of(&request.method).is_empty()
        && !LEFT_OUT.contains(&request.method.as_str())
}

fn json(arg: &Arg) -> Option<String> {
    match arg {
        Arg::Str(text) => Some(quoted(&String::from_utf8_lossy(text))),
        _ => None,
    }
}

/// A text in quotes; what the requests hold needs few escapes.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
