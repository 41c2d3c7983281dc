//! Every way into a server.

use std::net::{Ipv4Addr, SocketAddr};

use harness::binrpc::{Address, Client};
use harness::linefifo;
use harness::server::{Server, free_port};
use harness::wait;

/// The name of the Unix stream socket, in the server's directory.
pub(crate) const STREAM: &str = "stream";

/// Places of all kinds for one server, or for several in the same directory,
/// one after the other.
pub(crate) struct Ways {
    udp: SocketAddr,
    tcp: SocketAddr,
    line_udp: SocketAddr,
    line_tcp: SocketAddr,
}

impl Ways {
    pub(crate) fn new() -> Self {
        Self {
            udp: local(free_port()),
            tcp: local(free_port()),
            line_udp: local(free_port()),
            line_tcp: local(free_port()),
        }
    }

    /// What a server needs in its configuration to listen everywhere. Its Unix
    /// stream socket is [`STREAM`].
    pub(crate) fn config(&self) -> String {
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

    /// Where BINRPC is spoken.
    pub(crate) fn binrpc(&self, server: &Server) -> [Address; 4] {
        [
            Address::UnixStream(server.path(STREAM)),
            Address::UnixDatagram(server.path("datagram")),
            Address::Udp(self.udp),
            Address::Tcp(self.tcp),
        ]
    }

    /// Where BINRPC is spoken over connections.
    pub(crate) fn streams(&self, server: &Server) -> [Address; 2] {
        let [unix, _, _, tcp] = self.binrpc(server);
        [unix, tcp]
    }

    /// Where BINRPC is spoken in datagrams.
    pub(crate) fn datagrams(&self, server: &Server) -> [Address; 2] {
        let [_, unix, udp, _] = self.binrpc(server);
        [unix, udp]
    }

    /// Where the line protocol is spoken.
    pub(crate) fn lines(&self, server: &Server) -> [linefifo::Address; 3] {
        [
            linefifo::Address::Pipe(server.path("pipe")),
            linefifo::Address::Udp(self.line_udp),
            linefifo::Address::Tcp(self.line_tcp),
        ]
    }
}

/// An address of this host.
pub(crate) fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Waits until the server has so many connections open: it learns at its own
/// pace that a client has left.
pub(crate) fn wait_for_connections(witness: &mut Client, count: i32) {
    wait::until("the other connections are closed", || {
        witness.call("ctl.connections", &[]).values()[0].as_int() == Some(count)
    });
}
