//! Named pipes: ours, which requests come in through, and those of clients, which
//! replies leave through.

mod ends;
mod reply;
mod request;

pub(crate) use reply::ReplyPipes;
pub use reply::pipe_in;
pub(crate) use request::RequestPipe;
