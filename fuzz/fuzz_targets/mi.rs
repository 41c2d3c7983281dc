//! Fuzzes bytes as a server of the old Management Interface receives them. What was
//! read as arguments is written again and must be read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpc_wire::mi::client::{encode_request, put_argument};
use rpc_wire::mi::{Tree, arguments, first_line};

fuzz_target!(|bytes: &[u8]| {
    let Some((command, rest)) = first_line(bytes) else {
        return;
    };
    let Ok(read) = arguments(rest) else {
        return;
    };
    let values: Vec<&[u8]> = read
        .iter()
        .map(|argument| &argument.value[..])
        .filter(|value| put_argument(value, &mut Vec::new()).is_ok())
        .collect();
    let mut again = Vec::new();
    encode_request(command, values.iter().copied(), &mut again).expect("each can be written");
    let (command_again, rest) = first_line(&again).expect("a request of ours");
    assert_eq!(command_again, command);
    let read_again = arguments(rest).expect("arguments of ours");
    assert!(read_again.iter().map(|a| &a.value[..]).eq(values));
    reply(
        &read
            .iter()
            .map(|a| (&a.name[..], &a.value[..]))
            .collect::<Vec<_>>(),
    );
});

/// Checks that a reply has as many lines as nodes, and one in front of them.
fn reply(nodes: &[(&[u8], &[u8])]) {
    let mut tree = Tree::ok();
    for (level, (name, value)) in nodes.iter().enumerate() {
        tree.push(level % 4, name)
            .value(value)
            .attribute(name, value);
    }
    let mut out = Vec::new();
    tree.encode(b"\t", &mut out);
    let lines = out.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines, nodes.len() + 1);
}
