//! Kamailio's core behind safe types: logging, parameters, processes, script
//! functions, variables, RPC commands and the declaration of a module.
//!
//! This crate knows no protocol. Everything that crosses the boundary to C
//! crosses it here or in `kamailio-rpc`'s callback table: a function that C
//! calls turns raw pointers into safe types, calls safe code, stops a panic
//! and turns an error into the number the core expects.

pub mod args;
pub mod command;
pub mod datagrams;
mod entries;
pub mod error;
pub mod event_route;
pub mod hooks;
#[doc(hidden)]
pub mod loaded;
pub mod log;
pub mod message;
mod module;
pub mod panic;
pub mod params;
pub mod params_storage;
pub mod peers;
pub mod process;
pub mod server;
pub mod strings;
pub mod sys;
pub mod tcp;
pub mod tcp_events;
mod tcp_main;
pub mod variables;
pub mod wake;
pub mod xhttp;

pub use error::Error;
#[doc(hidden)]
pub use module::{last, register};
