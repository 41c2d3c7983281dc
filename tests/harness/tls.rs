//! A certificate for a server, and a client that trusts no other.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::builder::Builder;

/// A self-signed certificate of a server for `127.0.0.1` and `localhost`.
#[derive(Clone, Debug)]
pub struct Certificate {
    der: CertificateDer<'static>,
    pem: String,
    key: String,
}

impl Certificate {
    /// Makes a new certificate.
    ///
    /// # Panics
    ///
    /// This never happens, because nothing from outside is part of it.
    #[must_use]
    pub fn new() -> Self {
        let names = ["127.0.0.1", "localhost"].map(str::to_owned);
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).expect("a certificate for these names");
        Self {
            der: cert.der().clone(),
            pem: cert.pem(),
            key: signing_key.serialize_pem(),
        }
    }

    /// Writes it into the server's directory as `certificate.pem` and `key.pem`.
    #[must_use]
    pub fn files(&self, builder: Builder) -> Builder {
        builder
            .file("certificate.pem", &self.pem)
            .file("key.pem", &self.key)
    }

    /// Secures a connection whose server must prove that it has this certificate.
    ///
    /// # Errors
    ///
    /// The server does not prove it, or the connection fails.
    pub fn secure(
        &self,
        socket: TcpStream,
    ) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let mut trusted = RootCertStore::empty();
        trusted.add(self.der.clone()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
        let client = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(client, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
