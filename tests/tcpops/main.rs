//! The module `tcpops` in a real Kamailio.
#![forbid(unsafe_code)]

mod differential;
mod script;
