//! The endpoints of a module: addresses, the sockets and pipes that are opened there,
//! and their files.

mod endpoint;
mod file;
mod file_mode;
mod files;
mod inet;
mod listener;
mod owner;
mod owner_params;
mod remake;
mod users;

pub use endpoint::{Endpoint, OpenError};
pub(crate) use files::Files;
pub use inet::pipe_path;
pub(crate) use listener::{Listener, Listeners};
pub use owner::Owner;
pub use owner_params::{OwnerNames, OwnerParams};
pub(crate) use remake::Remaker;
