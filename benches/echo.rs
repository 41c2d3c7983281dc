//! The lower bound: a process that only sends back what it gets.
//!
//! It has one socket and waits in its read. A server with several sockets waits until
//! one of them is ready and reads then, so there is also an echo that does so.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};

use harness::binrpc::Client;
use harness::linefifo::make_pipe;
use harness::server::{free_port, short_directory};
use harness::wait;
use rpc_wire::jsonrpc::{Found, find};
use rustix::buffer::spare_capacity;
use rustix::event::epoll;
use rustix::process::Pid;
use tempfile::TempDir;

use crate::servers::{KINDS, Kind};

/// The name of the kind that is not a socket: what comes through a named pipe goes back
/// through the pipe that it names.
pub(crate) const PIPE: &str = "pipe";

/// The way in which an echo waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waits {
    InRead,
    /// It waits with epoll, and then it reads.
    ForEvents,
}

impl Waits {
    fn name(self) -> &'static str {
        match self {
            Waits::InRead => "in read",
            Waits::ForEvents => "for events",
        }
    }
}

/// The running echoes, one for each kind and way to wait that was asked for.
#[derive(Default)]
pub(crate) struct Echoes(Vec<Echo>);

impl Echoes {
    pub(crate) fn of(&mut self, kind: &'static str, waits: Waits) -> &Echo {
        let is_it = |echo: &Echo| (echo.kind, echo.waits) == (kind, waits);
        let index = self.0.iter().position(is_it).unwrap_or_else(|| {
            self.0.push(Echo::start(kind, waits));
            self.0.len() - 1
        });
        &self.0[index]
    }
}

/// A running echo.
pub(crate) struct Echo {
    kind: &'static str,
    waits: Waits,
    directory: TempDir,
    port: u16,
    child: Child,
}

impl Echo {
    /// Starts an echo on a socket of the kind with this name, or on a pipe.
    fn start(kind: &'static str, waits: Waits) -> Self {
        let directory = short_directory();
        let port = free_port();
        let path = directory.path().join("echo");
        let is_inet = [Kind::Tcp.name(), Kind::Udp.name()].contains(&kind);
        let place = match is_inet {
            true => format!("127.0.0.1:{port}"),
            false => path.display().to_string(),
        };
        let program = env::current_exe().expect("this program has a path");
        let child = Command::new(program)
            .args(["echo", kind, &place, waits.name()])
            .spawn()
            .expect("this program can be started again");
        Echo {
            kind,
            waits,
            directory,
            port,
            child,
        }
    }

    pub(crate) fn client(&self, kind: Kind) -> Client {
        wait::for_some(|| Client::try_connect(kind.address(self.path(), self.port)).ok())
            .expect("the echo listens")
    }

    /// The path of its socket or pipe, if it has one in the file system.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("echo")
    }

    /// The address of its socket, if it has one.
    pub(crate) fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        // It has nothing to clean up, and may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The main function of the echo's process, `echo KIND PLACE WAITS`. It ends when it is
/// killed.
pub(crate) fn run(kind: &str, place: &str, waits: &str) -> ExitCode {
    if kind == PIPE {
        return ended(place, run_pipe(Path::new(place)));
    }
    let waits = [Waits::InRead, Waits::ForEvents]
        .into_iter()
        .find(|known| known.name() == waits);
    let kind = KINDS.into_iter().find(|known| known.name() == kind);
    let (Some(kind), Some(waits)) = (kind, waits) else {
        return ExitCode::FAILURE;
    };
    let result = match kind {
        Kind::UnixStream => UnixListener::bind(place).and_then(|listener| {
            listener
                .incoming()
                .try_for_each(|stream| copy(&mut stream?, waits))
        }),
        Kind::Tcp => TcpListener::bind(place).and_then(|listener| {
            listener.incoming().try_for_each(|stream| {
                let mut stream = stream?;
                stream.set_nodelay(true)?;
                copy(&mut stream, waits)
            })
        }),
        Kind::UnixDatagram => UnixDatagram::bind(place).and_then(|socket| {
            let mut buffer = [0; 65_536];
            let mut waiting = Waiting::at(&socket, waits)?;
            loop {
                waiting.wait()?;
                let (count, from) = socket.recv_from(&mut buffer)?;
                if let Some(from) = from.as_pathname() {
                    socket.send_to(&buffer[..count], from)?;
                }
            }
        }),
        Kind::Udp => UdpSocket::bind(place).and_then(|socket| {
            let mut buffer = [0; 65_536];
            let mut waiting = Waiting::at(&socket, waits)?;
            loop {
                waiting.wait()?;
                let (count, from) = socket.recv_from(&mut buffer)?;
                socket.send_to(&buffer[..count], from)?;
            }
        }),
    };
    ended(place, result)
}

/// What an echo does before it reads.
struct Waiting {
    poller: Option<OwnedFd>,
    events: Vec<epoll::Event>,
}

impl Waiting {
    fn at(socket: &impl AsFd, waits: Waits) -> io::Result<Self> {
        let poller = match waits {
            Waits::InRead => None,
            Waits::ForEvents => {
                let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
                let data = epoll::EventData::new_u64(0);
                epoll::add(&poller, socket, data, epoll::EventFlags::IN)?;
                Some(poller)
            }
        };
        Ok(Waiting {
            poller,
            events: Vec::with_capacity(1),
        })
    }

    fn wait(&mut self) -> io::Result<()> {
        if let Some(poller) = &self.poller {
            self.events.clear();
            epoll::wait(poller, spare_capacity(&mut self.events), None)?;
        }
        Ok(())
    }
}

fn ended(place: &str, result: io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo on {place}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves a client until it leaves; then the next may come.
fn copy(stream: &mut (impl Read + Write + AsFd), waits: Waits) -> io::Result<()> {
    let mut buffer = [0; 65_536];
    let mut waiting = Waiting::at(stream, waits)?;
    loop {
        waiting.wait()?;
        let Ok(count @ 1..) = stream.read(&mut buffer) else {
            return Ok(());
        };
        if stream.write_all(&buffer[..count]).is_err() {
            return Ok(());
        }
    }
}

fn run_pipe(place: &Path) -> io::Result<()> {
    make_pipe(place);
    // Our own writing end keeps it open between clients.
    let mut pipe = File::options().read(true).write(true).open(place)?;
    let mut buffer = [0; 65_536];
    loop {
        let count = pipe.read(&mut buffer)?;
        let mut rest = &buffer[..count];
        while let Found::Document(len) = find(rest) {
            let document = &rest[..len];
            let reply = File::options().write(true).open(reply_pipe(document))?;
            (&reply).write_all(document)?;
            rest = &rest[len..];
        }
    }
}

/// The pipe that is named first in a document.
fn reply_pipe(document: &[u8]) -> PathBuf {
    let name = document.split(|byte| *byte == b'"').nth(3);
    let name = String::from_utf8_lossy(name.unwrap_or_default());
    Path::new("/tmp").join(name.as_ref())
}
