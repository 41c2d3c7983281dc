//! What the harness itself promises to other tests.
#![forbid(unsafe_code)]

mod sip_streams;
