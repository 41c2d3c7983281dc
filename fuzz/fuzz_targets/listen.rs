//! Fuzzes addresses as an operator may write them. What is read once must be read again
//! from its own text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpc_wire::listen::{Flavour, Listen, PathFlavour};

fuzz_target!(|text: &str| {
    for flavour in [Flavour::BINRPC, Flavour::FIFO] {
        if let Ok(listen) = Listen::parse(text, flavour) {
            assert_eq!(Listen::parse(&listen.to_string(), flavour), Ok(listen));
        }
    }
    for flavour in [PathFlavour::DATAGRAM, PathFlavour::PIPE] {
        if let Ok(listen) = Listen::parse_path(text, flavour) {
            assert_eq!(Listen::parse_path(&listen.to_string(), flavour), Ok(listen));
        }
    }
});
