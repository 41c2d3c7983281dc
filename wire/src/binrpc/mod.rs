//! BINRPC, the binary protocol that `kamcmd` speaks to the module `ctl`.
//!
//! A packet is a header and a body. The header is
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 1 | `0xA1`: magic `0xA`, version 1 |
//! | 1 | packet kind (4 bits), width of the body length - 1 (2 bits), width of the cookie - 1 (2 bits) |
//! | 1..=4 | body length in bytes |
//! | 1..=4 | cookie: the client's number for the request, sent back in the answer |
//!
//! and the body is a row of records. All numbers are big-endian. A record
//! starts with a tag byte: the type in the lower four bits and in the upper
//! four the length of the value, or, with the highest bit set, the width of a
//! length that follows.
//!
//! | type | value | example |
//! | --- | --- | --- |
//! | 0 int | 0..=4 bytes, two's complement in 32 bits | `20 12 34` is 0x1234 |
//! | 1 str | text and a NUL, which the length counts | `41 61 62 63 00` is "abc" |
//! | 2 double | thousandths, 0..=8 bytes, two's complement in 64 bits; all four upper bits are the length | `22 05 dc` is 1.5 |
//! | 3 struct | `03`, members, `83` | |
//! | 4 array | `04`, values, `84` | |
//! | 5 AVP | the name of the member that follows, written as a str | `25 73 00 10 07` is s = 7 |
//! | 6 bytes | as a str, without the NUL | `36 61 62 63` is "abc" |
//!
//! A server uses [`decode_request`] and [`encode_answer`], and a client the functions in
//! the module `client`, which the feature of that name adds.

#[cfg(feature = "client")]
pub mod client;
mod error;
mod header;
mod reader;
mod reply;
mod request;
mod tree;
mod writer;

pub use error::{Defect, Malformed};
pub use header::{Header, Kind, MAX_HEADER_LEN, Widths, is_request};
pub use reply::{encode_answer, encode_fault};
pub use request::decode_request;
pub use tree::MAX_DEPTH;

/// The record types, which are the lower four bits of a tag.
mod tag {
    pub(super) const INT: u8 = 0;
    pub(super) const STR: u8 = 1;
    pub(super) const DOUBLE: u8 = 2;
    pub(super) const STRUCT: u8 = 3;
    pub(super) const ARRAY: u8 = 4;
    pub(super) const AVP: u8 = 5;
    pub(super) const BYTES: u8 = 6;

    /// The highest bit of a tag. On a struct or an array it marks the end; on any other
    /// record a length follows.
    pub(super) const LONG: u8 = 0x80;
}

/// The factor of doubles, which are sent as thousandths.
const DOUBLE_SCALE: f64 = 1000.0;

/// Reads up to eight bytes as a big-endian number.
fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
