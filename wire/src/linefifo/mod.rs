//! The line protocol of `ctl`'s parameter `fifo`, older than BINRPC: named
//! pipes, UDP and TCP.
//!
//! # Requests
//!
//! A request is a first line, a line for each parameter, and an empty line:
//!
//! ```text
//! :core.echo:reply_pipe
//! hello
//! name:value,other:value
//!
//! ```
//!
//! The name behind the second colon is the pipe for the reply. Without one the reply
//! goes back the way the request came. A line ends in LF or CR LF. It cannot hold an
//! empty text, because an empty line ends the request.
//!
//! All parameters are text until a command asks for something else. This is what the C
//! module then makes of a line:
//!
//! | format | value |
//! | --- | --- |
//! | `b` `t` `d` | `strtol` of the line with base 0, so `0x1f` and `017` too: the number at its start, 0 if there is none, cut to 32 bits |
//! | `f` | `strtod` of the line: the number at its start, 0 if there is none |
//! | `s` `S` | the line without its escapes |
//! | `{` | the line as a structure, see [`parse_struct`] |
//! | other | none: the command fails with a fault 500 |
//!
//! Whatever runs commands for this codec may be stricter, as the engine is: it takes no
//! line for a number that is not wholly one.
//!
//! To the C module the empty line is one more parameter: an empty text, or a fault 400
//! if a number is asked for. Only when a command asks for yet another does it know that
//! parameters are missing, and it leaves that to the command. Here the empty line is
//! not a parameter.
//!
//! # Replies
//!
//! A reply is a line with a code and a reason, then a line for each value:
//!
//! ```text
//! 200 OK
//! a value
//! name:value,other:value
//! inner:name:value,list:value
//! deep:first,second
//! ```
//!
//! A structure or an array is one line with its members in their order, `name:value`
//! or, without a name, `value`. Members that have members of their own are left out of
//! it and follow it, each on a line that starts with its name and a colon (the colon
//! alone if it has no name), and each followed first by its own inner ones. Every
//! structure and array has its line, even an empty one. An empty text without a name
//! gets a comma behind it if it is the last of its line, because the line could not
//! show it otherwise.
//!
//! Nothing marks the end of a reply: it ends with its datagram, with its pipe or where
//! the next one starts, so a client must know what values a command answers with.
//!
//! # Escapes
//!
//! | character | anywhere | in requests | in structures of replies |
//! | --- | --- | --- | --- |
//! | backslash, LF, CR, tab, NUL | `\\` `\n` `\r` `\t` `\0` | | |
//! | colon | | `\c` | `\o` |
//! | comma | | `\o` | `\c` |
//!
//! The two directions contradict each other since the C module was written,
//! and clients count on it.

#[cfg(feature = "client")]
pub mod client;
mod error;
mod escape;
mod lines;
mod reply;
mod request;
mod structure;

pub use error::{BadStruct, Defect, Malformed};
pub use escape::BadEscape;
pub use reply::{encode_answer, encode_fault};
pub use request::{
    Decoded, MAX_FIRST_LINE, Request, decode, decode_datagram, decode_on, is_request,
};
pub use structure::{NamedText, parse_struct};
