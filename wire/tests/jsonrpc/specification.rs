//! The examples of the JSON-RPC specification, in its order, by its rules and
//! by those of the C module.

use rpc_wire::jsonrpc::Form;
use rpc_wire::jsonrpc::Strictness::{self, AsC, Specification};
use serde_json::{Value, json};

use crate::server::{parsed, result, serve};

/// The answer to a document, without the members `data`, of which the
/// specification leaves the contents to the server.
fn served(document: &str, strictness: Strictness) -> Option<Value> {
    let mut answer = parsed(&serve(document.as_bytes(), strictness, Form::Compact)?);
    match &mut answer {
        Value::Array(answers) => answers.iter_mut().for_each(without_data),
        answer => without_data(answer),
    }
    Some(answer)
}

fn without_data(answer: &mut Value) {
    if let Some(Value::Object(error)) = answer.get_mut("error") {
        error.remove("data");
    }
}

fn error(code: i32, message: &str, id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": id})
}

#[test]
fn rpc_call_with_positional_parameters() {
    for strictness in [AsC, Specification] {
        for (params, id, difference) in [("[42, 23]", 1, 19), ("[23, 42]", 2, -19)] {
            let document = format!(
                r#"{{"jsonrpc": "2.0", "method": "subtract", "params": {params}, "id": {id}}}"#
            );
            assert_eq!(
                served(&document, strictness),
                Some(result(&json!(difference), &json!(id)))
            );
        }
    }
}

/// Kamailio's commands know no names: members count by their order, so only the one of
/// the specification's two examples that has them in order gives its result.
#[test]
fn rpc_call_with_named_parameters() {
    let in_order = r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#;
    let reversed = r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#;
    for strictness in [AsC, Specification] {
        assert_eq!(
            served(in_order, strictness),
            Some(result(&json!(19), &json!(4)))
        );
        assert_eq!(
            served(reversed, strictness),
            Some(result(&json!(-19), &json!(3)))
        );
    }
}

#[test]
fn a_notification() {
    let update = r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#;
    let unknown = r#"{"jsonrpc": "2.0", "method": "foobar"}"#;
    assert_eq!(served(update, Specification), None);
    assert_eq!(served(unknown, Specification), None);
    assert_eq!(
        served(update, AsC),
        Some(json!({"jsonrpc": "2.0", "result": {}}))
    );
    assert_eq!(
        served(unknown, AsC),
        Some(json!({"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method Not Found"}}))
    );
}

#[test]
fn rpc_call_of_a_method_that_is_not_there() {
    for strictness in [AsC, Specification] {
        assert_eq!(
            served(
                r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#,
                strictness
            ),
            Some(error(-32601, "Method Not Found", &json!("1")))
        );
    }
}

#[test]
fn rpc_call_with_invalid_json() {
    for strictness in [AsC, Specification] {
        assert_eq!(
            served(
                r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
                strictness
            ),
            Some(error(-32700, "Parse Error", &Value::Null))
        );
    }
}

#[test]
fn rpc_call_with_an_invalid_request() {
    for strictness in [AsC, Specification] {
        assert_eq!(
            served(
                r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#,
                strictness
            ),
            Some(error(-32600, "Invalid Request", &Value::Null))
        );
    }
}

#[test]
fn rpc_call_batch_with_invalid_json() {
    let document = r#"[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method"
    ]"#;
    for strictness in [AsC, Specification] {
        assert_eq!(
            served(document, strictness),
            Some(error(-32700, "Parse Error", &Value::Null))
        );
    }
}

#[test]
fn rpc_call_with_an_empty_array() {
    for strictness in [AsC, Specification] {
        assert_eq!(
            served("[]", strictness),
            Some(error(-32600, "Invalid Request", &Value::Null))
        );
    }
}

#[test]
fn rpc_call_with_an_invalid_batch() {
    let invalid = error(-32600, "Invalid Request", &Value::Null);
    for strictness in [AsC, Specification] {
        assert_eq!(served("[1]", strictness), Some(json!([invalid])));
        assert_eq!(
            served("[1,2,3]", strictness),
            Some(json!([invalid, invalid, invalid]))
        );
    }
}

#[test]
fn rpc_call_batch() {
    let document = r#"[
        {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
        {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
        {"foo": "boo"},
        {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
        {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]"#;
    let mut expected = vec![
        result(&json!(7), &json!("1")),
        result(&json!(19), &json!("2")),
        error(-32600, "Invalid Request", &Value::Null),
        error(-32601, "Method Not Found", &json!("5")),
        result(&json!(["hello", 5]), &json!("9")),
    ];
    assert_eq!(
        served(document, Specification),
        Some(Value::Array(expected.clone()))
    );
    expected.insert(1, json!({"jsonrpc": "2.0", "result": {}}));
    assert_eq!(served(document, AsC), Some(Value::Array(expected)));
}

#[test]
fn rpc_call_batch_of_notifications() {
    let document = r#"[
        {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
        {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
    ]"#;
    assert_eq!(served(document, Specification), None);
    let nothing = json!({"jsonrpc": "2.0", "result": {}});
    assert_eq!(served(document, AsC), Some(json!([nothing, nothing])));
}
