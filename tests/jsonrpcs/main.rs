//! Tests of our `jsonrpcs` beside the C module: both get the same documents, and the
//! replies are compared byte for byte.
#![forbid(unsafe_code)]

use harness::json_transports as transports;

mod clients;
mod datagram;
mod delayed;
mod differential;
mod fifo;
mod hostile;
mod large;
mod optional;
mod parameters;
mod policies;
mod reentry;
mod script;
mod specification;
mod store;
mod stream_socket;
mod streams;
mod types;
mod unicode;
