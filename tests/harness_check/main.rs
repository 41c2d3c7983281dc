//! Tests of what the harness promises to other tests.
#![forbid(unsafe_code)]

mod failing;
mod outside;
mod sip_streams;
