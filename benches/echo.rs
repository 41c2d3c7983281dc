//! The floor: a process that does nothing but send back what it gets.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};

use harness::binrpc::Client;
use harness::linefifo::make_pipe;
use harness::server::{free_port, short_directory};
use harness::wait;
use rpc_wire::jsonrpc::{Found, find};
use rustix::process::Pid;
use tempfile::TempDir;

use crate::servers::{KINDS, Kind};

/// The kind that is no socket: what comes through a named pipe goes back through
/// the one that it names.
pub(crate) const PIPE: &str = "pipe";

/// A running echo.
pub(crate) struct Echo {
    directory: TempDir,
    port: u16,
    child: Child,
}

impl Echo {
    /// One on a socket of the kind of this name, or on a pipe.
    pub(crate) fn start(kind: &str) -> Self {
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
            .args(["echo", kind, &place])
            .spawn()
            .expect("this program can be started again");
        Echo {
            directory,
            port,
            child,
        }
    }

    pub(crate) fn client(&self, kind: Kind) -> Client {
        wait::for_some(|| Client::try_connect(kind.address(self.path(), self.port)).ok())
            .expect("the echo listens")
    }

    /// Its socket or pipe, if it has one in the file system.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("echo")
    }

    /// Its address, if it has one.
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

/// The other program: `echo KIND PLACE`, until it is killed.
pub(crate) fn run(kind: &str, place: &str) -> ExitCode {
    if kind == PIPE {
        return ended(place, run_pipe(Path::new(place)));
    }
    let kind = KINDS.into_iter().find(|known| known.name() == kind);
    let result = match kind {
        Some(Kind::UnixStream) => UnixListener::bind(place).and_then(|listener| {
            listener
                .incoming()
                .try_for_each(|stream| stream.map(|mut stream| copy(&mut stream)))
        }),
        Some(Kind::Tcp) => TcpListener::bind(place).and_then(|listener| {
            listener.incoming().try_for_each(|stream| {
                let mut stream = stream?;
                stream.set_nodelay(true)?;
                copy(&mut stream);
                Ok(())
            })
        }),
        Some(Kind::UnixDatagram) => UnixDatagram::bind(place).and_then(|socket| {
            let mut buffer = [0; 65_536];
            loop {
                let (count, from) = socket.recv_from(&mut buffer)?;
                if let Some(from) = from.as_pathname() {
                    socket.send_to(&buffer[..count], from)?;
                }
            }
        }),
        Some(Kind::Udp) => UdpSocket::bind(place).and_then(|socket| {
            let mut buffer = [0; 65_536];
            loop {
                let (count, from) = socket.recv_from(&mut buffer)?;
                socket.send_to(&buffer[..count], from)?;
            }
        }),
        None => return ExitCode::FAILURE,
    };
    ended(place, result)
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

fn copy(stream: &mut (impl Read + Write)) {
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..count]).is_err() {
            return;
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

/// The pipe that a document names first thing.
fn reply_pipe(document: &[u8]) -> PathBuf {
    let name = document.split(|byte| *byte == b'"').nth(3);
    let name = String::from_utf8_lossy(name.unwrap_or_default());
    Path::new("/tmp").join(name.as_ref())
}
