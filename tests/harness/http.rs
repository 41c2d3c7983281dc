//! Sending HTTP requests to the server's SIP port.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use crate::wait::patience;

/// A connection for requests that follow one another.
#[derive(Debug)]
pub struct Client(TcpStream);

/// The response of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The first line, such as `HTTP/1.1 200 OK`.
    pub status: String,
    /// The other lines of the header.
    pub headers: Vec<String>,
    /// The bytes that follow the header.
    pub body: String,
}

impl Client {
    /// Connects to this port of the host.
    ///
    /// # Panics
    ///
    /// Nothing listens there.
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
    /// The server does not read it.
    pub fn send(&mut self, document: &[u8]) {
        let head = format!(
            "POST /RPC HTTP/1.1\r\nHost: localhost\r\nUser-Agent: test\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            document.len()
        );
        let request = [head.as_bytes(), document].concat();
        self.0.write_all(&request).expect("the server reads");
    }

    /// The next response.
    ///
    /// # Errors
    ///
    /// There is none, or it is incomplete.
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

    /// Posts a document and waits for the response.
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

    /// Disconnects at once, so that whatever the server sends then is refused.
    ///
    /// # Panics
    ///
    /// This never happens, because every socket can do it.
    pub fn abort(self) {
        rustix::net::sockopt::set_socket_linger(&self.0, Some(std::time::Duration::ZERO))
            .expect("a socket takes it");
    }
}
