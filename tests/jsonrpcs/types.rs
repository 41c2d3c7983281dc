//! Parameters of other types than those that a command wants.

use harness::server::Server;
use serde_json::{Value, json};

use crate::transports::{JsonListeners, datagram};

fn ask(server: &Server, method: &str, params: &str) -> Value {
    let document = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#);
    let answer = datagram(&server.path("rpc.socket"), document.as_bytes());
    serde_json::from_str(&answer).expect("JSON")
}

fn in_both_modes(check: impl Fn(&Server)) {
    for strict in [0, 1] {
        let listeners = JsonListeners::new();
        check(&listeners.start(&format!("modparam(\"jsonrpcs\", \"strict\", {strict})")));
    }
}

#[test]
fn values_that_fit_are_taken() {
    in_both_modes(|server| {
        // `htable.seti` wants two texts, converted, and a number.
        for (value, stored) in [
            ("5", 5),
            ("\"5\"", 5),
            ("\"-5\"", -5),
            ("-2147483648", i32::MIN),
            ("true", 1),
            ("false", 0),
            ("5.0", 5),
        ] {
            let told = ask(server, "htable.seti", &format!(r#"["t","k",{value}]"#));
            assert!(told.get("error").is_none(), "{value}: {told}");
            let told = ask(server, "htable.get", r#"["t","k"]"#);
            assert_eq!(told["result"]["item"]["value"], json!(stored), "{value}");
        }
    });
}

#[test]
fn values_that_do_not_fit_are_told_with_their_position() {
    in_both_modes(|server| {
        for (value, found) in [
            ("null", "null"),
            ("[]", "array"),
            ("{}", "structure"),
            ("\"five\"", "string"),
            ("\"5 \"", "string"),
            ("\"\"", "string"),
            ("18446744073709551615", "one out of range"),
        ] {
            for params in [
                format!(r#"["t","k",{value}]"#),
                format!(r#"{{"a":"t","b":"k","c":{value}}}"#),
            ] {
                let told = ask(server, "htable.seti", &params);
                let error = json!({
                    "code": -32602,
                    "message": "Invalid Parameters",
                    "data": format!("parameter 3: expected integer, got {found}")
                });
                assert_eq!(told["error"], error, "{params}");
            }
        }
        // This command wants 32 bits in every version.
        let told = ask(server, "core.printi", "[1, 4294967296]");
        let data = "parameter 2: expected integer, got one out of range";
        assert_eq!(told["error"]["data"], data);
        // This command wants a text that is not converted.
        for value in ["7", "1.5", "true", "null", "[]", "{}"] {
            let told = ask(server, "dns.delete_a", &format!("[{value}]"));
            assert_eq!(told["error"]["code"], -32602, "{value}: {told}");
            // This command has its own words for it.
            let told = ask(server, "system.methodHelp", &format!("[{value}]"));
            let error = json!({"code": 400, "message": "Method Name Expected"});
            assert_eq!(told["error"], error, "{value}");
        }
    });
}

#[test]
fn null_in_the_place_of_an_optional_parameter_is_a_missing_one() {
    in_both_modes(|server| {
        let told = |params| ask(server, "core.echo", params)["result"].clone();
        assert_eq!(told(r#"["a",null]"#), json!(["a"]));
        assert_eq!(told(r#"["a",null,"b"]"#), json!(["a"]));
        assert_eq!(told("null"), json!([]));
        let told = ask(server, "core.shmmem", "[null]");
        assert!(told["result"]["total"].is_number(), "{told}");
        let told = ask(server, "jsonrpc.echo", r#"["a",null]"#);
        assert_eq!(told["result"], json!(["a"]));
    });
}

#[test]
fn an_optional_parameter_of_a_wrong_type_is_an_error_with_strict_alone() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    // The command continues without it.
    let told = ask(&server, "core.shmmem", "[7]");
    assert!(told["result"]["total"].is_number(), "{told}");
    let told = ask(&server, "jsonrpc.echo", r#"["a",{}]"#);
    assert_eq!(told["result"], json!(["a", 0]));
    drop(server);
    let server = listeners.start(r#"modparam("jsonrpcs", "strict", 1)"#);
    let told = ask(&server, "core.shmmem", "[7]");
    let data = "parameter 1: expected string, got integer";
    assert_eq!(told["error"]["data"], data);
    let told = ask(&server, "jsonrpc.echo", r#"["a",{}]"#);
    let data = "parameter 2: expected integer, got structure";
    assert_eq!(told["error"]["data"], data);
}

#[test]
fn numbers_become_text_where_the_command_converts() {
    in_both_modes(|server| {
        let told = ask(
            server,
            "core.echo",
            "[1, -1, 1.5, -0.25, 9007199254740993, 18446744073709551615]",
        );
        let texts = json!([
            "1",
            "-1",
            "1.5",
            "-0.25",
            "9007199254740993",
            "18446744073709551615"
        ]);
        assert_eq!(told["result"], texts);
    });
}

#[test]
fn a_missing_parameter_is_empty_or_with_strict_an_error() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let told = ask(&server, "htable.get", "[\"t\"]");
    assert_eq!(told["error"]["code"], 500, "{told}");
    let told = ask(&server, "core.printi", "[]");
    assert!(told.get("error").is_none(), "{told}");
    drop(server);
    let server = listeners.start(r#"modparam("jsonrpcs", "strict", 1)"#);
    let told = ask(&server, "htable.get", "[\"t\"]");
    assert!(told.get("error").is_some(), "{told}");
}

#[test]
fn params_in_no_order_are_refused() {
    in_both_modes(|server| {
        for params in ["5", "\"x\"", "true"] {
            let told = ask(server, "core.version", params);
            assert_eq!(told["error"]["code"], -32602, "{params}: {told}");
        }
    });
}
