//! A server with `ctl` that listens on every transport.

use std::net::{Ipv4Addr, SocketAddr};

use crate::binrpc::{Address, Client};
use crate::linefifo;
use crate::server::{Server, free_port};
use crate::wait;

/// The name of the Unix stream socket, in the server's directory.
pub const STREAM: &str = "stream";

/// The addresses of all kinds of listeners for one server, or for several that use the
/// same directory one after the other.
#[derive(Debug)]
pub struct CtlListeners {
    udp: SocketAddr,
    tcp: SocketAddr,
    line_udp: SocketAddr,
    line_tcp: SocketAddr,
}

impl Default for CtlListeners {
    fn default() -> Self {
        Self::new()
    }
}

impl CtlListeners {
    /// Free ports, and fixed names of files.
    #[must_use]
    pub fn new() -> Self {
        Self {
            udp: local(free_port()),
            tcp: local(free_port()),
            line_udp: local(free_port()),
            line_tcp: local(free_port()),
        }
    }

    /// The configuration that makes a server listen on all of them. Its Unix stream
    /// socket is [`STREAM`].
    #[must_use]
    pub fn config(&self) -> String {
        let Self {
            udp,
            tcp,
            line_udp,
            line_tcp,
        } = self;
        format!(
            r#"
            modparam("ctl", "binrpc", "unix:{{dir}}/{STREAM}")
            modparam("ctl", "binrpc", "unixd:{{dir}}/datagram")
            modparam("ctl", "binrpc", "udp:{udp}")
            modparam("ctl", "binrpc", "tcp:{tcp}")
            modparam("ctl", "fifo", "fifo:{{dir}}/pipe")
            modparam("ctl", "fifo", "udp:{line_udp}")
            modparam("ctl", "fifo", "tcp:{line_tcp}")
            "#
        )
    }

    /// The addresses for BINRPC.
    #[must_use]
    pub fn binrpc(&self, server: &Server) -> [Address; 4] {
        [
            Address::UnixStream(server.path(STREAM)),
            Address::UnixDatagram(server.path("datagram")),
            Address::Udp(self.udp),
            Address::Tcp(self.tcp),
        ]
    }

    /// The addresses for BINRPC over connections.
    #[must_use]
    pub fn streams(&self, server: &Server) -> [Address; 2] {
        let [unix, _, _, tcp] = self.binrpc(server);
        [unix, tcp]
    }

    /// The addresses for BINRPC in datagrams.
    #[must_use]
    pub fn datagrams(&self, server: &Server) -> [Address; 2] {
        let [_, unix, udp, _] = self.binrpc(server);
        [unix, udp]
    }

    /// The addresses for the line protocol.
    #[must_use]
    pub fn lines(&self, server: &Server) -> [linefifo::Address; 3] {
        [
            linefifo::Address::Pipe(server.path("pipe")),
            linefifo::Address::Udp(self.line_udp),
            linefifo::Address::Tcp(self.line_tcp),
        ]
    }
}

/// The address of this port on this host.
#[must_use]
pub fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Waits until the server has this many open connections. It takes a while to notice
/// that a client has left.
///
/// # Panics
///
/// It keeps more connections.
pub fn wait_for_connections(witness: &mut Client, count: i32) {
    wait::until("the other connections are closed", || {
        witness.call("ctl.connections", &[]).values()[0].as_int() == Some(count)
    });
}
