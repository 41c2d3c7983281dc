use super::*;
use crate::jsonrpc::{MAX_DEPTH, MAX_LEN, document::Document};

use Strictness::{AsC, Specification};

/// A request that is the whole document, with the texts to which it refers.
struct Single<'a> {
    request: Request<'a>,
    params: Params,
}

fn read(document: &[u8], strictness: Strictness) -> Single<'_> {
    let mut params = Params::new();
    let request = Document::parse(document, strictness, MAX_LEN)
        .next_request(&mut params)
        .expect("a request");
    Single { request, params }
}

impl Single<'_> {
    /// The request written as a call, or the reason why there is none.
    fn shown(&self) -> String {
        let method = match self.request.verdict {
            Verdict::Run(method) => self.params.text(method).escape_ascii().to_string(),
            Verdict::Ignore => "ignored".to_owned(),
            Verdict::Refuse(refusal) => return format!("{} {refusal}", refusal.code()),
        };
        let items = self.params.items().iter();
        let shown: Vec<String> = items.map(|param| show(param, &self.params)).collect();
        format!("{method}({})", shown.join(", "))
    }

    /// The id in the answer.
    fn id(&self) -> Option<String> {
        let json = self.request.answer_id()?.as_json();
        Some(String::from_utf8(json.to_vec()).expect("JSON"))
    }

    fn code(&self) -> Option<i32> {
        match self.request.verdict {
            Verdict::Refuse(refusal) => Some(refusal.code()),
            _ => None,
        }
    }
}

fn show(param: &Param, params: &Params) -> String {
    let text = |span: &Span| params.text(*span).escape_ascii().to_string();
    match param {
        Param::Int(number) => number.to_string(),
        Param::UnsignedLong(number) => format!("{number}u"),
        Param::Float(number) => format!("{number:?}"),
        Param::Text(span) => format!("'{}'", text(span)),
        Param::Bool(truth) => truth.to_string(),
        Param::Null => "null".to_owned(),
        Param::Array(values) => {
            let shown: Vec<String> = values.iter().map(|v| show(v, params)).collect();
            format!("[{}]", shown.join(" "))
        }
        Param::Struct(members) => {
            let member = |member: &Member| {
                let name = member.name.as_ref().map_or_else(|| "_".to_owned(), text);
                format!("{name}={}", show(&member.value, params))
            };
            let shown: Vec<String> = members.iter().map(member).collect();
            format!("{{{}}}", shown.join(" "))
        }
        other => panic!("JSON has no {other:?}"),
    }
}

/// A good answer with this result and this id.
fn with(members: &str, strictness: Strictness) -> String {
    let document = format!(r#"{{"jsonrpc":"2.0",{members}}}"#);
    read(document.as_bytes(), strictness).shown()
}

fn params_as_c(params: &str) -> String {
    with(&format!(r#""method":"m","params":{params},"id":1"#), AsC)
}

/// The id in the answer to a good request.
fn echoed(id: &str) -> String {
    let document = format!(r#"{{"jsonrpc":"2.0","method":"m","id": {id} }}"#);
    let single = read(document.as_bytes(), AsC);
    assert_eq!(single.shown(), "m()");
    single.id().expect("an id")
}

#[test]
fn parameters_of_each_kind() {
    assert_eq!(
        params_as_c(
            r#"["a",1,-1.5,18446744073709551615,true,false,null,[1,["b"]],{"c":{},"d":2}]"#
        ),
        "m('a', 1, -1.5, 18446744073709551615u, true, false, null, [1 ['b']], {c={} d=2})"
    );
}

#[test]
fn members_of_an_object_go_by_their_order() {
    assert_eq!(params_as_c(r#"{"b":"x","a":[],"b":7}"#), "m('x', [], 7)");
}

#[test]
fn no_parameters() {
    assert_eq!(params_as_c("[]"), "m()");
    assert_eq!(params_as_c("{}"), "m()");
    assert_eq!(with(r#""method":"m","id":1"#, Specification), "m()");
}

#[test]
fn text_as_c_reads_it() {
    assert_eq!(
        read(
            b"{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[\"a\tb\nc\x01\xe9\",\"\\q\\u0000\"]}",
            AsC
        )
        .shown(),
        r"m('a\tb\nc\x01\xe9', 'q')"
    );
}

#[test]
fn numbers_as_c_reads_them() {
    assert_eq!(params_as_c("[01,-.5,1e,-]"), "m(1, -0.5, 1.0, 0)");
}

#[test]
fn what_only_c_reads_is_no_json_by_the_specification() {
    for document in [
        &br#"{"jsonrpc":"2.0","method":"m","id":1}x"#[..],
        b"{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[\"a\tb\"],\"id\":1}",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[\"a\xe9\"],\"id\":1}",
        br#"{"jsonrpc":"2.0","method":"m","params":["\d"],"id":1}"#,
        br#"{"jsonrpc":"2.0","method":"m","params":[01],"id":1}"#,
        b"{\"jsonrpc\":\"2.0\",\"method\":\"m\",\x0b\"id\":1}",
    ] {
        let shown = document.escape_ascii();
        assert_eq!(read(document, AsC).code(), None, "{shown}");
        let strict = read(document, Specification);
        assert_eq!(strict.code(), Some(-32700), "{shown}");
        assert_eq!(strict.id().as_deref(), Some("1"), "{shown}");
    }
}

#[test]
fn names_at_the_top_in_another_case() {
    let document = br#"{"JSONRPC":"2.0","Method":"m","PARAMS":[1],"iD":7}"#;
    let single = read(document, AsC);
    assert_eq!(single.shown(), "m(1)");
    assert_eq!(single.id().as_deref(), Some("7"));
    assert_eq!(read(document, Specification).code(), Some(-32600));
}

#[test]
fn names_may_have_escapes() {
    assert_eq!(with(r#""m\u0065thod":"m""#, Specification), "m()");
}

#[test]
fn the_first_of_a_name_counts() {
    let members = r#""method":"a","method":"b","params":[1],"params":[2],"id":1,"id":2"#;
    assert_eq!(with(members, AsC), "a(1)");
    assert_eq!(with(members, Specification), "a(1)");
    assert_eq!(with(r#""METHOD":"a","method":"b""#, AsC), "a()");
    assert_eq!(with(r#""METHOD":"a","method":"b""#, Specification), "b()");
    assert_eq!(
        with(r#""method":5,"method":"b""#, AsC),
        "-32600 the method is not a string"
    );
}

#[test]
fn members_in_any_order_and_unknown_ones() {
    assert_eq!(
        read(
            br#" {"id":1,"x":[{"id":2}],"params":[1],"method":"m","jsonrpc":"2.0"} "#,
            Specification
        )
        .shown(),
        "m(1)"
    );
}

#[test]
fn ids_are_repeated_byte_for_byte() {
    for id in [
        "0",
        "-1",
        "1.0",
        "1.5e300",
        "1e400",
        "12345678901234567890123",
        "null",
        r#""""#,
        r#""é\u00e9\/\n\u0000\ud83d\ude00""#,
    ] {
        assert_eq!(echoed(id), id);
    }
}

#[test]
fn ids_that_are_no_json_are_written_anew() {
    assert_eq!(echoed("01"), "1");
    assert_eq!(echoed("-.5e"), "-0.5");
    assert_eq!(echoed("\"a\tb\x01\""), r#""a\tb\u0001""#);
    assert_eq!(echoed(r#""\q\"""#), r#""q\"""#);
    assert_eq!(echoed(r#""a\ud800b""#), r#""ab""#);
    let document = b"{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":\"a\xe9\"}";
    assert_eq!(read(document, AsC).id().as_deref(), Some("\"a\u{fffd}\""));
}

#[test]
fn an_id_of_a_wrong_type_is_refused() {
    for id in ["true", "false", "{}", "[1]", r#"{"id":1}"#] {
        for strictness in [AsC, Specification] {
            let document = format!(r#"{{"jsonrpc":"2.0","method":"m","id":{id}}}"#);
            let single = read(document.as_bytes(), strictness);
            assert_eq!(single.code(), Some(-32600), "{id}");
            assert_eq!(single.id().as_deref(), Some("null"), "{id}");
        }
    }
}

#[test]
fn a_request_without_id_is_answered_without_one_or_not_at_all() {
    let document = br#"{"jsonrpc":"2.0","method":"m"}"#;
    let single = read(document, AsC);
    assert!(single.request.wants_answer());
    assert_eq!(single.id(), None);
    assert!(!read(document, Specification).request.wants_answer());
    let with_null = br#"{"jsonrpc":"2.0","method":"m","id":null}"#;
    assert!(read(with_null, Specification).request.wants_answer());
}

#[test]
fn an_error_has_the_id_null_where_there_is_none() {
    let document = br#"{"jsonrpc":"2.0","method":5}"#;
    for strictness in [AsC, Specification] {
        let single = read(document, strictness);
        assert!(single.request.wants_answer());
        assert_eq!(single.id().as_deref(), Some("null"));
    }
    // By the specification a notification gets no error, unless it is uncertain whether
    // it is a notification.
    let document = br#"{"jsonrpc":"2.0","method":"m","params":5}"#;
    assert_eq!(read(document, AsC).id().as_deref(), Some("null"));
    assert!(!read(document, Specification).request.wants_answer());
}

#[test]
fn a_missing_or_other_version_is_ignored_as_in_c() {
    for version in ["", r#""jsonrpc":"1.0","#, r#""jsonrpc":"2.0 ","#] {
        let document = format!(r#"{{{version}"method":"m","params":[1],"id":1}}"#);
        let single = read(document.as_bytes(), AsC);
        assert_eq!(single.shown(), "ignored(1)");
        assert!(single.request.method.is_some());
        assert_eq!(single.id().as_deref(), Some("1"));
        let strict = read(document.as_bytes(), Specification);
        assert_eq!(strict.code(), Some(-32600));
        assert_eq!(strict.id().as_deref(), Some("1"));
    }
}

#[test]
fn a_version_that_is_no_string_is_refused() {
    for version in ["2.0", "2", "null", "true", "{}", r#"["2.0"]"#] {
        let document = format!(r#"{{"jsonrpc":{version},"method":"m","id":1}}"#);
        let single = read(document.as_bytes(), AsC);
        assert_eq!(single.code(), Some(-32600), "{version}");
        assert_eq!(single.id().as_deref(), Some("1"));
    }
}

#[test]
fn a_method_has_to_be_a_string() {
    assert_eq!(with(r#""id":1"#, AsC), "-32600 the method is missing");
    for method in ["5", "null", "{}", "[]", "true"] {
        assert_eq!(
            with(&format!(r#""method":{method},"id":1"#), AsC),
            "-32600 the method is not a string"
        );
    }
    assert_eq!(with(r#""method":"","id":1"#, AsC), "()");
}

#[test]
fn params_of_a_wrong_type_are_refused_but_the_method_is_told() {
    for params in ["5", r#""a""#, "true"] {
        let document = format!(r#"{{"jsonrpc":"2.0","method":"m","params":{params},"id":1}}"#);
        let single = read(document.as_bytes(), AsC);
        assert_eq!(single.code(), Some(-32602));
        assert_eq!(single.id().as_deref(), Some("1"));
        let method = single.request.method.expect("a method");
        assert_eq!(single.params.text(method), b"m");
    }
}

#[test]
fn null_stands_for_no_params() {
    for strictness in [AsC, Specification] {
        let document = br#"{"jsonrpc":"2.0","method":"m","params":null,"id":1}"#;
        assert_eq!(read(document, strictness).shown(), "m()");
    }
}

#[test]
fn reply_name_and_store_path_are_told_even_if_the_request_is_refused() {
    let single = read(br#"{"reply_name":"a","store_path":"b","method":5}"#, AsC);
    let text = |name| match name {
        Name::Text(span) => single.params.text(span),
        other => panic!("{other:?}"),
    };
    assert_eq!(text(single.request.reply_name), b"a");
    assert_eq!(text(single.request.store_path), b"b");
    let wrong = read(br#"{"reply_name":5,"store_path":[],"method":5}"#, AsC);
    assert_eq!(wrong.request.reply_name, Name::NotText);
    assert_eq!(wrong.request.store_path, Name::NotText);
}

#[test]
fn an_id_before_the_defect_is_read() {
    let id = |document: &[u8]| {
        let single = read(document, AsC);
        assert_eq!(single.code(), Some(-32700));
        single.id().expect("an id for an error")
    };
    assert_eq!(id(br#"{"id":7,"method":"m","params":["#), "7");
    assert_eq!(id(br#"{"method":"m","params":[,"id":7}"#), "null");
    // This may be the beginning of 70, or of something else.
    assert_eq!(id(br#"{"method":"m","id":7"#), "null");
    assert_eq!(id(br#"{"method":"m","id":7x}"#), "null");
}

#[test]
fn nesting_has_a_bound_and_the_id_is_read_behind_it() {
    let document = |depth| {
        let nested = "[".repeat(depth) + &"]".repeat(depth);
        format!(r#"{{"jsonrpc":"2.0","method":"m","params":{nested},"id":7}}"#)
    };
    for strictness in [AsC, Specification] {
        let good = document(MAX_DEPTH - 1);
        assert_eq!(read(good.as_bytes(), strictness).code(), None);
        for depth in [MAX_DEPTH, 200_000] {
            let deep = document(depth);
            let single = read(deep.as_bytes(), strictness);
            assert_eq!(single.request.verdict, Verdict::Refuse(Refusal::TooDeep));
            assert_eq!(single.id().as_deref(), Some("7"));
        }
    }
}

#[test]
fn an_id_can_be_kept_for_later() {
    let id = Id::from_json(b"\"a\"");
    assert_eq!(id.as_json(), b"\"a\"");
    assert_eq!(Id::from_json(b"\"a"), Id::NULL);
}
