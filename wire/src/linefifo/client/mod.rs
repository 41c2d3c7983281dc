//! The client's side: writing requests and reading answers.
//!
//! Tests and tools speak to a server with it.

mod answer;
mod request;

pub use answer::{Answer, BadAnswer, Line, Members};
pub use request::{Arg, Unsendable, encode_request};
