//! What a Kamailio module written in Rust needs, in one crate.
//!
//! The layers are packages of their own, each in its folder below `src/`:
//! [`core`] wraps the server, [`rpc`] runs its commands for any protocol, and
//! [`net`] listens and answers. Each knows only those before it. A module
//! declares itself with [`module!`].

pub use kamailio_core as core;
pub use kamailio_core::{log, log_limited, module};
pub use kamailio_net as net;
pub use kamailio_rpc as rpc;
