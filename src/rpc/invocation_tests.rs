//! Tests of what a client is told, for each policy and each thing that a command does.

use rpc_wire::value::{Event, Param};

use super::*;
use crate::scan::{Problem, Taken, Wanted};

/// Keeps the replies as lines of text.
#[derive(Default)]
struct Shown {
    replies: Vec<String>,
    sent_now: bool,
    returns_array: bool,
}

impl Responder for Shown {
    fn respond(&mut self, answer: Answer<'_>) {
        self.sent_now = answer.now;
        self.returns_array = answer.returns_array;
        self.replies.push(match answer.reply.fault() {
            Some(fault) => format!("{} {}", fault.code, String::from_utf8_lossy(fault.reason)),
            None => answer.reply.walk().map(show).collect::<Vec<_>>().join(" "),
        });
    }
}

fn show(event: Event<'_>) -> String {
    let named = |name: Option<&[u8]>| {
        name.map_or(String::new(), |name| {
            format!("{}:", String::from_utf8_lossy(name))
        })
    };
    match event {
        Event::Scalar {
            name,
            value: Scalar::Int(number),
        } => format!("{}{number}", named(name)),
        Event::Scalar { name, value } => format!("{}{value:?}", named(name)),
        Event::Open {
            name,
            kind: Container::Struct,
        } => format!("{}{{", named(name)),
        Event::Open {
            name,
            kind: Container::Array,
        } => format!("{}[", named(name)),
        Event::Close {
            kind: Container::Struct,
        } => "}".to_owned(),
        Event::Close {
            kind: Container::Array,
        } => "]".to_owned(),
    }
}

/// Runs the actions of a command, and returns the client's answer.
fn answer(
    policy: &'static Policy,
    returns_array: bool,
    params: Vec<Param>,
    command: impl FnOnce(&mut Invocation<'_>),
) -> String {
    let mut given = Params::new();
    params.into_iter().for_each(|param| given.push(param));
    let (mut buffers, mut shown) = (Buffers::default(), Shown::default());
    let mut call = Invocation::new(Parts {
        policy,
        max_reply: MaxReply::DEFAULT,
        returns_array,
        params: &mut given,
        buffers: &mut buffers,
        responder: &mut shown,
    });
    command(&mut call);
    call.finish();
    assert_eq!(shown.replies.len(), 1, "a call is answered once");
    shown.replies.remove(0)
}

fn add(call: &mut Invocation<'_>, number: i32) {
    call.put(Parent::Top, None, Scalar::Int(number))
        .expect("added");
}

fn open(call: &mut Invocation<'_>, place: Parent, name: Option<&[u8]>, kind: Container) -> Parent {
    let place = call.place_for(place, name).expect("allowed");
    Parent::Node(call.buffers.reply.open(place, name, kind).expect("added"))
}

const BINRPC: &Policy = &Policy::BINRPC;
const JSON: &Policy = &Policy::JSON;

#[test]
fn of_several_values_binrpc_sends_all_and_json_the_last() {
    let command = |call: &mut Invocation<'_>| {
        add(call, 1);
        add(call, 2);
    };
    assert_eq!(answer(BINRPC, false, vec![], command), "1 2");
    assert_eq!(answer(JSON, false, vec![], command), "2");
    assert_eq!(answer(JSON, true, vec![], command), "1 2");
}

#[test]
fn a_named_value_in_an_array_is_a_member_or_an_object_of_its_own() {
    let command = |call: &mut Invocation<'_>| {
        let array = open(call, Parent::Top, None, Container::Array);
        for (name, number) in [(b"a", 1), (b"b", 2)] {
            call.put(array, Some(name), Scalar::Int(number))
                .expect("added");
        }
    };
    assert_eq!(answer(BINRPC, false, vec![], command), "[ a:1 b:2 ]");
    assert_eq!(answer(JSON, false, vec![], command), "[ { a:1 } { b:2 } ]");
}

#[test]
fn an_unnamed_value_in_a_structure_is_kept_or_refused() {
    let unnamed = |policy| {
        answer(policy, false, vec![], |call| {
            let structure = open(call, Parent::Top, None, Container::Struct);
            let added = call.put(structure, None, Scalar::Int(1));
            assert_eq!(
                added.is_ok(),
                policy.unnamed_in_struct == UnnamedInStruct::Kept
            );
        })
    };
    assert_eq!(unnamed(BINRPC), "{ 1 }");
    assert_eq!(unnamed(JSON), "{ }");
}

#[test]
fn of_two_faults_binrpc_tells_the_first_and_json_the_last() {
    let command = |call: &mut Invocation<'_>| {
        call.fault(400, b"one");
        call.fault(500, b"two");
    };
    assert_eq!(answer(JSON, false, vec![], command), "500 two");
    assert_eq!(answer(BINRPC, false, vec![], command), "400 one");
}

#[test]
fn a_failed_scan_is_told_only_if_the_command_adds_nothing() {
    let scan_text = |call: &mut Invocation<'_>| {
        call.begin_scan();
        call.take(Wanted::Text, false, false)
            .expect_err("an integer is no text");
    };
    assert_eq!(
        answer(BINRPC, false, vec![Param::Int(1)], scan_text),
        "400 error at parameter 0: expected string type but record doesn't match type"
    );
    assert_eq!(
        answer(JSON, false, vec![Param::Int(1)], scan_text),
        "-32602 parameter 1: expected string, got integer"
    );
    let told = answer(BINRPC, false, vec![Param::Int(1)], |call| {
        scan_text(call);
        add(call, 7);
    });
    assert_eq!(told, "7");
}

#[test]
fn what_counts_more_than_a_wrong_type_in_json() {
    let told = |policy: &'static Policy, wanted, optional, then: fn(&mut Invocation<'_>)| {
        answer(policy, false, vec![Param::Array(vec![])], |call| {
            call.begin_scan();
            let _ = call.take(wanted, optional, false);
            then(call);
        })
    };
    let text = "-32602 parameter 1: expected string, got array";
    let number = "-32602 parameter 1: expected integer, got array";
    let nothing: fn(&mut Invocation<'_>) = |_| {};
    let adds: fn(&mut Invocation<'_>) = |call| add(call, 7);
    let faults: fn(&mut Invocation<'_>) = |call| call.fault(400, b"own");
    // C also fails the scan of a text, so the command speaks for itself.
    assert_eq!(told(JSON, Wanted::Text, false, nothing), text);
    assert_eq!(told(JSON, Wanted::Text, false, adds), "7");
    assert_eq!(told(JSON, Wanted::Text, false, faults), "400 own");
    // C passes 0 for a number, and the command does not learn of it.
    for then in [nothing, adds, faults] {
        assert_eq!(told(JSON, Wanted::Int, false, then), number);
        assert_eq!(told(&Policy::JSON_STRICT, Wanted::Int, true, then), number);
    }
    assert_eq!(told(JSON, Wanted::Text, true, nothing), "");
    assert_eq!(told(JSON, Wanted::Text, true, adds), "7");
    assert_eq!(told(JSON, Wanted::Text, true, faults), "400 own");
    assert_eq!(told(JSON, Wanted::Int, true, adds), "7");
    let strict = &Policy::JSON_STRICT;
    assert_eq!(told(strict, Wanted::Text, true, adds), text);
    assert_eq!(told(strict, Wanted::Text, true, faults), "400 own");
}

#[test]
fn a_parameter_that_json_cannot_convert_is_read_again() {
    let told = answer(JSON, false, vec![Param::Bool(true)], |call| {
        call.begin_scan();
        call.take(Wanted::Text, false, true)
            .expect_err("truth is no text");
        call.begin_scan();
        assert_eq!(call.take(Wanted::Int, false, false), Ok(Taken::Int(1)));
    });
    assert_eq!(told, "");
}

#[test]
fn a_scan_that_is_tried_again_is_forgiven() {
    let told = answer(BINRPC, false, vec![Param::Int(5)], |call| {
        call.begin_scan();
        call.take(Wanted::Text, false, false)
            .expect_err("an integer is no text");
        call.begin_scan();
        assert_eq!(call.take(Wanted::Int, false, false), Ok(Taken::Int(5)));
    });
    assert_eq!(told, "");
}

#[test]
fn a_missing_parameter_is_a_fault_unless_it_is_optional() {
    let scan = |optional| {
        move |call: &mut Invocation<'_>| {
            call.begin_scan();
            let taken = call.take(Wanted::Int, optional, false);
            assert_eq!(taken, Err(Problem::Missing));
        }
    };
    assert_eq!(
        answer(BINRPC, false, vec![], scan(false)),
        "400 error at parameter 0: expected integer type but end of packet encountered"
    );
    assert_eq!(answer(BINRPC, false, vec![], scan(true)), "");
    assert_eq!(answer(JSON, false, vec![], scan(false)), "");
}

#[test]
fn a_number_is_made_a_text_for_c() {
    answer(BINRPC, false, vec![Param::Int(42)], |call| {
        call.begin_scan();
        let taken = call.take(Wanted::Text, false, true).expect("converted");
        assert_eq!(taken, Taken::Made(b"42".to_vec()));
        let (start, len) = call.text_for_c(&taken);
        assert!(!start.is_null());
        assert_eq!(len, 2);
    });
}

#[test]
fn a_command_that_sends_itself_is_answered_at_once_and_only_once() {
    let (mut params, mut buffers) = (Params::new(), Buffers::default());
    let mut shown = Shown::default();
    let mut call = Invocation::new(Parts {
        policy: BINRPC,
        max_reply: MaxReply::DEFAULT,
        returns_array: false,
        params: &mut params,
        buffers: &mut buffers,
        responder: &mut shown,
    });
    add(&mut call, 1);
    assert_eq!(call.send(), 0);
    add(&mut call, 2);
    call.finish();
    assert_eq!(
        (shown.replies, shown.sent_now),
        (vec!["1".to_owned()], true)
    );
}

#[test]
fn a_panic_is_told_as_a_fault() {
    let told = answer(BINRPC, false, vec![], |call| {
        call.fault(400, b"before");
        call.panicked();
    });
    assert_eq!(told, "500 internal server error");
}

#[test]
fn a_structure_as_a_parameter_is_refused_in_the_words_of_the_protocol() {
    let ask = |call: &mut Invocation<'_>| {
        call.take_struct(std::ptr::null_mut(), false)
            .expect_err("there are none");
    };
    assert_eq!(
        answer(BINRPC, false, vec![], ask),
        "500 internal server error, type 3 not supported"
    );
    assert_eq!(
        answer(JSON, false, vec![], ask),
        "400 Unsupported param type"
    );
}

/// Passes a line as the parameter to a command, and returns the client's answer.
fn answer_line(line: &[u8], command: impl FnOnce(&mut Invocation<'_>)) -> String {
    let mut given = Params::new();
    let raw = given.store_text(line);
    given.push(Param::Line { text: raw, raw });
    let (mut buffers, mut shown) = (Buffers::default(), Shown::default());
    let mut call = Invocation::new(Parts {
        policy: &Policy::LINE_FIFO,
        max_reply: MaxReply::DEFAULT,
        returns_array: false,
        params: &mut given,
        buffers: &mut buffers,
        responder: &mut shown,
    });
    call.begin_scan();
    command(&mut call);
    call.finish();
    shown.replies.remove(0)
}

#[test]
fn members_of_a_line_are_found_by_name_once_each() {
    let told = answer_line(b"Name:a,number:0x10,name:b,bad:x", |call| {
        call.take_struct(std::ptr::null_mut(), false)
            .expect("a structure");
        let mut text = |name: &[u8]| call.take_member(0, name, Wanted::Text);
        assert_eq!(text(b"name"), Ok(Taken::Made(b"a".to_vec())));
        assert_eq!(text(b"name"), Ok(Taken::Made(b"b".to_vec())));
        assert_eq!(text(b"name"), Err(Problem::Missing));
        let number = call.take_member(0, b"number", Wanted::Int);
        assert_eq!(number, Ok(Taken::Int(16)));
        call.take_member(0, b"bad", Wanted::Int)
            .expect_err("no number");
    });
    assert_eq!(told, "400 Invalid Parameter Value");
}

#[test]
fn a_line_that_is_no_structure_is_told() {
    let told = answer_line(b"no members", |call| {
        call.take_struct(std::ptr::null_mut(), false)
            .expect_err("no structure");
    });
    assert_eq!(
        told,
        "400 parameter on line 2: member 1 of the structure has no colon behind its name"
    );
}

/// These are the texts of the Management Interface's commands about their arguments.
#[test]
fn a_missing_or_wrong_argument_of_the_management_interface_is_told() {
    let told = |params, wanted| {
        answer(&Policy::MI, false, params, |call| {
            call.begin_scan();
            let _ = call.take(wanted, false, false);
        })
    };
    assert_eq!(
        told(vec![], Wanted::Text),
        "400 Too few or too many arguments"
    );
    assert_eq!(
        told(vec![Param::Int(1)], Wanted::Int),
        "400 Bad parameter 1: it is no whole number"
    );
    let optional = answer(&Policy::MI, false, vec![], |call| {
        call.begin_scan();
        let _ = call.take(Wanted::Text, true, false);
    });
    assert_eq!(optional, "");
}

#[test]
fn a_reply_that_grows_too_large_is_a_fault_whatever_the_command_says_then() {
    let max_reply = MaxReply::new(64 << 10).expect("enough");
    let (mut params, mut buffers) = (Params::new(), Buffers::new(max_reply.bytes()));
    let mut shown = Shown::default();
    let mut call = Invocation::new(Parts {
        policy: JSON,
        max_reply,
        returns_array: true,
        params: &mut params,
        buffers: &mut buffers,
        responder: &mut shown,
    });
    let place = call
        .buffers
        .reply
        .open(Parent::Top, None, Container::Struct)
        .map(Parent::Node)
        .expect("room");
    let added = (0..).take_while(|number| {
        let value = Scalar::Int(*number);
        call.put(Parent::Top, None, value).is_ok()
    });
    assert!(added.count() > 1000);
    // The structure is gone with the rest, and nothing looks for it.
    assert_eq!(call.put(place, Some(b"a"), Scalar::Int(1)), Err(Refused));
    call.fault(500, b"failed to add");
    call.finish();
    assert_eq!(
        shown.replies,
        ["500 the reply is larger than 65536 bytes (max_reply)"]
    );
}

#[test]
fn all_values_are_an_array_where_all_count() {
    let told = |count: i32, policy: &'static Policy| {
        let (mut params, mut buffers) = (Params::new(), Buffers::default());
        let mut shown = Shown::default();
        let mut call = Invocation::new(Parts {
            policy,
            max_reply: MaxReply::DEFAULT,
            returns_array: false,
            params: &mut params,
            buffers: &mut buffers,
            responder: &mut shown,
        });
        for number in 0..count {
            add(&mut call, number);
        }
        call.finish();
        (shown.replies.concat(), shown.returns_array)
    };
    for strict in [false, true] {
        let all = Policy::json(strict, true);
        assert_eq!(told(0, all), (String::new(), false));
        assert_eq!(told(1, all), ("0".to_owned(), false));
        assert_eq!(told(3, all), ("0 1 2".to_owned(), true));
        let last = Policy::json(strict, false);
        assert_eq!(told(3, last), ("2".to_owned(), false));
    }
}
