//! The time limits that end a connection, which hold only while the server waits for
//! the client.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use harness::binrpc::{Address, Client, request};
use harness::kamcmd;
use harness::linefifo;
use harness::modules::Flavor;
use harness::server::Server;
use harness::terminal::Terminal;
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Node};

use crate::listeners::{CtlListeners, STREAM, wait_for_connections};

/// Half a minute is documented, and the server checks once a second.
const PATIENCE: Duration = Duration::from_secs(60);

/// All time limits are in one test, so that they run at the same time.
#[test]
fn half_requests_and_replies_that_nobody_takes_end_a_connection_and_idleness_does_not() {
    let listeners = CtlListeners::new();
    let server = Server::builder(Flavor::Rust)
        .modules(["ctl", "cfg_rpc", "counters"])
        .config(&listeners.config())
        .socket(STREAM)
        .start();
    let mut idle = Idle::start(&listeners, &server);
    let mut late = Late::start(&listeners, &server);
    let _deaf = [
        deaf_unix(&listeners, &server),
        deaf_tcp(&listeners, &server),
    ];

    wait_for_lines(&server, "left a request incomplete for 30 seconds", 3);
    wait_for_lines(&server, "is dropped: it is incomplete for 30 seconds", 1);
    wait_for_lines(&server, "waiting bytes for 30 seconds and is closed", 2);

    late.assert_closed();
    idle.assert_served();
    // The remaining connections are the idle ones, the terminal and this.
    wait_for_connections(&mut server.client(), 4);
}

fn wait_for_lines(server: &Server, words: &str, count: usize) {
    let found = wait::for_some_within(PATIENCE, || {
        (server.log().matches(words).count() >= count).then_some(())
    });
    assert!(
        found.is_some(),
        "not {count} lines say {words:?} in\n{}",
        server.log()
    );
    assert_eq!(server.log().matches(words).count(), count);
}

/// Clients that are silent between requests: kamcmd on a terminal is one.
struct Idle {
    clients: Vec<Client>,
    terminal: Terminal,
}

impl Idle {
    fn start(listeners: &CtlListeners, server: &Server) -> Self {
        let mut clients: Vec<Client> = listeners.streams(server).map(Client::connect).into();
        for client in &mut clients {
            assert_echoes(client);
        }
        let mut terminal = kamcmd::interactive(&server.socket());
        terminal.read_to("kamcmd> ");
        Self { clients, terminal }
    }

    fn assert_served(&mut self) {
        for client in &mut self.clients {
            assert_echoes(client);
        }
        self.terminal.type_in("core.echo still here\n");
        self.terminal.read_to("\nstill\r\nhere\r\n");
    }
}

fn assert_echoes(client: &mut Client) {
    let answer = client.call("core.echo", &["hello".into()]);
    assert_eq!(answer, Answer::Reply(vec![Node::Str(b"hello".to_vec())]));
}

/// Clients that have sent half a request.
struct Late {
    clients: Vec<Client>,
    line: linefifo::Client,
    pipe: linefifo::Address,
    /// The pipe stays open, so that its request could still be completed.
    _writer: File,
}

impl Late {
    fn start(listeners: &CtlListeners, server: &Server) -> Self {
        let whole = request("core.echo", &["never".into()], 1);
        let clients = listeners.streams(server).map(|address| {
            let mut client = Client::connect(address);
            // An earlier answer neither starts nor stops the clock.
            assert_echoes(&mut client);
            client.send(&whole[..whole.len() - 1]).expect("it reads");
            client
        });
        let [pipe, _, tcp] = listeners.lines(server);
        let mut line = linefifo::Client::connect(&tcp);
        line.send(b":core.echo:\nnever\n").expect("it reads");
        let linefifo::Address::Pipe(path) = &pipe else {
            unreachable!("that is the first one");
        };
        let mut writer = File::options().write(true).open(path).expect("a pipe");
        writer
            .write_all(b":core.echo:nowhere\nnever\n")
            .expect("it reads");
        Self {
            clients: clients.into(),
            line,
            pipe,
            _writer: writer,
        }
    }

    fn assert_closed(&mut self) {
        for client in &mut self.clients {
            assert!(client.is_closed_by_server());
        }
        let reply = self.line.receive_all().unwrap_or_default();
        assert!(reply.is_empty(), "{}", reply.escape_ascii());
        // All clients share the pipe, so it stays open; only the half request is gone.
        let echo = linefifo::ask(&self.pipe, "core.echo", &["hello".into()]);
        assert_eq!(echo, b"200 OK\nhello\n");
    }
}

fn deaf_unix(listeners: &CtlListeners, server: &Server) -> Box<dyn Write> {
    let [Address::UnixStream(path), _] = listeners.streams(server) else {
        unreachable!("that is the first one");
    };
    let stream = UnixStream::connect(path).expect("the server listens");
    stream.set_nonblocking(true).expect("a socket can be so");
    asking(stream)
}

fn deaf_tcp(listeners: &CtlListeners, server: &Server) -> Box<dyn Write> {
    let [_, Address::Tcp(address)] = listeners.streams(server) else {
        unreachable!("that is the second one");
    };
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nonblocking(true).expect("a socket can be so");
    asking(stream)
}

/// Asks for more than both ends of a socket hold, and reads nothing.
fn asking(mut stream: impl Write + 'static) -> Box<dyn Write> {
    let request = request("system.listMethods", &[], 1);
    for _ in 0..5_000 {
        match stream.write_all(&request) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("the connection fails: {error}"),
        }
    }
    Box::new(stream)
}
