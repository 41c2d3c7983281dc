//! The examples of the JSON-RPC specification, in its order, under the default rules
//! and under its own. Its methods are `core.echo` here, which returns its parameters as
//! texts; `foobar` and `foo.get` do not exist.

use serde_json::{Value, json};

use harness::server::Server;

use crate::transports::{ECHO, ECHOED, JsonListeners, JsonTransport};

/// A document, the answer under the default rules and the one under the
/// specification's. `None` means that there is no answer.
struct Example {
    document: &'static str,
    default: Option<Value>,
    strict: Option<Value>,
}

fn same(document: &'static str, answer: Value) -> Example {
    Example {
        document,
        default: Some(answer.clone()),
        strict: Some(answer),
    }
}

fn result(result: Value, id: Value) -> Value {
    json!({"jsonrpc": "2.0", "result": result, "id": id})
}

fn error(code: i32, message: &str, id: Value) -> Value {
    json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": id})
}

fn examples() -> Vec<Example> {
    let invalid = || error(-32600, "Invalid Request", Value::Null);
    let unparsed = || error(-32700, "Parse Error", Value::Null);
    vec![
        same(
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#,
            result(json!(["42", "23"]), json!(1)),
        ),
        same(
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#,
            result(json!(["23", "42"]), json!(2)),
        ),
        // Commands know no names: members count by their order.
        same(
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
            result(json!(["23", "42"]), json!(3)),
        ),
        same(
            r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
            result(json!(["42", "23"]), json!(4)),
        ),
        Example {
            document: r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#,
            default: Some(json!({"jsonrpc": "2.0", "result": ["1", "2", "3", "4", "5"]})),
            strict: None,
        },
        Example {
            document: r#"{"jsonrpc": "2.0", "method": "foobar"}"#,
            default: Some(
                json!({"jsonrpc": "2.0", "error": {"code": 500, "message": "Method Not Found"}}),
            ),
            strict: None,
        },
        Example {
            document: r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#,
            default: Some(error(500, "Method Not Found", json!("1"))),
            strict: Some(error(-32601, "Method Not Found", json!("1"))),
        },
        same(
            r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
            unparsed(),
        ),
        same(
            r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#,
            invalid(),
        ),
        same(
            r#"[ {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
                {"jsonrpc": "2.0", "method" ]"#,
            unparsed(),
        ),
        same("[]", invalid()),
        same("[1]", json!([invalid()])),
        same("[1,2,3]", json!([invalid(), invalid(), invalid()])),
        mixed_batch(),
        Example {
            document: r#"[ {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
                {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]} ]"#,
            default: Some(json!([
                {"jsonrpc": "2.0", "result": ["1", "2", "4"]},
                {"jsonrpc": "2.0", "result": ["7"]}
            ])),
            strict: None,
        },
    ]
}

fn mixed_batch() -> Example {
    let strict = [
        result(json!(["1", "2", "4"]), json!("1")),
        result(json!(["42", "23"]), json!("2")),
        error(-32600, "Invalid Request", Value::Null),
        error(-32601, "Method Not Found", json!("5")),
        result(json!([]), json!("9")),
    ];
    let mut default = strict.to_vec();
    default[3] = error(500, "Method Not Found", json!("5"));
    default.insert(1, json!({"jsonrpc": "2.0", "result": ["7"]}));
    Example {
        document: r#"[
            {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
            {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
        ]"#,
        default: Some(Value::Array(default)),
        strict: Some(Value::Array(strict.to_vec())),
    }
}

#[test]
fn by_the_default_rules() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    for example in examples() {
        check(
            &listeners,
            &server,
            example.document,
            example.default.as_ref(),
        );
    }
}

#[test]
fn by_its_own_rules() {
    let listeners = JsonListeners::new();
    let server = listeners.start(r#"modparam("jsonrpcs", "strict", 1)"#);
    for example in examples() {
        check(
            &listeners,
            &server,
            example.document,
            example.strict.as_ref(),
        );
    }
}

/// The document with commands of the server instead of the specification's methods.
fn with_commands(document: &str) -> String {
    [
        "subtract",
        "update",
        "sum",
        "notify_sum",
        "notify_hello",
        "get_data",
    ]
    .iter()
    .fold(document.to_owned(), |document, method| {
        document.replace(&format!("\"{method}\""), "\"core.echo\"")
    })
}

fn check(listeners: &JsonListeners, server: &Server, document: &str, wanted: Option<&Value>) {
    let document = with_commands(document);
    let http = listeners.ask(server, JsonTransport::Http, &document);
    let (head, http) = http.split_once("\n\n").expect("a head");
    let tcp = crate::transports::tcp_to_the_end(listeners.tcp(), document.as_bytes());
    let Some(wanted) = wanted else {
        assert!(head.starts_with("HTTP/1.1 204 "), "{document}\n{head}");
        assert_eq!((http, tcp.as_str()), ("", ""), "{document}");
        assert!(is_silent(server, &document), "{document}");
        return;
    };
    let datagram = listeners.ask(server, JsonTransport::Datagram, &document);
    for answer in [http, &tcp, &datagram] {
        assert_eq!(&without_data(answer), wanted, "{document}");
    }
}

/// Whether only the answer to the next document comes back.
fn is_silent(server: &Server, document: &str) -> bool {
    let socket = server.path("rpc.socket");
    let asked = [document.as_bytes(), ECHO.as_bytes()];
    crate::transports::first_datagram(&socket, &asked) == ECHOED
}

/// The answer without the members `data`, whose contents the specification leaves to
/// the server.
fn without_data(answer: &str) -> Value {
    let mut answer: Value =
        serde_json::from_str(answer).unwrap_or_else(|error| panic!("{answer} is no JSON: {error}"));
    match &mut answer {
        Value::Array(answers) => answers.iter_mut().for_each(remove_data),
        answer => remove_data(answer),
    }
    answer
}

fn remove_data(answer: &mut Value) {
    if let Some(Value::Object(error)) = answer.get_mut("error") {
        error.remove("data");
    }
}
