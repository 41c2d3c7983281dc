//! Runs Kamailio's RPC commands for any protocol: parameters in, reply out.
//!
//! A command sees `rpc_t`, a table of C functions with variable arguments. The
//! glue implements it by walking the format strings; `callbacks` receives one
//! value at a time; [`Policy`] says what the values mean in a protocol, for the
//! protocols of the C modules differ in more than their codec. No socket is
//! known here: a [`Responder`] takes the reply.
#![deny(unsafe_code)]

mod answer;
mod buffers;
#[allow(unsafe_code)]
mod context;
#[allow(unsafe_code)]
mod delayed;
mod invocation;
// cbindgen describes to C what is public.
#[allow(unsafe_code, unreachable_pub)]
mod callbacks;
#[allow(unsafe_code)]
mod dispatch;
mod handles;
mod policy;
mod scan;

pub use answer::{Answer, Later, RespondLater, Responder};
pub use dispatch::{Engine, exists};
pub use policy::{MaxReply, Policy};
