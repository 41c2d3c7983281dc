//! What holds for every request and reply of the Management Interface.

use proptest::collection::vec;
use proptest::prelude::*;
use rpc_wire::mi::client::{Unwritable, encode_request, put_argument};
use rpc_wire::mi::{Tree, arguments, first_line};

/// Texts that consist mostly of characters with a meaning.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => prop::sample::select(&b"\"\\\n: \t\r"[..]),
        2 => prop::sample::select(&b"abc"[..]),
        1 => 1_u8..,
    ];
    vec(byte, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_written_is_read_back(values in vec(value(), 0..5)) {
        let writable: Vec<_> = values
            .iter()
            .filter(|value| put_argument(value, &mut Vec::new()).is_ok())
            .map(Vec::as_slice)
            .collect();
        let mut request = Vec::new();
        prop_assert_eq!(encode_request(b"cmd", writable.iter().copied(), &mut request), Ok(()));
        let (command, rest) = first_line(&request).expect("a request");
        prop_assert_eq!(command, b"cmd");
        let read = arguments(rest).expect("arguments of ours");
        prop_assert!(read.iter().map(|argument| &argument.value[..]).eq(writable));
    }

    #[test]
    fn only_three_kinds_of_values_cannot_be_written(value in value()) {
        match put_argument(&value, &mut Vec::new()) {
            Ok(()) => {}
            Err(Unwritable::Nul) => prop_assert!(value.contains(&0)),
            Err(Unwritable::BackslashAtEnd) => prop_assert!(value.ends_with(b"\\")),
            Err(Unwritable::QuoteAlone) => prop_assert!(value.starts_with(b"\"")),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        if let Some((_, rest)) = first_line(&bytes) {
            let _ = arguments(rest);
        }
        let _ = arguments(&bytes);
    }

    #[test]
    fn a_reply_has_a_line_for_each_node(texts in vec((0_usize..4, value(), value()), 0..20)) {
        let mut tree = Tree::status(404, "a\nreason");
        for (level, name, value) in &texts {
            tree.push(*level, name).value(value).attribute("a", value);
        }
        let mut out = Vec::new();
        tree.encode(b"\t", &mut out);
        let lines = out.split(|byte| *byte == b'\n').count();
        // Behind the last newline is one more piece, which is empty.
        prop_assert_eq!(lines, texts.len() + 2);
    }
}
