use super::*;
use crate::value::Parent;
use crate::value::building::{open, put};

fn answer(reply: &Reply, returns_array: bool, id: Option<&Id<'_>>, form: Form) -> String {
    let mut out = Vec::new();
    encode_answer(reply, returns_array, id, form, &mut out);
    String::from_utf8(out).expect("text")
}

/// The result in the answer.
fn result(reply: &Reply) -> String {
    let text = answer(reply, false, None, Form::Compact);
    let result = text.strip_prefix(r#"{"jsonrpc":"2.0","result":"#);
    let result = result.and_then(|text| text.strip_suffix('}'));
    result.expect("a result").to_owned()
}

fn result_of(value: Scalar<'_>) -> String {
    let mut reply = Reply::new();
    put(&mut reply, Parent::Top, "", value);
    result(&reply)
}

fn fault(code: i32, reason: &str) -> String {
    let mut reply = Reply::new();
    put(&mut reply, Parent::Top, "", Scalar::Int(1));
    reply.set_fault(code, reason.as_bytes());
    answer(&reply, true, Some(&Id::from_json(b"\"a\"")), Form::Compact)
}

/// The C module's answer to htable.dump for two keys.
fn a_dump() -> Reply {
    let mut reply = Reply::new();
    for (entry, name) in [(3, "k2"), (6, "k1")] {
        let node = open(&mut reply, Parent::Top, "", Container::Struct);
        put(&mut reply, node, "entry", Scalar::Int(entry));
        let slot = open(&mut reply, node, "slot", Container::Array);
        let value = open(&mut reply, slot, "", Container::Struct);
        put(&mut reply, value, "name", Scalar::Text(name.as_bytes()));
    }
    reply
}

#[test]
fn values_of_each_kind() {
    for (value, text) in [
        (Scalar::Int(i32::MIN), "-2147483648"),
        (Scalar::Unsigned(u32::MAX), "4294967295"),
        (Scalar::Bool(0), "false"),
        (Scalar::Bool(-5), "true"),
        (Scalar::Time(1_700_000_000), r#""20231114T22:13:20""#),
        (Scalar::Float(1.5), "1.500000"),
        (Scalar::Float(f64::NAN), "null"),
        (Scalar::Long(i64::MIN), "-9223372036854775808"),
        (Scalar::UnsignedLong(u64::MAX), "18446744073709551615"),
        (Scalar::Text(b"a/b\n\x01\xff"), "\"a/b\\n\\u0001\u{fffd}\""),
        (Scalar::Null, "null"),
    ] {
        assert_eq!(result_of(value), text);
    }
}

#[test]
fn the_answer_to_core_version() {
    let mut reply = Reply::new();
    put(&mut reply, Parent::Top, "", Scalar::Text(b"kamailio 5.6.3"));
    let id = Id::from_json(b"1");
    assert_eq!(
        answer(&reply, false, Some(&id), Form::Compact),
        r#"{"jsonrpc":"2.0","result":"kamailio 5.6.3","id":1}"#
    );
    assert_eq!(
        answer(&reply, false, None, Form::Compact),
        r#"{"jsonrpc":"2.0","result":"kamailio 5.6.3"}"#
    );
    assert_eq!(
        answer(&reply, false, Some(&id), Form::Pretty),
        "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t\"kamailio 5.6.3\",\n\t\"id\":\t1\n}"
    );
}

#[test]
fn nothing_added_is_an_empty_object_or_array() {
    let reply = Reply::new();
    assert_eq!(result(&reply), "{}");
    assert_eq!(
        answer(&reply, true, None, Form::Compact),
        r#"{"jsonrpc":"2.0","result":[]}"#
    );
    assert_eq!(
        answer(&reply, false, Some(&Id::from_json(b"1")), Form::Pretty),
        "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t{\n\t},\n\t\"id\":\t1\n}"
    );
    assert_eq!(
        answer(&reply, true, Some(&Id::from_json(b"1")), Form::Pretty),
        "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[],\n\t\"id\":\t1\n}"
    );
}

#[test]
fn of_several_values_the_last_counts_unless_an_array_is_declared() {
    let mut reply = Reply::new();
    put(&mut reply, Parent::Top, "", Scalar::Text(b"a"));
    let node = open(&mut reply, Parent::Top, "", Container::Struct);
    put(&mut reply, node, "b", Scalar::Int(1));
    assert_eq!(result(&reply), r#"{"b":1}"#);
    assert_eq!(
        answer(&reply, true, None, Form::Compact),
        r#"{"jsonrpc":"2.0","result":["a",{"b":1}]}"#
    );
    put(&mut reply, Parent::Top, "", Scalar::Null);
    assert_eq!(result(&reply), "null");
}

#[test]
fn structures_and_arrays_in_one_another() {
    let mut reply = Reply::new();
    let top = open(&mut reply, Parent::Top, "", Container::Struct);
    put(&mut reply, top, "a\"", Scalar::Int(1));
    let list = open(&mut reply, top, "list", Container::Array);
    put(&mut reply, list, "", Scalar::Int(1));
    open(&mut reply, list, "", Container::Array);
    open(&mut reply, list, "", Container::Struct);
    put(&mut reply, top, "a\"", Scalar::Int(2));
    put(&mut reply, top, "", Scalar::Int(3));
    put(&mut reply, list, "left out", Scalar::Int(4));
    assert_eq!(
        result(&reply),
        r#"{"a\"":1,"list":[1,[],{},4],"a\"":2,"":3}"#
    );
}

#[test]
fn the_pretty_form_is_that_of_c() {
    assert_eq!(
        answer(&a_dump(), true, Some(&Id::from_json(b"1")), Form::Pretty),
        "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[{\n\t\t\t\"entry\":\t3,\n\t\t\t\"slot\":\t[{\n\
         \t\t\t\t\t\"name\":\t\"k2\"\n\t\t\t\t}]\n\t\t}, {\n\t\t\t\"entry\":\t6,\n\t\t\t\"slot\":\t[{\n\
         \t\t\t\t\t\"name\":\t\"k1\"\n\t\t\t\t}]\n\t\t}],\n\t\"id\":\t1\n}"
    );
    assert_eq!(
        answer(&a_dump(), true, None, Form::Compact),
        r#"{"jsonrpc":"2.0","result":[{"entry":3,"slot":[{"name":"k2"}]},{"entry":6,"slot":[{"name":"k1"}]}]}"#
    );
}

#[test]
fn in_the_form_by_lines_values_of_arrays_stand_alone() {
    assert_eq!(
        answer(
            &a_dump(),
            true,
            Some(&Id::from_json(b"1")),
            Form::PrettyLines
        ),
        "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[\n\
         \t\t{\n\t\t\t\"entry\":\t3,\n\t\t\t\"slot\":\t[\n\
         \t\t\t\t{\n\t\t\t\t\t\"name\":\t\"k2\"\n\t\t\t\t}\n\t\t\t]\n\t\t},\n\
         \t\t{\n\t\t\t\"entry\":\t6,\n\t\t\t\"slot\":\t[\n\
         \t\t\t\t{\n\t\t\t\t\t\"name\":\t\"k1\"\n\t\t\t\t}\n\t\t\t]\n\t\t}\n\
         \t],\n\t\"id\":\t1\n}"
    );
    let empty = answer(&Reply::new(), true, None, Form::PrettyLines);
    assert_eq!(
        empty,
        "{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"result\":\t[\n\t]\n}"
    );
}

#[test]
fn a_fault_keeps_its_code_and_text() {
    assert_eq!(
        fault(500, "No such htable"),
        r#"{"jsonrpc":"2.0","error":{"code":500,"message":"No such htable"},"id":"a"}"#
    );
    assert_eq!(
        fault(-1, ""),
        r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"Unexpected Error"},"id":"a"}"#
    );
    let long = "x".repeat(1000);
    assert!(fault(400, &long).contains(&long));
}

#[test]
fn standard_codes_have_standard_texts() {
    for (code, sent, text) in [
        (-32700, -32700, "Parse Error"),
        (-32600, -32600, "Invalid Request"),
        (-32601, -32601, "Method Not Found"),
        (-32603, -32603, "Internal Error"),
        (-32000, -32000, "Execution Error"),
        (0, -32000, "Execution Error"),
    ] {
        assert_eq!(
            fault(code, "its own"),
            format!(r#"{{"jsonrpc":"2.0","error":{{"code":{sent},"message":"{text}"}},"id":"a"}}"#)
        );
    }
}

#[test]
fn a_wrong_parameter_is_told_beside_the_standard_text() {
    assert_eq!(
        fault(-32602, "parameter 1: expected integer, got null"),
        r#"{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid Parameters","data":"parameter 1: expected integer, got null"},"id":"a"}"#
    );
    for nothing in ["", "Invalid Parameters"] {
        assert_eq!(
            fault(-32602, nothing),
            r#"{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid Parameters"},"id":"a"}"#
        );
    }
}

#[test]
fn the_pretty_form_of_an_error() {
    let mut out = Vec::new();
    encode_error(500, b"no", None, Some(&Id::NULL), Form::Pretty, &mut out);
    assert_eq!(
        out.escape_ascii().to_string(),
        r#"{\n\t\"jsonrpc\":\t\"2.0\",\n\t\"error\":\t{\n\t\t\"code\":\t500,\n\t\t\"message\":\t\"no\"\n\t},\n\t\"id\":\tnull\n}"#
    );
}

#[test]
fn a_refusal_tells_why() {
    let mut out = b"before ".to_vec();
    encode_refusal(
        Refusal::EmptyBatch,
        Some(&Id::NULL),
        Form::Compact,
        &mut out,
    );
    assert_eq!(
        String::from_utf8(out).expect("text"),
        r#"before {"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request","data":"the batch is empty"},"id":null}"#
    );
}

#[test]
fn answers_of_a_batch_are_in_one_array() {
    let batch_of = |answers: usize, form| {
        let mut out = Vec::new();
        let mut batch = Batch::new(form);
        for _ in 0..answers {
            batch.next(&mut out);
            out.extend_from_slice(b"{}");
        }
        let any = batch.end(&mut out);
        (any, String::from_utf8(out).expect("text"))
    };
    assert_eq!(batch_of(0, Form::Compact), (false, String::new()));
    assert_eq!(batch_of(1, Form::Compact), (true, "[{}]".to_owned()));
    assert_eq!(batch_of(3, Form::Compact), (true, "[{},{},{}]".to_owned()));
    for pretty in [Form::Pretty, Form::PrettyLines] {
        assert_eq!(batch_of(2, pretty), (true, "[{}, {}]".to_owned()));
    }
}

#[test]
fn a_hundred_thousand_levels_need_no_stack() {
    let mut reply = Reply::new();
    let mut parent = Parent::Top;
    for _ in 0..100_000 {
        parent = open(&mut reply, parent, "", Container::Array);
    }
    let text = answer(&reply, false, None, Form::Pretty);
    assert_eq!(text.matches('[').count(), 100_000);
    assert_eq!(text.matches(']').count(), 100_000);
}
