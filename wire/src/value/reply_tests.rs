use super::*;
use crate::value::Event;

fn shown(reply: &Reply) -> String {
    let mut out = String::new();
    for event in reply.walk() {
        let name = |name: Option<&[u8]>| {
            name.map(|n| format!("{}=", String::from_utf8_lossy(n)))
                .unwrap_or_default()
        };
        out += &match event {
            Event::Scalar { name: n, value } => format!("{}{value:?} ", name(n)),
            Event::Open { name: n, kind } => format!("{}{kind:?}( ", name(n)),
            Event::Close { .. } => ") ".to_owned(),
        };
    }
    out.trim_end().to_owned()
}

#[test]
fn values_come_back_in_the_order_they_were_added() {
    let mut reply = Reply::new();
    reply.push(Parent::Top, None, Scalar::Int(1)).expect("fits");
    reply.push(Parent::Top, None, Scalar::Null).expect("fits");
    assert_eq!(shown(&reply), "Int(1) Null");
}

#[test]
fn a_parent_grows_after_its_child_did() {
    let mut reply = Reply::new();
    let outer = reply
        .open(Parent::Top, None, Container::Struct)
        .expect("fits");
    let inner = reply
        .open(Parent::Node(outer), Some(b"in"), Container::Array)
        .expect("fits");
    reply
        .push(Parent::Node(outer), Some(b"a"), Scalar::Int(1))
        .expect("fits");
    reply.push(Parent::Top, None, Scalar::Int(3)).expect("fits");
    reply
        .push(Parent::Node(inner), None, Scalar::Int(2))
        .expect("fits");
    assert_eq!(
        shown(&reply),
        "Struct( in=Array( Int(2) ) a=Int(1) ) Int(3)"
    );
}

#[test]
fn a_hundred_thousand_levels_need_no_stack() {
    let mut reply = Reply::new();
    let mut parent = Parent::Top;
    for _ in 0..100_000 {
        parent = Parent::Node(reply.open(parent, None, Container::Array).expect("fits"));
    }
    assert_eq!(reply.walk().count(), 200_000);
}

#[test]
fn a_cleared_reply_is_empty_and_small() {
    let mut reply = Reply::new();
    for _ in 0..100_000 {
        reply
            .push(Parent::Top, Some(b"name"), Scalar::Text(b"text"))
            .expect("fits");
    }
    reply.set_fault(500, b"no");
    reply.clear();
    assert!(reply.is_empty() && reply.fault().is_none());
    assert!(reply.nodes.capacity() <= KEPT_NODES && reply.text.capacity() <= KEPT_TEXT);
}

#[test]
fn forgotten_values_are_not_seen_but_their_handles_hold() {
    let mut reply = Reply::new();
    let lost = reply
        .open(Parent::Top, None, Container::Struct)
        .expect("fits");
    reply.forget_values();
    reply
        .push(Parent::Node(lost), Some(b"a"), Scalar::Int(1))
        .expect("fits");
    reply.push(Parent::Top, None, Scalar::Int(2)).expect("fits");
    assert_eq!(shown(&reply), "Int(2)");
}

#[test]
fn a_reply_takes_no_more_than_its_limit() {
    const LIMIT: usize = 1000;
    let mut reply = Reply::with_limit(LIMIT);
    let mut count = 0;
    let full = loop {
        match reply.push(Parent::Top, Some(b"name"), Scalar::Text(b"value")) {
            Ok(()) => count += 1,
            Err(full) => break full,
        }
    };
    assert_eq!(full, Full::TooLarge(LIMIT));
    assert_eq!(full.to_string(), "the reply is larger than 1000 bytes");
    assert_eq!(count, LIMIT / (size_of::<Node>() + 9));
    assert_eq!(reply.values().count(), count);

    // A text that is too long alone, and values without any.
    let mut reply = Reply::with_limit(LIMIT);
    let long = [b'x'; LIMIT + 1];
    assert!(reply.push(Parent::Top, None, Scalar::Text(&long)).is_err());
    assert!(reply.is_empty());
    let pushed = (0..LIMIT).take_while(|_| reply.push(Parent::Top, None, Scalar::Null).is_ok());
    assert_eq!(pushed.count(), LIMIT / size_of::<Node>());
    reply.clear();
    assert!(reply.push(Parent::Top, None, Scalar::Null).is_ok());
}
