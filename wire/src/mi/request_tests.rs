use super::*;

fn values(text: &[u8]) -> Vec<Vec<u8>> {
    let arguments = arguments(text).expect("arguments");
    arguments.into_iter().map(|a| a.value).collect()
}

#[track_caller]
fn one(text: &str, expected: &str) {
    assert_eq!(values(text.as_bytes()), [expected.as_bytes()], "{text:?}");
}

#[test]
fn the_first_line_is_a_command_between_colons() {
    assert_eq!(first_line(b":which:\n"), Some((&b"which"[..], &b""[..])));
    assert_eq!(first_line(b":a:\nb\n"), Some((&b"a"[..], &b"b\n"[..])));
    assert_eq!(first_line(b"::\n"), Some((&b""[..], &b""[..])));
    for refused in [
        "",
        ":",
        "which\n",
        ":which\n",
        ":which: \n",
        ":which:\r\r\n",
        ":which:\rx",
        ":uptime:reply\n",
    ] {
        assert_eq!(first_line(refused.as_bytes()), None, "{refused:?}");
    }
}

#[test]
fn the_first_line_ends_like_any_line_or_with_the_request() {
    for (request, rest) in [
        (":a:\r\nb\r\n", "b\r\n"),
        (":a:\r\n", ""),
        (":a:\r", ""),
        (":a:", ""),
    ] {
        let read = first_line(request.as_bytes());
        assert_eq!(read, Some((&b"a"[..], rest.as_bytes())), "{request:?}");
    }
    assert_eq!(values(b"b\r\nc::d\r\n"), [b"b", b"d"]);
}

#[test]
fn a_request_shows_by_its_first_line() {
    assert!(is_request(b":which:\n"));
    assert!(is_request(b":no such:\nwith \"a wrong argument"));
    for other in [
        "",
        ":",
        "::\n",
        "which\n",
        "200 OK\n",
        "Sat Nov 28 07:12:34 2026\r\n",
    ] {
        assert!(!is_request(other.as_bytes()), "{other:?}");
    }
}

#[test]
fn space_around_a_value_is_no_part_of_it() {
    for text in [
        "a b\n",
        "a b",
        " \t a b \r\n",
        "\n\na b\n\n",
        "a b\x0b\x0c\n",
    ] {
        one(text, "a b");
    }
    assert!(values(b"").is_empty());
    assert!(values(b" \n\t\r\n").is_empty());
}

#[test]
fn a_name_goes_up_to_the_first_separator() {
    for text in [
        "n::v\n",
        " n :: v \n",
        "n::\"v\"\n",
        "n::  \"v\"  ",
        "::v\n",
    ] {
        one(text, "v");
    }
    let read = arguments(b"two words::a::b\n").expect("an argument");
    assert_eq!(read[0].name, b"two words");
    assert_eq!(read[0].value, b"a::b");
    one("a:b\n", "a:b");
    one("a:\n", "a:");
    one("a:::b\n", ":b");
}

#[test]
fn an_empty_value_needs_a_name_or_quotes() {
    for text in [
        "n::\n",
        "n::  \n",
        "n::",
        "::",
        "\"\"",
        "\"\"  \n",
        "n::\"\"\n",
    ] {
        one(text, "");
    }
    assert_eq!(values(b"n::\nv\n"), [&b""[..], b"v"]);
}

#[test]
fn quotes_keep_what_is_between_them() {
    one("\" a \"\n", " a ");
    one("\"a::b\"\n", "a::b");
    one("\"a \\\" b\"\n", "a \" b");
    one("\"back\\slash\"\n", "back\\slash");
    one("\"two\nlines\"\n", "two\nlines");
    assert_eq!(values(b"\"a\"\n\"b\"\n"), [b"a", b"b"]);
}

#[test]
fn quotes_at_the_start_of_a_quoted_value() {
    one("\"\"a\"\n", "\"a");
    one("\"\\\"a\"\n", "\"a");
    one("\"\\\"\"\n", "\"");
    one("\"\\\"\n", "\\");
}

#[test]
fn wrong_quotes_are_refused() {
    let refused = |text: &str| arguments(text.as_bytes()).expect_err(text);
    assert_eq!(refused("\"open\n"), ParseError::NotClosed(1));
    assert_eq!(refused("v\n\"open\\\"\n"), ParseError::NotClosed(2));
    assert_eq!(refused("a\"b\n"), ParseError::StrayQuote(1));
    assert_eq!(refused("n\"::v\n"), ParseError::StrayQuote(1));
    assert_eq!(refused("n::a\"b\n"), ParseError::StrayQuote(1));
    assert_eq!(refused("\"a\" b\n"), ParseError::BehindQuote(1));
    assert_eq!(refused("\"\"a\n"), ParseError::BehindQuote(1));
}

#[test]
fn a_nul_ends_a_value_and_not_its_line() {
    assert_eq!(values(b"a\0b\nc\n"), [b"a", b"c"]);
    assert_eq!(values(b"\"a\0b\"\nc\n"), [b"a", b"c"]);
    assert_eq!(values(b"\0\n"), [b""]);
}
