//! Clients with connections.

mod capacity;
mod connection;
mod connections;
mod queue;
mod registry;

pub(crate) use connections::Connections;
pub(crate) use registry::start as start_registry;
pub use registry::{OpenConnection, open_connections};
