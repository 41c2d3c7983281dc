//! The wire formats of Kamailio's remote procedure calls, as pure functions
//! between bytes and values.
//!
//! [`value`] holds what every protocol shares: the parameters of a request and
//! the tree of a reply. A codec beside it turns bytes into the former and the
//! latter into bytes. Nothing here knows Kamailio, opens a socket or needs
//! `unsafe`, so all of it is tested and fuzzed without a server.
#![forbid(unsafe_code)]

pub mod answers;
pub mod binrpc;
pub mod jsonrpc;
pub mod linefifo;
pub mod listen;
pub mod mi;
mod scan;
pub mod value;

pub use scan::ScanState;
