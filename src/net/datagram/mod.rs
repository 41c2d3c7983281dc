//! Clients that send and receive datagrams.

mod batch;
mod pending;
mod quota;
mod socket;

pub(crate) use socket::DatagramSocket;
