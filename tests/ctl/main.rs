//! `ctl`: RPC commands over BINRPC, on a real Kamailio.
#![forbid(unsafe_code)]

mod connections;
mod differential;
mod handler;
mod kamcmd;
mod large;
mod log_prefix;
mod malformed;
mod parameters;
mod sockets;
