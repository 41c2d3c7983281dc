//! Named pipes: ours, through which requests come in, and those of clients, through
//! which replies are sent.

mod ends;
mod reply;
mod request;

pub(crate) use reply::ReplyPipes;
pub use reply::pipe_in;
pub(crate) use request::RequestPipe;
