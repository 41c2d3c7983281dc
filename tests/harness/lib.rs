//! A real Kamailio for tests, which is started, asked, watched and stopped.
//!
//! [`server`] starts one with the C modules or with ours, and [`binrpc`], [`linefifo`],
//! [`jsonrpc`], [`http`] and [`kamcmd`] send requests to it. [`sip`] is the peer to
//! which it sends requests itself. [`compare`] tells whether two servers answered
//! alike. Whatever goes wrong here is a failed test, so most functions panic with what
//! they know instead of returning errors.
#![forbid(unsafe_code)]

pub mod additions;
pub mod binrpc;
pub mod builder;
mod checker;
pub mod compare;
mod config;
pub mod contacts;
pub mod ctl_listeners;
pub mod datagram;
pub mod differential;
pub mod everything;
pub mod failing;
pub mod http;
pub mod json;
pub mod json_transports;
pub mod jsonrpc;
pub mod kamcmd;
pub mod keepalive;
pub mod linefifo;
pub mod machine;
pub mod make;
pub mod modules;
pub mod namespace;
pub mod own_path;
pub mod process;
pub mod requests;
pub mod server;
pub mod sip;
pub mod sip_server;
pub mod sip_stream;
pub mod terminal;
pub mod tls;
pub mod volatile;
pub mod wait;
