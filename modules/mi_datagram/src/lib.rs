//! Kamailio's RPC commands in the text syntax of the old Management Interface.
#![deny(unsafe_code)]

#[allow(
    dead_code,
    unused_imports,
    reason = "what answers datagrams is being written"
)]
mod aliases;

use kamailio::core::Error;

// What this expands to is the module's only unsafe code.
#[allow(unsafe_code)]
mod exports {
    kamailio::module! {
        name: "mi_datagram",
        hooks: [ init: crate::init ],
    }
}

fn init() -> Result<(), Error> {
    Err("this version knows the commands but does not answer yet: do not load it".into())
}
