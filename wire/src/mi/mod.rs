//! The text protocol of the old Management Interface. A datagram carries one request or
//! one reply.
//!
//! # Requests
//!
//! ```text
//! :ul_add:
//! location
//! expires::1800
//! "two words, a \" and a ::"
//! ```
//!
//! A request is a first line with the name of the command between two colons, and then
//! one argument a line:
//!
//! ```text
//! first_line = ':' command ':' [ newline ]
//! argument   = [ [ name ] '::' ] value newline
//! value      = unquoted | '"' string '"'
//! ```
//!
//! | what | how it is read |
//! | --- | --- |
//! | space around names and values | is no part of them, quotes keep it |
//! | empty lines between arguments | mean nothing |
//! | the end of a line | is a newline, with a carriage return before it or not; it may be missing from the last line |
//! | a name | ends at the first `::` of the line; it is optional and no command looks at it |
//! | `name::` and nothing more | is an empty value |
//! | an unquoted value | has no `"` |
//! | a quoted value | has `\"` for a quote and may go on over several lines; a backslash before anything else is a backslash; only space may follow it on its line |
//! | `""` | is an empty value; the C module refused it |
//! | `"\"...` | starts with a quote; the C module refused it, unless nothing followed on that line: then the value is a backslash, there and here |
//! | a NUL | ends the value |
//!
//! # Replies
//!
//! A reply is a code and a reason, and then a tree. Each node has a line, which shows
//! its level by as many indents (a tab, unless the operator wants another), its name,
//! its value and its attributes.
//!
//! ```text
//! 200 OK
//! Domain:: location table=1024 records=1
//! <tab>AOR:: alice
//! ```
//!
//! One space always follows the `::` of a name, whether or not a value follows. LF, CR
//! and NUL in names and values are written `
//! `, `\r` and `\0`, so that a line stays a line; nothing else is escaped.
//!
//! The replies of commands that never had one in this syntax are made from their values
//! by the rule of [`Tree::of_reply`].

#[cfg(feature = "client")]
pub mod client;
mod request;
mod tree;

pub use request::{Argument, ParseError, arguments, arguments_memory, first_line, is_request};
pub use tree::{Node, Tree};

/// The longest request that the C module read, in bytes.
pub const MAX_LEN: usize = 65_457;

/// Whether a datagram is the answer of a server, such as `200 OK`.
#[must_use]
pub fn is_answer(datagram: &[u8]) -> bool {
    matches!(datagram, [a, b, c, b' ', ..] if [a, b, c].iter().all(|byte| byte.is_ascii_digit()))
}
