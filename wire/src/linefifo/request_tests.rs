use super::*;
use crate::linefifo::parse_struct;

fn read(input: &[u8]) -> (Request, Params) {
    let mut params = Params::new();
    match decode(input, &mut params) {
        Ok(Decoded::Request(request)) => (request, params),
        other => panic!("a request, not {other:?}"),
    }
}

fn refusal(input: &[u8]) -> Malformed {
    decode(input, &mut Params::new()).expect_err("a bad request")
}

fn texts(params: &Params) -> Vec<&[u8]> {
    let text = |param: &Param| match param {
        Param::Line { text, .. } => *text,
        other => panic!("a text, not {other:?}"),
    };
    params
        .items()
        .iter()
        .map(text)
        .map(|text| params.text(text))
        .collect()
}

fn raw(params: &Params) -> Vec<&[u8]> {
    let raw = |param: &Param| match param {
        Param::Line { raw, .. } => *raw,
        other => panic!("a line, not {other:?}"),
    };
    params
        .items()
        .iter()
        .map(raw)
        .map(|raw| params.text(raw))
        .collect()
}

#[test]
fn core_echo_hello() {
    let (request, params) = read(b":core.echo:pipe1\nhello\n7\n\n:next:\n");
    assert_eq!(params.text(request.method), b"core.echo");
    let reply_file = request.reply_file.expect("a name");
    assert_eq!(params.text(reply_file), b"pipe1");
    assert_eq!(texts(&params), [b"hello".as_slice(), b"7"]);
    assert_eq!(request.used, 26);
}

#[test]
fn the_shortest_request() {
    let (request, params) = read(b":m:\n\n");
    assert_eq!(params.text(request.method), b"m");
    assert_eq!(request.reply_file, None);
    assert_eq!(request.used, 5);
    assert!(params.items().is_empty());
}

#[test]
fn line_ends_of_windows() {
    let (request, params) = read(b":m:pipe\r\none\r\ntwo \r\r\n\r\n");
    let reply_file = request.reply_file.expect("a name");
    assert_eq!(params.text(reply_file), b"pipe");
    assert_eq!(texts(&params), [b"one".as_slice(), b"two \r"]);
}

#[test]
fn spaces_around_a_parameter_are_part_of_it() {
    let (_, params) = read(b":m:\n a\t\n \n\n");
    assert_eq!(texts(&params), [b" a\t".as_slice(), b" "]);
}

#[test]
fn escapes_in_parameters() {
    let (_, params) = read(b":m:\n1:2,3\n\\\\\\n\\r\\t\\0\\c\\o\nlast\n\n");
    let expected = [b"1:2,3".as_slice(), b"\\\n\r\t\0:,", b"last"];
    assert_eq!(texts(&params), expected);
    let expected = [b"1:2,3".as_slice(), br"\\\n\r\t\0\c\o", b"last"];
    assert_eq!(raw(&params), expected);
}

#[test]
fn a_line_can_be_a_text_and_a_structure() {
    let (_, params) = read(b":m:\nuri:sip\\ca\\ob,q:1\n\n");
    assert_eq!(texts(&params), [b"uri:sip:a,b,q:1"]);
    let members = parse_struct(raw(&params)[0]).expect("a structure");
    let uri = (b"uri".to_vec(), b"sip:a,b".to_vec());
    assert_eq!(members, [uri, (b"q".to_vec(), b"1".to_vec())]);
}

#[test]
fn names_are_taken_as_they_are() {
    let (request, params) = read(b":a\\nb:c:d\\\n\n");
    assert_eq!(params.text(request.method), b"a\\nb");
    let reply_file = request.reply_file.expect("a name");
    assert_eq!(params.text(reply_file), b"c:d\\");
}

#[test]
fn every_start_of_a_request_wants_more() {
    let whole = b":m:f\r\na\\tb\r\n\r\n";
    for len in 0..whole.len() {
        let decoded = decode(&whole[..len], &mut Params::new());
        assert_eq!(decoded, Ok(Decoded::More), "{len} bytes");
    }
}

#[test]
fn empty_lines_between_requests_mean_nothing() {
    let blank = |input: &[u8]| decode(input, &mut Params::new());
    assert_eq!(blank(b"\n\r\n\n:m:\n\n"), Ok(Decoded::Blank(4)));
    assert_eq!(blank(b"\r\n\r"), Ok(Decoded::Blank(2)));
    assert_eq!(blank(b"\r"), Ok(Decoded::More));
}

#[test]
fn first_lines_that_are_refused() {
    let defect = |input: &[u8]| refusal(input).defect;
    assert_eq!(defect(b"core.echo\n"), Defect::NoColon);
    assert_eq!(defect(b" :core.echo:\n"), Defect::NoColon);
    assert_eq!(defect(b":core.echo\n"), Defect::NoSecondColon);
    assert_eq!(defect(b":\n"), Defect::NoSecondColon);
    assert_eq!(defect(b"::pipe\n"), Defect::NoMethod);
    assert_eq!(defect(b":core\0.echo:\n"), Defect::NulInFirstLine);
    assert_eq!(defect(b":core.echo:\0\n"), Defect::NulInFirstLine);
}

#[test]
fn a_first_line_of_1024_bytes_and_no_more() {
    let line = |len: usize, end: &str| format!(":{}:{end}", "m".repeat(len - 2)).into_bytes();
    for end in ["\n\n", "\r\n\r\n"] {
        let (request, params) = read(&line(MAX_FIRST_LINE, end));
        assert_eq!(params.text(request.method).len(), MAX_FIRST_LINE - 2);
        let malformed = refusal(&line(MAX_FIRST_LINE + 1, end));
        assert_eq!(malformed.defect, Defect::FirstLineTooLong);
    }
    let endless = line(MAX_FIRST_LINE + 2, "");
    assert_eq!(refusal(&endless).defect, Defect::FirstLineTooLong);
}

#[test]
fn a_refused_request_is_skipped_up_to_its_end() {
    let malformed = refusal(b"core.echo\na\n\n:next:\n\n");
    assert_eq!((malformed.skip, malformed.is_whole), (13, true));
    let malformed = refusal(b"core.echo\na\n");
    assert_eq!((malformed.skip, malformed.is_whole), (12, false));
}

#[test]
fn a_wrong_escape_is_answered_where_the_client_waits() {
    let mut params = Params::new();
    let malformed = decode(b":m:pipe\nok\n\\q\n\nnext", &mut params).expect_err("an escape");
    assert_eq!(malformed.defect, Defect::BadEscape { line: 3 });
    assert_eq!((malformed.skip, malformed.is_whole), (15, true));
    let reply_file = malformed.reply_file.expect("a name");
    assert_eq!(params.text(reply_file), b"pipe");
    assert_eq!(
        malformed.to_string(),
        "on line 3 of the request is a backslash that starts no escape"
    );
}

#[test]
fn a_datagram_is_one_whole_request() {
    let mut params = Params::new();
    let request = decode_datagram(b"\n:m:\na\n\n:n:\n\n", &mut params).expect("a request");
    assert_eq!(params.text(request.method), b"m");
    assert_eq!(request.used, 8);
}

#[test]
fn a_datagram_without_the_empty_line_is_refused() {
    for datagram in [b":m:\na\n".as_slice(), b":m:", b"", b"\n\n"] {
        let malformed = decode_datagram(datagram, &mut Params::new()).expect_err("half a request");
        assert_eq!(malformed.defect, Defect::Incomplete);
        assert_eq!(malformed.skip, datagram.len());
    }
}

#[test]
fn a_request_shows_by_its_first_line() {
    for request in [
        ":core.version:\n\n",
        "\r\n:core.version:\n\n",
        ":core.version:reply\n",
        ":core.version:",
        ":m:\n\\q\n\n",
    ] {
        assert!(is_request(request.as_bytes()), "{request:?}");
    }
    for other in [
        "",
        "\n",
        ":",
        "::\n\n",
        ":core.version\n\n",
        ":irc.example.org NOTICE * :*** Looking up your hostname\r\n",
        "200 OK\n",
        "Sat Nov 28 07:12:34 2026\r\n",
    ] {
        assert!(!is_request(other.as_bytes()), "{other:?}");
    }
}
