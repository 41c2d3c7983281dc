//! Registered contacts, of which a test adds as many as it wants `ul.dump` to tell.

use rpc_wire::binrpc::client::{Answer, Arg};

use crate::binrpc::Client;

/// The user who has the contact of this number.
#[must_use]
pub fn user(number: usize) -> String {
    format!("user{number}")
}

/// The address of the contact.
#[must_use]
pub fn address(number: usize) -> String {
    let (host, port) = (number % 250, 1024 + number);
    format!("sip:user{number}@192.0.2.{host}:{port}")
}

/// Adds so many contacts to a server that has `usrloc` with the table `location`.
///
/// # Panics
///
/// The server refuses one.
pub fn add(client: &mut Client, count: usize) {
    let contact = |number: usize| {
        vec![
            "location".into(),
            Arg::from(&*user(number)),
            Arg::from(&*address(number)),
            3600.into(),
            1.0.into(),
            "".into(),
            0.into(),
            0.into(),
            0.into(),
        ]
    };
    client.call_many("ul.add", (0..count).map(contact), |answer| {
        assert_eq!(answer, Answer::Reply(vec![]));
    });
}
