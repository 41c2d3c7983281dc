//! Listeners, connections and the event loop of the control modules.
//!
//! A module passes the endpoints at which it listens to its [`Handlers`], which open
//! them while the server starts and serve them in processes of their own. No client's
//! reading or writing blocks such a process: an incomplete request waits in the
//! connection's own buffer, and what a client does not take waits in the connection's
//! own queue. No command is known here; a [`Service`] turns requests into replies.
#![forbid(unsafe_code)]

mod context;
mod datagram;
mod event_loop;
mod fair_queues;
mod handlers;
mod headroom;
mod input;
mod leftover;
mod limits;
mod listen;
mod outbox;
mod peer;
mod pipe;
mod poller;
mod service;
mod stream;
mod wait;

pub use handlers::{Group, Handlers, process_count};
pub use listen::{Endpoint, OpenError, Owner, OwnerNames, OwnerParams, pipe_path};
pub use outbox::{Outbox, TooLarge};
pub use peer::Peer;
pub use pipe::pipe_in;
pub use rpc_wire::ScanState;
pub use service::{Incoming, Service, Step, report_unanswered};
pub use stream::{OpenConnection, open_connections};
