//! What a Kamailio module written in Rust needs, in one crate.
//!
//! A module declares itself with [`module!`], and gets the rest from three layers. Each is a
//! package of its own, in its folder below `src/`:
//!
//! - [`core`] puts safe types around the server: the log, parameters, processes, script
//!   functions, variables, messages, connections.
//! - [`rpc`] runs the server's commands for any protocol.
//! - [`net`] listens, keeps connections and sends what a protocol answers.
//!
//! The last two build on `core` and do not know each other; a module joins them.
//!
//! # A whole module
//!
//! This is `examples/tiny`. ARCHITECTURE.md says what belongs beside it and walks through it.
//!
#![doc = "```no_run"]
#![doc = include_str!("../examples/tiny/tiny.rs")]
// A program that is tested needs this function, which a module does not have.
#![doc = "# fn main() {}"]
#![doc = "```"]

pub use kamailio_core as core;
pub use kamailio_core::{log, log_limited};
pub use kamailio_net as net;
pub use kamailio_rpc as rpc;

/// The commit that is built, with a NUL behind it. It is found here, at the front
/// door, so that a new one compiles no layer again.
#[doc(hidden)]
pub const COMMIT: &str = concat!(env!("KSRRS_COMMIT"), "\0");

/// Declares a Kamailio module; [`kamailio_core::module!`] tells how.
#[macro_export]
macro_rules! module {
    ($($declaration:tt)*) => {
        $crate::core::module! { commit: $crate::COMMIT, $($declaration)* }
    };
}
