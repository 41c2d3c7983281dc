//! The options that a server has set on the socket of one of its connections, read from
//! outside.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{getpeername, sockopt};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::server::Server;

/// The settings by which the system probes whether the other side of a silent
/// connection is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Whether it probes at all.
    pub enabled: bool,
    /// How long a connection is silent before the first probe.
    pub idle: Duration,
    /// The time between two probes.
    pub interval: Duration,
    /// How many probes without an answer end the connection.
    pub count: u32,
}

impl Keepalive {
    /// Reads the settings of the server's connection with the client at `peer`.
    ///
    /// # Panics
    ///
    /// The server has no such connection, or the system does not let us read them.
    #[must_use]
    pub fn of(server: &Server, peer: SocketAddr) -> Self {
        let socket = server
            .processes()
            .into_iter()
            .find_map(|process| socket_of(process, peer))
            .unwrap_or_else(|| panic!("the server has no connection with {peer}"));
        Self::read(&socket).expect("a TCP socket tells")
    }

    fn read(socket: &OwnedFd) -> io::Result<Self> {
        Ok(Self {
            enabled: sockopt::socket_keepalive(socket)?,
            idle: sockopt::tcp_keepidle(socket)?,
            interval: sockopt::tcp_keepintvl(socket)?,
            count: sockopt::tcp_keepcnt(socket)?,
        })
    }
}

/// A copy of the descriptor that the process has for its connection with `peer`.
fn socket_of(process: Pid, peer: SocketAddr) -> Option<OwnedFd> {
    // A process that has ended meanwhile has no descriptors.
    let descriptors = fs::read_dir(format!("/proc/{}/fd", process.as_raw_pid())).ok()?;
    let handle = pidfd_open(process, PidfdFlags::empty()).ok()?;
    descriptors.flatten().find_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?;
        if !target.to_str()?.starts_with("socket:") {
            return None;
        }
        let number = entry.file_name().to_str()?.parse().ok()?;
        let socket = pidfd_getfd(&handle, number, PidfdGetfdFlags::empty())
            .unwrap_or_else(|error| panic!("descriptor {number} of {process:?}: {error}"));
        let other = SocketAddr::try_from(getpeername(&socket).ok()??).ok()?;
        (other == peer).then_some(socket)
    })
}
