//! Every command that a test may call, sent over every transport of the C module and of
//! ours, with parameters by position and by name, pretty and compact.

use harness::additions;
use harness::differential::{SUITABLE, SharedSetup};
use harness::json::alike;
use harness::modules::Flavor;
use harness::requests::Request;
use harness::server::Server;
use rpc_wire::binrpc::client::{Answer, Arg};

use crate::transports::{JSON_TRANSPORTS, JsonListeners, JsonTransport, datagram, has_tcp};

/// Documents that the C module answers validly. They show some of its leniencies.
const ODD: &[&str] = &[
    r#"{"JSONRPC":"2.0","Method":"core.echo","params":["a"],"ID":1}"#,
    r#"{"jsonrpc":"2.0","method":"core.echo","params":["a"],"id":1} "#,
    r#"{"jsonrpc":"2.0","method":"core.echo","method":"core.version","params":["a"],"id":1}"#,
    r#"{"jsonrpc":"2.0","method":"core.echo","params":{"x":"a","x":"b","y":3},"id":1}"#,
    "{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":[\"a\tb\nc\"],\"id\":1}",
    r#"{"jsonrpc":"2.0","method":"core.echo","params":["\u00e4\ud83d\ude00\/"],"id":"x\"y"}"#,
    r#"{"jsonrpc":"2.0","method":"jsonrpc.echo","params":["a",5],"id":7}"#,
    r#"{"jsonrpc":"2.0","method":"no.such","id":1}"#,
    r#"{"jsonrpc":"2.0","method":"core.version"}"#,
];

/// Commands that are not called, and the reasons.
pub(crate) const LEFT_OUT: &[(&str, &str)] = &[
    ("core.kill", "it ends the server"),
    (
        "tm.t_uac_wait",
        "its answer over HTTP waits for a SIP reply; it has tests of its own",
    ),
    (
        "modparam.list",
        "it has the parameters that ours alone have; tests/modules/told.rs compares it",
    ),
    ("ctl.who", "the connections of this test itself"),
    ("ctl.connections", "the connections of this test itself"),
    ("core.tcp_list", "the connections of this test itself"),
    ("core.tcp_info", "the connections of this test itself"),
    (
        "core.sockets_list",
        "its JSON in C has a member twice, one of them freed",
    ),
];

/// A document with the method in it.
struct Asked {
    method: String,
    document: String,
}

#[test]
fn every_command_answers_as_over_the_c_module() {
    compare(0);
}

#[test]
fn every_command_answers_so_in_the_pretty_format() {
    compare(1);
}

fn compare(pretty: i32) {
    let setup = SharedSetup::new();
    let listeners = JsonListeners::new();
    let kept = kept(&start(&setup, &listeners, Flavor::Rust, pretty));
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = start(&setup, &listeners, flavor, pretty);
        ask_all(&server, &listeners, &kept)
    });
    let mut different = Vec::new();
    for (asked, (theirs, ours)) in kept.iter().zip(theirs.iter().zip(&ours)) {
        for (transport, (theirs, ours)) in common_transports().zip(theirs.iter().zip(ours)) {
            if !alike_over(transport, asked, theirs, ours) {
                let document = &asked.document;
                different.push(format!(
                    "{transport:?} {document}\n--- C\n{theirs}\n--- ours\n{ours}"
                ));
            }
        }
    }
    assert!(
        different.is_empty(),
        "{} answers to {} documents differ:\n{}",
        different.len(),
        kept.len(),
        different.join("\n")
    );
}

/// The documents whose parameters suit their commands. C passes a parameter of a wrong
/// type on as 0 or nothing, and whatever a command does with that would show in later
/// answers.
fn kept(server: &Server) -> Vec<Asked> {
    let asked = documents(server);
    let total = asked.len();
    let socket = server.path("rpc.socket");
    let kept: Vec<Asked> = asked
        .into_iter()
        .filter(|asked| !is_a_wrong_type(&datagram(&socket, asked.document.as_bytes())))
        .collect();
    assert!(
        3 * kept.len() > 2 * total,
        "only {} of {total} documents are left to compare",
        kept.len()
    );
    kept
}

fn alike_over(transport: JsonTransport, asked: &Asked, theirs: &str, ours: &str) -> bool {
    let body = |answer: &str| {
        let (head, body) = match transport {
            JsonTransport::Http => answer.split_once("\n\n").unwrap_or_default(),
            _ => ("", answer),
        };
        (head.to_owned(), body.to_owned())
    };
    // C passes a line feed in a fault's text on into the status line.
    let theirs = theirs.replacen("\n\nContent-Type", " \nContent-Type", 1);
    let ((their_head, theirs), (our_head, ours)) = (body(&theirs), body(ours));
    their_head == our_head && alike(&asked.method, &theirs, &ours)
}

fn common_transports() -> impl Iterator<Item = JsonTransport> {
    JSON_TRANSPORTS
        .into_iter()
        .filter(|transport| *transport != JsonTransport::Tcp || has_tcp(Flavor::C))
}

fn start(setup: &SharedSetup, listeners: &JsonListeners, flavor: Flavor, pretty: i32) -> Server {
    let config = listeners.config(has_tcp(Flavor::C), pretty);
    setup.start_with(flavor, &["jsonrpcs"], &config)
}

/// The answers over all transports, document by document.
fn ask_all(server: &Server, listeners: &JsonListeners, documents: &[Asked]) -> Vec<Vec<String>> {
    let mut answers: Vec<Vec<String>> = documents.iter().map(|_| Vec::new()).collect();
    // The order is one transport after the other, so what commands change is changed
    // over each of them.
    for transport in common_transports() {
        for (asked, answers) in documents.iter().zip(&mut answers) {
            answers.push(listeners.ask(server, transport, &asked.document));
        }
    }
    answers
}

/// Whether a parameter has a wrong type, which C passes on.
fn is_a_wrong_type(answer: &str) -> bool {
    let mut squeezed = answer.to_owned();
    squeezed.retain(|character| !character.is_whitespace());
    squeezed.contains(r#""error":{"code":-32602,"#) && squeezed.contains(r#""data":"parameter"#)
}

/// Documents that suit their commands, documents that suit hardly any, and the odd
/// ones.
fn documents(server: &Server) -> Vec<Asked> {
    let suitable = Request::parse_all(SUITABLE);
    let unsuitable = methods(server)
        .into_iter()
        .flat_map(|method| unsuitable(&method));
    let requests = suitable.into_iter().chain(unsuitable);
    let mut documents: Vec<Asked> = requests
        .filter(|request| LEFT_OUT.iter().all(|(name, _)| *name != request.method))
        .filter(|request| request.args.iter().all(is_comparable))
        .flat_map(|request| by_position_and_by_name(&request))
        .collect();
    documents.extend(ODD.iter().map(|odd| Asked {
        method: String::new(),
        document: (*odd).to_owned(),
    }));
    documents
}

/// Whether the argument can be compared. C makes an unsigned long of a number if a
/// command converts it to text.
pub(crate) fn is_comparable(arg: &Arg) -> bool {
    match arg {
        Arg::Int(number) => *number >= 0,
        Arg::Double(number) => *number >= 0.0 && number.fract() == 0.0,
        _ => true,
    }
}

/// The commands that a server has with the C modules.
pub(crate) fn methods(server: &Server) -> Vec<String> {
    let answer = server.client().call(additions::LIST, &[]);
    let Answer::Reply(names) = answer else {
        panic!("{answer}");
    };
    let name = |name: &rpc_wire::binrpc::client::Node| name.as_str().map(str::to_owned);
    let names = names.iter().filter_map(name);
    names.filter(|name| !additions::is_added(name)).collect()
}

/// Requests with too few parameters, too many, and meaningless ones.
fn unsuitable(method: &str) -> Vec<Request> {
    let word = || Arg::from("alpha");
    let sets = [
        vec![],
        vec![word()],
        vec![7.into()],
        vec![word(), 7.into()],
        vec![7.into(), word()],
        vec![word(), word(), word()],
        vec![word(), word(), word(), word(), word()],
    ];
    let request = |args| Request {
        method: method.to_owned(),
        args,
    };
    sets.into_iter().map(request).collect()
}

fn by_position_and_by_name(request: &Request) -> [Asked; 2] {
    let values: Vec<String> = request.args.iter().map(json_of).collect();
    let named: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(index, value)| format!("\"p{index}\":{value}"))
        .collect();
    let method = &request.method;
    let params = [
        format!("[{}]", values.join(",")),
        format!("{{{}}}", named.join(",")),
    ];
    params.map(|params| Asked {
        method: method.clone(),
        document: format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#),
    })
}

pub(crate) fn json_of(arg: &Arg) -> String {
    match arg {
        Arg::Int(number) => number.to_string(),
        Arg::Double(number) => number.to_string(),
        Arg::Str(text) => {
            let text = String::from_utf8_lossy(text);
            serde_json::to_string(&text).expect("text is JSON")
        }
        other => panic!("no request has {other:?}"),
    }
}
