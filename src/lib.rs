//! What a Kamailio module written in Rust needs, in one crate.
//!
//! The layers are packages of their own, each in its folder below `src/`:
//! [`core`] wraps the server, [`rpc`] runs its commands for any protocol, and
//! [`net`] listens and answers. Each knows only those before it. A module
//! declares itself with [`module!`].

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
