//! Listeners, connections and the event loop of the control modules.
//!
//! A module hands the places where it listens to its [`Handlers`], which open
//! them while the server starts and serve them in processes of their own. No
//! client's reading or writing blocks that process:
//! what a client sends piecemeal waits in the connection's own buffer, and what
//! it does not take waits in the connection's own queue. No command is known
//! here; a [`Service`] turns requests into replies.
#![forbid(unsafe_code)]

mod batch;
mod connection;
mod connections;
mod datagram;
mod event_loop;
mod file;
mod file_mode;
mod files;
mod handlers;
mod headroom;
mod held;
mod inet;
mod input;
mod lanes;
mod leftover;
mod limits;
mod listener;
mod outbox;
mod owner;
mod owner_params;
mod pipe;
mod pipe_ends;
mod places;
mod poller;
mod queue;
mod registry;
mod remake;
mod reply_pipe;
mod service;
mod slab;
mod turn;
mod unread;
mod users;
mod workshop;

pub use handlers::{Group, Handlers, process_count};
pub use inet::pipe_path;
pub use listener::{Bound, OpenError};
pub use outbox::{Outbox, TooLarge};
pub use owner::Owner;
pub use owner_params::{OwnerNames, OwnerParams};
pub use registry::{Client, Peer, clients};
pub use reply_pipe::pipe_in;
pub use service::{Looked, Service, Step, report_unanswered};
