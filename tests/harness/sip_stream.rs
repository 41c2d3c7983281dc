//! SIP over TCP, TLS and WebSocket.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::net::{self, AddressFamily, SocketType, sockopt};
use rustls::{ClientConnection, StreamOwned};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::{Message as Frame, WebSocket};

use crate::tls::Certificate;
use crate::wait::patience;

/// A transport of SIP over connections.
#[derive(Clone, Copy, Debug)]
pub enum Via<'a> {
    /// TCP.
    Tcp,
    /// TLS, with a server that must have this certificate.
    Tls(&'a Certificate),
    /// WebSocket, without TLS.
    Ws,
}

impl Via<'_> {
    /// The name of the transport in a `Via` header.
    fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Tls(_) => "TLS",
            Self::Ws => "WS",
        }
    }
}

/// A connection to a server.
pub struct SipStream {
    /// The socket below, for operations that the protocols do not have.
    socket: TcpStream,
    channel: Channel,
    transport: &'static str,
    /// Bytes that have come and were not read.
    input: Vec<u8>,
}

enum Channel {
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Ws(Box<WebSocket<TcpStream>>),
}

/// The ways in which a server ends a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server ended it in an orderly way.
    Fin,
    /// The server ended it at once.
    Reset,
}

/// A request or a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The first line, `OPTIONS sip:server SIP/2.0` or `SIP/2.0 200 OK`.
    pub first_line: String,
    /// The names and values of the headers in their order.
    pub headers: Vec<(String, String)>,
    /// The bytes that follow the headers.
    pub body: String,
}

impl Message {
    fn parse(head: &str, body: &[u8]) -> Self {
        let mut lines = head.trim_end().split("\r\n");
        let first_line = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect();
        Self {
            first_line,
            headers,
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }

    /// The code of a reply. It is 0 for a request.
    #[must_use]
    pub fn status(&self) -> u16 {
        let code = self.first_line.strip_prefix("SIP/2.0 ");
        let code = code.and_then(|rest| rest.split(' ').next());
        code.and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl SipStream {
    /// Opens a connection.
    ///
    /// # Panics
    ///
    /// The server does not accept it.
    #[must_use]
    pub fn connect(via: Via<'_>, to: SocketAddr) -> Self {
        Self::try_connect(via, to).unwrap_or_else(|error| panic!("{} {to}: {error}", via.name()))
    }

    /// Opens a connection, if the server accepts it.
    ///
    /// # Errors
    ///
    /// The server does not accept it.
    pub fn try_connect(via: Via<'_>, to: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect(to)?, via, to)
    }

    /// Opens a connection over TCP from this address, which must be the caller's own.
    ///
    /// # Errors
    ///
    /// The address is taken, or the server does not accept the connection.
    pub fn try_connect_from(from: SocketAddr, to: SocketAddr) -> io::Result<Self> {
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        net::bind(&socket, &from)?;
        net::connect(&socket, &to)?;
        Self::over(TcpStream::from(socket), Via::Tcp, to)
    }

    fn over(socket: TcpStream, via: Via<'_>, to: SocketAddr) -> io::Result<Self> {
        socket.set_read_timeout(Some(patience()))?;
        socket.set_nodelay(true)?;
        let below = socket.try_clone()?;
        let channel = match via {
            Via::Tcp => Channel::Tcp(socket),
            Via::Tls(certificate) => Channel::Tls(Box::new(certificate.secure(socket)?)),
            Via::Ws => Channel::Ws(Box::new(upgrade(socket, to)?)),
        };
        Ok(Self {
            socket: below,
            channel,
            transport: via.name(),
            input: Vec::new(),
        })
    }

    /// Its own address, as the server sees it.
    ///
    /// # Panics
    ///
    /// This never happens, because it is connected.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.socket.local_addr().expect("a connected socket")
    }

    /// Sends a request with these headers added, each ended by `\r\n`, and
    /// waits for its final reply.
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn request(&mut self, method: &str, headers: &str) -> Message {
        self.send(method, headers);
        loop {
            let reply = self.receive();
            if reply.status() >= 200 {
                return reply;
            }
        }
    }

    /// Sends a request and does not wait.
    ///
    /// # Panics
    ///
    /// The connection is gone.
    pub fn send(&mut self, method: &str, headers: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", std::process::id());
        let own = self.local_addr();
        let transport = self.transport;
        let text = format!(
            "{method} sip:server@127.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/{transport} {own};branch=z9hG4bK{id};rport\r\n\
             Max-Forwards: 10\r\n\
             From: <sip:test@127.0.0.1>;tag={id}\r\n\
             To: <sip:server@127.0.0.1>\r\n\
             Call-ID: {id}@test\r\n\
             CSeq: {number} {method}\r\n\
             {headers}Content-Length: 0\r\n\r\n"
        );
        self.send_bytes(text.as_bytes());
    }

    /// Sends these bytes. Over a WebSocket they are a frame.
    ///
    /// # Panics
    ///
    /// The connection is gone.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let sent = match &mut self.channel {
            Channel::Tcp(socket) => socket.write_all(bytes),
            Channel::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Channel::Ws(stream) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                stream.send(Frame::text(text)).map_err(io::Error::other)
            }
        };
        sent.expect("the server reads");
    }

    /// The next message from the server.
    ///
    /// # Panics
    ///
    /// There is none.
    pub fn receive(&mut self) -> Message {
        self.try_receive()
            .unwrap_or_else(|error| panic!("no message over {}: {error}", self.transport))
    }

    /// The next message from the server, if there is one.
    ///
    /// # Errors
    ///
    /// The connection ended first.
    pub fn try_receive(&mut self) -> io::Result<Message> {
        loop {
            if let Some((message, len)) = first_message(&self.input) {
                self.input.drain(..len);
                return Ok(message);
            }
            self.read_more()?;
        }
    }

    fn read_more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        let stream: &mut dyn Read = match &mut self.channel {
            Channel::Tcp(socket) => socket,
            Channel::Tls(stream) => stream,
            Channel::Ws(stream) => {
                if let Frame::Text(text) = stream.read().map_err(io::Error::other)? {
                    self.input.extend_from_slice(text.as_bytes());
                }
                return Ok(());
            }
        };
        match stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.input.extend_from_slice(&chunk[..count]);
                Ok(())
            }
        }
    }

    /// Waits until the server ends the connection. Whatever it sends before that is
    /// dropped.
    ///
    /// # Panics
    ///
    /// It does not end it.
    pub fn wait_for_end(&mut self) -> End {
        let mut chunk = [0; 4096];
        loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => return End::Fin,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return End::Reset,
                Err(error) => panic!("the connection does not end: {error}"),
            }
        }
    }

    /// Whether the server has ended the connection. Whatever it has sent is dropped.
    ///
    /// # Panics
    ///
    /// This never happens, because every socket can be asked without waiting.
    pub fn has_ended(&mut self) -> bool {
        self.socket.set_nonblocking(true).expect("a socket");
        let mut chunk = [0; 4096];
        let ended = loop {
            match self.socket.read(&mut chunk) {
                Ok(0) => break true,
                Ok(_) => {}
                Err(error) => break error.kind() != io::ErrorKind::WouldBlock,
            }
        };
        self.socket.set_nonblocking(false).expect("a socket");
        ended
    }

    /// Ends the connection in an orderly way, with a FIN.
    ///
    /// # Panics
    ///
    /// The server does not end its side.
    pub fn close(mut self) {
        // Closing a socket with unread bytes would be a reset.
        if self.socket.shutdown(Shutdown::Write).is_ok() {
            self.wait_for_end();
        }
    }

    /// Ends the connection at once, with an RST.
    ///
    /// # Panics
    ///
    /// This never happens, because every socket can do it.
    pub fn reset(self) {
        sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO)).expect("a socket takes it");
    }
}

impl fmt::Debug for SipStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipStream")
            .field("socket", &self.socket)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

/// Asks for SIP over WebSocket.
fn upgrade(socket: TcpStream, to: SocketAddr) -> io::Result<WebSocket<TcpStream>> {
    let mut request = format!("ws://{to}/")
        .into_client_request()
        .map_err(io::Error::other)?;
    let protocol = HeaderValue::from_static("sip");
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", protocol);
    let (stream, _) = tungstenite::client(request, socket)
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(stream)
}

/// The first whole message in `input`, and its length. Empty lines between messages are
/// keepalives.
fn first_message(input: &[u8]) -> Option<(Message, usize)> {
    let start = input
        .iter()
        .take_while(|byte| b"\r\n".contains(byte))
        .count();
    let rest = &input[start..];
    let end = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&rest[..end]).into_owned();
    let len: usize = Message::parse(&head, b"")
        .header("Content-Length")
        .and_then(|len| len.parse().ok())
        .unwrap_or(0);
    let body = rest.get(end..end + len)?;
    Some((Message::parse(&head, body), start + end + len))
}
