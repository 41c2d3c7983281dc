//! Listeners, connections and the event loop of the control modules.
//!
//! A module opens [`Listeners`] while it starts and serves them in a process of
//! its own with [`serve`]. No client's reading or writing blocks that process:
//! what a client sends piecemeal waits in the connection's own buffer, and what
//! it does not take waits in the connection's own queue. No command is known
//! here; a [`Service`] turns requests into replies.
#![forbid(unsafe_code)]

mod connection;
mod datagram;
mod event_loop;
mod file;
mod limits;
mod listener;
mod outbox;
mod owner;
mod pipe;
mod queue;
mod registry;
mod reply_pipe;
mod service;
mod slab;

pub use event_loop::serve;
pub use listener::{Bound, Files, Listeners, OpenError};
pub use outbox::Outbox;
pub use owner::Owner;
pub use registry::{Client, Peer, clients};
pub use service::{Service, Step};
