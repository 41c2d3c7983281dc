//! Our `jsonrpcs` beside the C module: the same documents, the replies compared
//! byte for byte.
#![forbid(unsafe_code)]

mod datagram;
mod delayed;
mod differential;
mod script;
mod streams;
mod ways;
