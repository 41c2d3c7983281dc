//! A whole module: a parameter, a script function and an RPC command.
#![deny(unsafe_code)]

use kamailio::core::args::Args;
use kamailio::core::command::{Call, Fault};
use kamailio::core::message::Message;
use kamailio::core::{Error, log};
use parking_lot::RwLock;

// The declaration becomes the C tables that the server reads.
#[allow(unsafe_code)]
mod exports {
    use crate::{say, set_word, tell};

    kamailio::module! {
        name: "tiny",
        parameters: [ "word" => Text(set_word) ],
        functions: [ "tiny_say" => say(Text) in ANY_ROUTE ],
        commands: [ "tiny.word" => tell, "Tells the word"; ],
    }
}

static WORD: RwLock<String> = RwLock::new(String::new());

/// `modparam("tiny", "word", "Welcome")`
fn set_word(word: &str) -> Result<(), Error> {
    if word.is_empty() {
        return Err("a word is needed, such as \"Welcome\"".into());
    }
    word.clone_into(&mut WORD.write());
    Ok(())
}

/// `tiny_say("$fU")`: true, or false where the argument cannot be evaluated.
fn say(_message: &mut Message<'_>, args: &Args<'_>) -> i32 {
    let Ok(name) = args.text(0) else { return -1 };
    log!(Notice, "{}, {}", WORD.read(), name.escape_ascii());
    1
}

/// `kamcmd tiny.word`
fn tell(call: &mut Call<'_>) -> Result<(), Fault> {
    call.add_text(WORD.read().as_str())
}
