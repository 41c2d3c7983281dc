//! A server that listens for SIP over TCP, TLS and WebSocket.

use std::net::{Ipv4Addr, SocketAddr};

use crate::builder::Builder;
use crate::server::free_port;
use crate::sip_stream::{SipStream, Via};
use crate::tls::Certificate;

/// Lets HTTP connections become WebSockets. The configuration of a server with
/// [`StreamPorts`] needs it.
pub const WEBSOCKET_ROUTE: &str = r#"
event_route[xhttp:request] {
    if ($hdr(Upgrade) =~ "websocket") {
        ws_handle_handshake();
    }
    exit;
}
"#;

/// The addresses at which such a server listens, on 127.0.0.1.
#[derive(Clone, Debug)]
pub struct StreamPorts {
    /// The address for TCP and WebSocket.
    pub tcp: SocketAddr,
    /// The address for TLS.
    pub tls: SocketAddr,
    certificate: Certificate,
}

impl StreamPorts {
    /// Free ports.
    #[must_use]
    pub fn free() -> Self {
        let [tcp, tls] = [(); 2].map(|()| (Ipv4Addr::LOCALHOST, free_port()).into());
        Self {
            tcp,
            tls,
            certificate: Certificate::new(),
        }
    }

    /// Makes a server listen on them. It loads the modules that this needs, including
    /// `sl`, `pv` and `xlog`.
    #[must_use]
    pub fn open(&self, builder: Builder) -> Builder {
        self.certificate
            .files(builder)
            .port(self.tcp.port())
            .tcp()
            .core_config(&format!(
                "enable_tls=yes\nlisten=tls:{}\ntcp_accept_no_cl=yes",
                self.tls
            ))
            .modules(["tls", "tm", "sl", "pv", "xlog", "xhttp", "websocket"])
            .config(
                r#"
                modparam("tls", "tls_method", "TLSv1.2+")
                modparam("tls", "certificate", "{dir}/certificate.pem")
                modparam("tls", "private_key", "{dir}/key.pem")
                modparam("websocket", "keepalive_mechanism", 0)
                "#,
            )
            .config(WEBSOCKET_ROUTE)
    }

    /// The transports, each with its address.
    #[must_use]
    pub fn ways(&self) -> [Via<'_>; 3] {
        [Via::Tcp, Via::Tls(&self.certificate), Via::Ws]
    }

    /// Opens a connection.
    #[must_use]
    pub fn connect(&self, via: Via<'_>) -> SipStream {
        let to = match via {
            Via::Tls(_) => self.tls,
            Via::Tcp | Via::Ws => self.tcp,
        };
        SipStream::connect(via, to)
    }

    /// Opens a connection over TCP from this address.
    ///
    /// # Panics
    ///
    /// It cannot be opened.
    #[must_use]
    pub fn connect_from(&self, from: SocketAddr) -> SipStream {
        SipStream::try_connect_from(from, self.tcp)
            .unwrap_or_else(|error| panic!("{from}: {error}"))
    }
}
