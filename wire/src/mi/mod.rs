//! The text protocol of the old Management Interface: one request and one reply
//! a datagram.
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
//! A first line with the name of the command between two colons, then an
//! argument a line:
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
//! A code and a reason, then a tree: a line for each node, its level shown by
//! as many indents (a tab, unless the operator wants another), its name, its
//! value and its attributes.
//!
//! ```text
//! 200 OK
//! Domain:: location table=1024 records=1
//! <tab>AOR:: alice
//! ```
//!
//! Behind the `::` of a name is always one space, whether or not a value
//! follows. LF, CR and NUL in names and values are written `\n`, `\r` and `\0`,
//! so that a line stays a line; nothing else is escaped.
//!
//! Commands that never had a reply in this syntax get one from their values by
//! the rule of [`Tree::of_reply`].

pub mod client;
mod request;
mod tree;

pub use request::{Argument, ParseError, arguments, arguments_memory, first_line, is_request};
pub use tree::{Node, Tree};

/// The longest request that the C module read, in bytes.
pub const MAX_LEN: usize = 65_457;

/// Whether it is the answer of a server: `200 OK`.
#[must_use]
pub fn is_answer(datagram: &[u8]) -> bool {
    matches!(datagram, [a, b, c, b' ', ..] if [a, b, c].iter().all(|byte| byte.is_ascii_digit()))
}
