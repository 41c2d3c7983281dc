//! The client's side: writing requests and reading answers.
//!
//! Tests and tools speak to a server with it.

mod answer;
mod request;

pub use answer::{Answer, Node, decode_answer};
pub use request::{Arg, encode_request, encode_request_padded};
