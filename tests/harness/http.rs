//! HTTP requests to the server's SIP port.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use crate::wait::patience;

/// One connection, for one request after the other.
#[derive(Debug)]
pub struct Client(TcpStream);

/// What a server replied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The first line, `HTTP/1.1 200 OK`.
    pub status: String,
    /// The other lines of the head.
    pub headers: Vec<String>,
    /// What follows them.
    pub body: String,
}

impl Client {
    /// A connection to this port of the host.
    ///
    /// # Panics
    ///
    /// Nobody listens there.
    #[must_use]
    pub fn connect(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server listens");
        stream
            .set_read_timeout(Some(patience()))
            .expect("a time limit");
        stream.set_nodelay(true).expect("a socket takes it");
        Self(stream)
    }

    /// Posts a document.
    ///
    /// # Panics
    ///
    /// The server does not take it.
    pub fn send(&mut self, document: &[u8]) {
        let head = format!(
            "POST /RPC HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            document.len()
        );
        let request = [head.as_bytes(), document].concat();
        self.0.write_all(&request).expect("the server reads");
    }

    /// The next reply.
    ///
    /// # Errors
    ///
    /// It does not come, or is not whole.
    pub fn receive(&mut self) -> io::Result<Response> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.trim_end().split("\r\n").map(str::to_owned);
        let status = lines.next().unwrap_or_default();
        let headers: Vec<String> = lines.collect();
        let len = headers
            .iter()
            .find_map(|header| header.strip_prefix("Content-Length:"))
            .and_then(|len| len.trim().parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let mut body = vec![0; len];
        self.0.read_exact(&mut body)?;
        Ok(Response {
            status,
            headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// Posts a document and waits for the reply.
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn post(&mut self, document: &[u8]) -> Response {
        self.send(document);
        self.receive().unwrap_or_else(|error| {
            panic!("no reply to {}: {error}", String::from_utf8_lossy(document))
        })
    }

    /// Goes away at once; what the server sends then is refused.
    ///
    /// # Panics
    ///
    /// Never: every socket can.
    pub fn abort(self) {
        rustix::net::sockopt::set_socket_linger(&self.0, Some(std::time::Duration::ZERO))
            .expect("a socket takes it");
    }
}
