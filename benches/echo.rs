//! The floor: a process that does nothing but send back what it gets.

use std::env;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Child, Command, ExitCode};

use harness::binrpc::Client;
use harness::server::{free_port, short_directory};
use harness::wait;
use rustix::process::Pid;
use tempfile::TempDir;

use crate::servers::{KINDS, Kind};

/// A running echo.
pub(crate) struct Echo {
    kind: Kind,
    directory: TempDir,
    port: u16,
    child: Child,
}

impl Echo {
    pub(crate) fn start(kind: Kind) -> Self {
        let directory = short_directory();
        let port = free_port();
        let path = directory.path().join("echo");
        let place = match kind {
            Kind::UnixStream | Kind::UnixDatagram => path.display().to_string(),
            Kind::Tcp | Kind::Udp => format!("127.0.0.1:{port}"),
        };
        let program = env::current_exe().expect("this program has a path");
        let child = Command::new(program)
            .args(["echo", kind.name(), &place])
            .spawn()
            .expect("this program can be started again");
        Echo {
            kind,
            directory,
            port,
            child,
        }
    }

    pub(crate) fn client(&self) -> Client {
        let path = self.directory.path().join("echo");
        wait::for_some(|| Client::try_connect(self.kind.address(path.clone(), self.port)).ok())
            .expect("the echo listens")
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
    let kind = KINDS.into_iter().find(|known| known.name() == kind);
    let ended = match kind {
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
    match ended {
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
