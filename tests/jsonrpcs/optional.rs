//! Null and values of wrong types instead of parameters. Whatever the C module runs is
//! run, and a command's own fault is the answer.

use harness::differential::{SUITABLE, SharedSetup};
use harness::json::alike;
use harness::modules::Flavor;
use harness::requests::Request;
use harness::server::Server;

use crate::differential::{LEFT_OUT, is_comparable, json_of, methods};
use crate::transports::{JsonListeners, datagram, has_tcp};

/// The values that replace a parameter.
const ODD: [&str; 5] = ["null", "5", "true", "[]", "{\"a\":1}"];

/// Commands that take a number or several texts in one scan, the last of which may be
/// missing. For those C makes a 0 of null, or fails.
const NULL_IS_SOMETHING_IN_C: &[&str] = &[
    "cfg.get",
    "core.printi",
    "corex.debug",
    "dbg.bp",
    "dbg.ls",
    "dbg.trace",
    "dispatcher.hash",
    "dispatcher.ping_active",
    "evrexec.run",
    "jsonrpc.echo",
    "pdt.list",
    "ul.add",
    "xhttp_prom.counter_inc",
    "xhttp_prom.counter_reset",
    "xhttp_prom.gauge_reset",
    "xhttp_prom.gauge_set",
];

/// Commands that are not called, and the reasons.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "cfg.set",
        "a value that is no text either is the number 0 in C",
    ),
    ("cfg.set_delayed", "the same"),
];

/// A request for a command.
struct Asked {
    method: String,
    params: Vec<String>,
}

impl Asked {
    fn new(method: &str, params: &[&str]) -> Self {
        Asked {
            method: method.to_owned(),
            params: params.iter().map(|param| (*param).to_owned()).collect(),
        }
    }

    fn document(&self) -> String {
        self.document_of(&self.params)
    }

    /// The document for the C module, in which null is a missing parameter.
    fn document_for_c(&self) -> String {
        let null = self.params.iter().position(|param| param == "null");
        let is_something = NULL_IS_SOMETHING_IN_C.contains(&self.method.as_str());
        let count = null.filter(|_| is_something).unwrap_or(self.params.len());
        self.document_of(&self.params[..count])
    }

    fn document_of(&self, params: &[String]) -> String {
        let (method, params) = (&self.method, params.join(","));
        format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":[{params}],"id":1}}"#)
    }
}

#[test]
fn every_command_answers_as_over_the_c_module() {
    let setup = SharedSetup::new();
    let listeners = JsonListeners::new();
    let start = |flavor| {
        let config = listeners.config(has_tcp(Flavor::C), 0);
        setup.start_with(flavor, &["jsonrpcs"], &config)
    };
    let ask = |server: &Server, asked: &[Asked], document: fn(&Asked) -> String| {
        let socket = server.path("rpc.socket");
        let answer = |asked: &Asked| datagram(&socket, document(asked).as_bytes());
        asked.iter().map(answer).collect::<Vec<String>>()
    };
    // What ours refuses, C runs with a 0 instead, and what that changes would show in
    // later answers.
    let server = start(Flavor::Rust);
    let mut asked = requests(&server);
    let total = asked.len();
    let answers = ask(&server, &asked, Asked::document);
    drop(server);
    let mut answers = answers.iter();
    asked.retain(|_| answers.next().is_some_and(|answer| !is_no_number(answer)));
    assert!(2 * asked.len() > total, "{} of {total}", asked.len());

    let theirs = ask(&start(Flavor::C), &asked, Asked::document_for_c);
    let ours = ask(&start(Flavor::Rust), &asked, Asked::document);
    let mut different = Vec::new();
    for (asked, (theirs, ours)) in asked.iter().zip(theirs.iter().zip(&ours)) {
        if !alike(&asked.method, theirs, ours) && !is_told_by_ours_alone(theirs, ours) {
            let document = asked.document();
            different.push(format!("{document}\n--- C\n{theirs}\n--- ours\n{ours}"));
        }
    }
    assert!(
        different.is_empty(),
        "{} answers to {} documents differ:\n{}",
        different.len(),
        asked.len(),
        different.join("\n")
    );
}

/// Requests that suit a command with an odd value behind them, and odd values alone and
/// between others.
fn requests(server: &Server) -> Vec<Asked> {
    let suitable = Request::parse_all(SUITABLE)
        .into_iter()
        .flat_map(|request| {
            let args = request.args.iter().filter(|arg| is_comparable(arg));
            let args: Vec<String> = args.map(json_of).collect();
            ODD.map(|odd| {
                let params: Vec<&str> = args.iter().map(String::as_str).chain([odd]).collect();
                Asked::new(&request.method, &params)
            })
        });
    let odd = methods(server).into_iter().flat_map(|method| {
        let word = "\"alpha\"";
        ODD.into_iter()
            .flat_map(|odd| {
                [
                    Asked::new(&method, &[odd]),
                    Asked::new(&method, &[word, odd]),
                    Asked::new(&method, &[odd, word]),
                    Asked::new(&method, &[word, word, odd]),
                    Asked::new(&method, &[word, odd, word]),
                    Asked::new(&method, &[word, word, word, odd]),
                ]
            })
            .collect::<Vec<_>>()
    });
    let asked = suitable.chain(odd);
    let left_out = |asked: &Asked| {
        let mut tables = LEFT_OUT.iter().chain(DIFFERENT);
        tables.any(|(name, _)| *name == asked.method)
    };
    asked.filter(|asked| !left_out(asked)).collect()
}

/// Whether only ours tells what is wrong: the command has not complained about a
/// missing parameter, and in C the result is empty.
fn is_told_by_ours_alone(theirs: &str, ours: &str) -> bool {
    theirs == r#"{"jsonrpc":"2.0","result":{},"id":1}"#
        && ours.contains(r#""code":-32602"#)
        && ours.contains(": expected string, got ")
}

/// Whether a parameter is not a number although the command needs one.
fn is_no_number(answer: &str) -> bool {
    let wanted = [": expected integer, got ", ": expected float, got "];
    answer.contains(r#""code":-32602"#) && wanted.iter().any(|wanted| answer.contains(wanted))
}
