//! Clients that send and get datagrams.

mod batch;
mod pending;
mod quota;
mod socket;

pub(crate) use socket::DatagramSocket;
