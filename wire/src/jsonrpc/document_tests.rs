use super::*;
use crate::jsonrpc::{MAX_LEN, Verdict};

use Strictness::{AsC, Specification};

/// The methods of a document's requests, or the codes with which they are refused.
fn outcomes(document: &[u8], strictness: Strictness) -> Vec<String> {
    let mut params = Params::new();
    let mut document = Document::parse(document, strictness, MAX_LEN);
    let mut outcomes = Vec::new();
    while let Some(request) = document.next_request(&mut params) {
        outcomes.push(match request.verdict {
            Verdict::Run(method) => String::from_utf8_lossy(params.text(method)).into_owned(),
            Verdict::Ignore => "ignored".to_owned(),
            Verdict::Refuse(refusal) => refusal.code().to_string(),
        });
    }
    outcomes
}

fn refusal(document: &[u8], strictness: Strictness) -> Refusal {
    let mut params = Params::new();
    let mut document = Document::parse(document, strictness, MAX_LEN);
    assert!(!document.is_batch());
    let request = document.next_request(&mut params).expect("a request");
    assert_eq!(
        request.answer_id().map(|id| id.as_json()),
        Some(&b"null"[..])
    );
    assert_eq!(document.next_request(&mut params), None);
    match request.verdict {
        Verdict::Refuse(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_single_request() {
    let document = br#"{"jsonrpc":"2.0","method":"m","id":1}"#;
    for strictness in [AsC, Specification] {
        assert!(!Document::parse(document, strictness, MAX_LEN).is_batch());
        assert_eq!(outcomes(document, strictness), ["m"]);
    }
}

#[test]
fn only_the_first_document_counts() {
    let document = br#"{"jsonrpc":"2.0","method":"a"}{"jsonrpc":"2.0","method":"b"}"#;
    assert_eq!(outcomes(document, AsC), ["a"]);
    assert_eq!(outcomes(document, Specification), ["-32700"]);
}

#[test]
fn a_batch_in_its_order() {
    let document =
        br#" [ {"jsonrpc":"2.0","method":"a"} , 5, {"jsonrpc":"2.0","method":"b"}, [{}], {} ] "#;
    for strictness in [AsC, Specification] {
        assert!(Document::parse(document, strictness, MAX_LEN).is_batch());
        assert_eq!(
            outcomes(document, strictness),
            ["a", "-32600", "b", "-32600", "-32600"]
        );
    }
}

#[test]
fn a_batch_of_one_is_a_batch() {
    let document = Document::parse(b"[1]", AsC, MAX_LEN);
    assert!(document.is_batch());
}

#[test]
fn requests_of_a_batch_have_their_own_parameters() {
    let document =
        br#"[{"jsonrpc":"2.0","method":"a","params":[1]},{"jsonrpc":"2.0","method":"b"}]"#;
    let mut document = Document::parse(document, AsC, MAX_LEN);
    let mut params = Params::new();
    assert!(document.next_request(&mut params).is_some());
    assert_eq!(params.items().len(), 1);
    assert!(document.next_request(&mut params).is_some());
    assert_eq!(params.items().len(), 0);
}

#[test]
fn a_defect_spoils_the_whole_batch() {
    let document = br#"[{"jsonrpc":"2.0","method":"a","id":1},{"jsonrpc":"2.0","method"]"#;
    for strictness in [AsC, Specification] {
        assert_eq!(refusal(document, strictness).code(), -32700);
    }
}

#[test]
fn an_empty_batch_is_refused() {
    for strictness in [AsC, Specification] {
        assert_eq!(refusal(b"[ ]", strictness), Refusal::EmptyBatch);
    }
}

#[test]
fn a_batch_has_a_bound() {
    let batch = |requests: usize| [b"[1", &b",1".repeat(requests - 1)[..], b"]"].concat();
    assert_eq!(outcomes(&batch(MAX_BATCH), AsC).len(), MAX_BATCH);
    assert_eq!(refusal(&batch(MAX_BATCH + 1), AsC), Refusal::BatchTooLong);
}

#[test]
fn a_deep_batch_is_refused() {
    for strictness in [AsC, Specification] {
        let deep = [b'['; 100_000];
        assert_eq!(refusal(&deep, strictness).code(), -32700);
    }
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert_eq!(refusal(&deep, Specification), Refusal::TooDeep);
}

#[test]
fn a_document_that_is_no_object() {
    for document in ["5", "\"a\"", "null", "true", " -1.5 "] {
        for strictness in [AsC, Specification] {
            assert_eq!(
                refusal(document.as_bytes(), strictness),
                Refusal::NotAnObject
            );
        }
    }
}

#[test]
fn a_document_that_is_no_json() {
    for document in [
        "",
        " \n",
        "x",
        "\0",
        "]",
        "\u{feff}",
        "\u{feff}\u{feff}{}",
        "'a'",
        "\"a",
        "{",
        "[",
    ] {
        for strictness in [Specification, AsC] {
            let code = refusal(document.as_bytes(), strictness).code();
            assert_eq!(code, -32700, "{document} {strictness:?}");
        }
    }
    assert_eq!(refusal(b"-x,", Specification).code(), -32700);
}

#[test]
fn a_byte_order_mark_before_a_document_is_ignored() {
    let mut params = Params::new();
    for document in [
        "\u{feff}{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":1}",
        "\u{feff} [{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":1}]",
    ] {
        for strictness in [AsC, Specification] {
            let mut document = Document::parse(document.as_bytes(), strictness, 100);
            let request = document.next_request(&mut params).expect("a request");
            assert!(matches!(request.verdict, Verdict::Run(_)), "{request:?}");
        }
    }
}

#[test]
fn an_error_tells_where() {
    assert_eq!(refusal(b"[1,\n 2,\n x]", AsC), Refusal::NotJson { at: 9 });
    assert_eq!(
        refusal(b"[1,\n 2,\n x]", Specification),
        Refusal::NotJson { at: 9 }
    );
    assert_eq!(
        refusal(b"[1,\n\"a\xff\"]", Specification),
        Refusal::NotJson { at: 6 }
    );
    for strictness in [AsC, Specification] {
        assert_eq!(
            refusal("\u{feff}[x]".as_bytes(), strictness),
            Refusal::NotJson { at: 4 }
        );
    }
}

#[test]
fn a_document_over_the_bound_is_not_read() {
    let document = br#"{"jsonrpc":"2.0","method":"m","id":1}"#;
    let mut params = Params::new();
    let request = Document::parse(document, AsC, 36).next_request(&mut params);
    let verdict = request.map(|request| request.verdict);
    let too_large = Refusal::TooLarge { len: 37, max: 36 };
    assert_eq!(verdict, Some(Verdict::Refuse(too_large)));
    assert_eq!(
        too_large.to_string(),
        "the document has 37 bytes, 36 are allowed"
    );
}
