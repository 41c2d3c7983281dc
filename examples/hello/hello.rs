//! A Kamailio module in Rust: a parameter, a script function that KEMI engines
//! can call too, a variable, RPC commands and a hook.
#![forbid(unsafe_op_in_unsafe_fn)]

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use kamailio::core::args::Args;
use kamailio::core::command::{Call, Fault};
use kamailio::core::message::Message;
use kamailio::core::variables::Value;
use kamailio::core::{Error, log};
use parking_lot::RwLock;

kamailio::module! {
    name: "hello",
    parameters: [
        "greeting" => Text(set_greeting),
        "loudness" => Int(set_loudness),
    ],
    functions: [
        "hello" => hello(Text) in ANY_ROUTE,
        "hello" => hello(Text, Int) in ANY_ROUTE,
        "hello_three" => hello_three(Text, Text, Int) in ANY_ROUTE,
    ],
    variables: [
        "hello" => get, parse;
    ],
    commands: [
        "hello.say" => say, "Greets whoever asks";
        "hello.order" => order, "Takes an order such as dish:soup,number:2";
        "hello.panic" => panic, "Panics, to show that the server goes on";
    ],
    kemi: [
        "hello" => hello(Text, Int) -> Int,
    ],
    hooks: [ init: init ],
}

static GREETING: RwLock<String> = RwLock::new(String::new());
static LOUDNESS: AtomicI64 = AtomicI64::new(1);
static SAID: AtomicI64 = AtomicI64::new(0);

fn set_greeting(greeting: &str) -> Result<(), Error> {
    if greeting.is_empty() {
        return Err("a greeting needs a word, such as \"Good morning\"".into());
    }
    greeting.clone_into(&mut GREETING.write());
    Ok(())
}

fn set_loudness(loudness: i32) -> Result<(), Error> {
    if !(0..=11).contains(&loudness) {
        return Err(Error::new(format!("{loudness} is not between 0 and 11")));
    }
    LOUDNESS.store(loudness.into(), Relaxed);
    Ok(())
}

fn init() -> Result<(), Error> {
    let mut greeting = GREETING.write();
    if greeting.is_empty() {
        "Hello".clone_into(&mut greeting);
    }
    Ok(())
}

fn greeting_for(name: &[u8]) -> String {
    SAID.fetch_add(1, Relaxed);
    format!("{}, {}", GREETING.read(), String::from_utf8_lossy(name))
}

/// `hello("bob")` and `hello("bob", "3")`: 1, or -1 where a variable is empty.
fn hello(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    let times = if args.len() > 1 { args.int(1) } else { Ok(1) };
    match (args.text(0), times) {
        (Ok(name), Ok(times)) => {
            for _ in 0..times {
                log!(Notice, "{}", greeting_for(&name));
            }
            1
        }
        (Err(error), _) | (_, Err(error)) => {
            log!(Error, "hello: {error}");
            -1
        }
    }
}

/// `hello_three("bob", "alice", "3")`: the number, as an answer to the script.
fn hello_three(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    match (args.text(0), args.text(1), args.int(2)) {
        (Ok(first), Ok(second), Ok(number)) => {
            log!(
                Notice,
                "{} and {}",
                greeting_for(&first),
                String::from_utf8_lossy(&second)
            );
            number
        }
        _ => -1,
    }
}

/// `$hello(greeting)`, `$hello(said)` and `$hello(nothing)`.
fn parse(part: &[u8]) -> Option<i32> {
    [b"greeting".as_slice(), b"said", b"nothing"]
        .iter()
        .position(|name| *name == part)
        .and_then(|index| i32::try_from(index).ok())
}

fn get(_message: &mut Message<'_>, part: i32) -> Value {
    match part {
        0 => Value::Text(GREETING.read().clone().into_bytes()),
        1 => Value::Int(SAID.load(Relaxed)),
        _ => Value::Null,
    }
}

/// `kamcmd hello.say bob`
fn say(call: &mut Call<'_>) -> Result<(), Fault> {
    let name = call
        .next_text()
        .ok_or_else(|| Fault::new(400, "whom shall I greet?"))?;
    let mut answer = call.add_struct()?;
    answer.add_text(c"text", greeting_for(&name))?;
    answer.add_int(c"loudness", LOUDNESS.load(Relaxed) as i32)
}

/// `dish:soup,number:2` over the line protocol
fn order(call: &mut Call<'_>) -> Result<(), Fault> {
    let mut order = call
        .next_struct()
        .ok_or_else(|| Fault::new(400, "what would you like?"))?;
    let dish = order.text(c"dish");
    let number = order.int(c"number").unwrap_or(1);
    let dish = dish.ok_or_else(|| Fault::new(400, "which dish?"))?;
    call.add_int(number)?;
    call.add_text(dish)
}

fn panic(_call: &mut Call<'_>) -> Result<(), Fault> {
    panic!("this command always does");
}
