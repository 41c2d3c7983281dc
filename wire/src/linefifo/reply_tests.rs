use super::*;
use crate::value::building::{open, put};
use crate::value::{Container, Parent};

fn encoded(reply: &Reply) -> String {
    let mut out = Vec::new();
    encode_answer(reply, &mut out);
    String::from_utf8(out).expect("text")
}

fn lines_of(values: &[Scalar<'_>]) -> String {
    let mut reply = Reply::new();
    for value in values {
        put(&mut reply, Parent::Top, "", *value);
    }
    encoded(&reply)
}

#[test]
fn an_empty_reply_is_200_ok() {
    assert_eq!(encoded(&Reply::new()), "200 OK\n");
}

#[test]
fn a_line_for_each_value() {
    let text = lines_of(&[
        Scalar::Int(-1),
        Scalar::Unsigned(u32::MAX),
        Scalar::Bool(7),
        Scalar::Bool(0),
        Scalar::Time(1 << 33),
        Scalar::Long(i64::MIN),
        Scalar::UnsignedLong(u64::MAX),
        Scalar::Text(b""),
        Scalar::Null,
    ]);
    assert_eq!(
        text,
        "200 OK\n-1\n4294967295\n1\n0\n8589934592\n-9223372036854775808\n\
         18446744073709551615\n\n<null string>\n"
    );
}

#[test]
fn numbers_with_a_fraction_have_six_decimals() {
    let numbers = [
        1.5,
        -0.25,
        1e6,
        1.0 / 128.0,
        3.0 / 128.0,
        f64::INFINITY,
        -f64::NAN,
    ];
    assert_eq!(
        lines_of(&numbers.map(Scalar::Float)),
        "200 OK\n1.500000\n-0.250000\n1000000.000000\n0.007812\n0.023438\ninf\nnan\n"
    );
}

#[test]
fn a_value_at_the_top_keeps_its_colons_and_commas() {
    assert_eq!(
        lines_of(&[Scalar::Text(b"a:b,c\\d\ne\rf\tg\0h")]),
        "200 OK\na:b,c\\\\d\\ne\\rf\\tg\\0h\n"
    );
}

#[test]
fn a_structure_is_a_line() {
    let mut reply = Reply::new();
    let node = open(&mut reply, Parent::Top, "", Container::Struct);
    put(&mut reply, Parent::Top, "", Scalar::Text(b"next"));
    put(&mut reply, node, "uri", Scalar::Text(b"sip:a,b\n"));
    put(&mut reply, node, "a:b", Scalar::Int(1));
    put(&mut reply, node, "none", Scalar::Text(b""));
    assert_eq!(
        encoded(&reply),
        "200 OK\nuri:sip\\oa\\cb\\n,a\\ob:1,none:\nnext\n"
    );
}

#[test]
fn an_array_is_a_line_of_values_without_names() {
    let mut reply = Reply::new();
    let node = open(&mut reply, Parent::Top, "", Container::Array);
    put(&mut reply, node, "", Scalar::Int(1));
    put(&mut reply, node, "", Scalar::Text(b"a:b"));
    put(&mut reply, node, "named", Scalar::Float(2.0));
    assert_eq!(encoded(&reply), "200 OK\n1,a\\ob,named:2.000000\n");
}

#[test]
fn what_is_inside_follows_the_whole_line() {
    let mut reply = Reply::new();
    let top = open(&mut reply, Parent::Top, "", Container::Struct);
    put(&mut reply, top, "a", Scalar::Int(1));
    let first = open(&mut reply, top, "first", Container::Struct);
    let deep = open(&mut reply, first, "deep", Container::Array);
    put(&mut reply, deep, "", Scalar::Int(10));
    let second = open(&mut reply, top, "sec:ond", Container::Struct);
    put(&mut reply, second, "z", Scalar::Int(26));
    put(&mut reply, first, "x", Scalar::Int(24));
    put(&mut reply, deep, "", Scalar::Int(11));
    put(&mut reply, top, "b", Scalar::Int(2));
    put(&mut reply, Parent::Top, "", Scalar::Text(b"end"));
    assert_eq!(
        encoded(&reply),
        "200 OK\na:1,b:2\nfirst:x:24\ndeep:10,11\nsec\\oond:z:26\nend\n"
    );
}

#[test]
fn structures_in_an_array_start_with_the_colon() {
    let mut reply = Reply::new();
    let top = open(&mut reply, Parent::Top, "", Container::Struct);
    let sets = open(&mut reply, top, "sets", Container::Array);
    for number in [1, 2] {
        let set = open(&mut reply, sets, "", Container::Struct);
        put(&mut reply, set, "id", Scalar::Int(number));
    }
    assert_eq!(encoded(&reply), "200 OK\n\nsets:\n:id:1\n:id:2\n");
}

#[test]
fn an_empty_text_without_a_name_is_not_nothing() {
    let line = |values: &[&str]| {
        let mut reply = Reply::new();
        let node = open(&mut reply, Parent::Top, "", Container::Array);
        for value in values {
            put(&mut reply, node, "", Scalar::Text(value.as_bytes()));
        }
        encoded(&reply)
    };
    assert_eq!(line(&[]), "200 OK\n\n");
    assert_eq!(line(&[""]), "200 OK\n,\n");
    assert_eq!(line(&["", ""]), "200 OK\n,,\n");
    assert_eq!(line(&["", "a"]), "200 OK\n,a\n");
    assert_eq!(line(&["a", "", "b"]), "200 OK\na,,b\n");
    assert_eq!(line(&["a", ""]), "200 OK\na,,\n");
}

#[test]
fn a_fault_is_its_code_and_reason() {
    let mut reply = Reply::new();
    put(&mut reply, Parent::Top, "", Scalar::Int(1));
    reply.set_fault(-7, b"no:\n200 OK\\");
    assert_eq!(encoded(&reply), "-7 no:\\n200 OK\\\\\n");
}

#[test]
fn the_reply_is_put_behind_what_was_there() {
    let mut reply = Reply::new();
    let top = open(&mut reply, Parent::Top, "", Container::Struct);
    open(&mut reply, top, "in", Container::Struct);
    put(&mut reply, top, "late", Scalar::Int(1));
    let mut out = b"before\n".to_vec();
    encode_answer(&reply, &mut out);
    assert_eq!(out, b"before\n200 OK\nlate:1\nin:\n");
}

#[test]
fn a_hundred_thousand_levels_need_no_stack() {
    const DEPTH: usize = 100_000;
    let mut reply = Reply::new();
    let mut parents = vec![Parent::Top];
    for _ in 0..DEPTH {
        let parent = parents[parents.len() - 1];
        parents.push(open(&mut reply, parent, "", Container::Struct));
    }
    for parent in &parents[1..] {
        put(&mut reply, *parent, "n", Scalar::Int(1));
    }
    let text = encoded(&reply);
    assert!(text.starts_with("200 OK\nn:1\n:n:1\n:n:1\n"));
    assert_eq!(text.lines().count(), DEPTH + 1);
}
