//! A module that fails wherever the server calls it, for the tests of what that costs.
//! `modparam("faulty", "fails", "init")` names further places.
#![deny(unsafe_code)]

use kamailio::core::args::Args;
use kamailio::core::command::{Call, Fault};
use kamailio::core::message::Message;
use kamailio::core::process::Rank;
use kamailio::core::tcp_events::{self, Ended};
use kamailio::core::variables::Value;
use kamailio::core::{Error, log};
use parking_lot::RwLock;

#[allow(unsafe_code)]
mod exports {
    use crate::{child_init, destroy, fail, get_faulty, init, large, parse_faulty, set_fails};

    kamailio::module! {
        name: "faulty",
        parameters: [ "fails" => Text(set_fails) ],
        functions: [ "faulty" => fail() in ANY_ROUTE ],
        variables: [ "faulty" => get_faulty, parse_faulty; ],
        commands: [ "faulty.large" => large, "Answers with so many MiB"; ],
        hooks: [ init: init, child_init: child_init, destroy: destroy ],
    }
}

static FAILS: RwLock<String> = RwLock::new(String::new());

fn fails(place: &str) -> bool {
    *FAILS.read() == place
}

/// Sets `modparam("faulty", "fails", "init")`. It may also be another hook, or
/// `connections` for the end of each connection.
fn set_fails(place: &str) -> Result<(), Error> {
    assert!(place != "parameter", "this value always does");
    place.clone_into(&mut FAILS.write());
    Ok(())
}

fn init() -> Result<(), Error> {
    assert!(!fails("init"), "it was asked to");
    if fails("connections") {
        tcp_events::register(on_end)?;
    }
    Ok(())
}

/// Refuses to prepare the handlers of other modules, or panics in each process.
fn child_init(rank: Rank) -> Result<(), Error> {
    assert!(!fails("child_init"), "it was asked to");
    if fails("handlers") && rank == Rank::Rpc {
        return Err("it was asked to".into());
    }
    Ok(())
}

fn destroy() {
    assert!(!fails("destroy"), "it was asked to");
}

fn on_end(ended: &Ended<'_>) {
    log!(Notice, "connection {} ends", ended.id());
    panic!("this event always does");
}

/// `faulty()`
fn fail(_message: &mut Message<'_>, _args: &Args<'_>) -> i32 {
    panic!("this function always does");
}

/// `$faulty(value)`, and `$faulty(name)` where the configuration is read.
fn parse_faulty(part: &[u8]) -> Option<i32> {
    assert!(part != b"name", "this name always does");
    Some(0)
}

fn get_faulty(_message: &mut Message<'_>, _part: i32) -> Value {
    panic!("this variable always does");
}

/// `kamcmd faulty.large 100`
fn large(call: &mut Call<'_>) -> Result<(), Fault> {
    let mib = call.next_int().and_then(|mib| usize::try_from(mib).ok());
    let mib = mib.ok_or_else(|| Fault::new(400, "how many MiB?"))?;
    call.add_text(vec![b'x'; mib << 20])
}
