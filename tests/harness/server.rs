//! A Kamailio that a test starts and stops.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rpc_wire::binrpc::client::Node;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::binrpc::{Address, Client};
use crate::builder::Builder;
use crate::modules::Flavor;
use crate::process;
use crate::wait;

/// The time that a server may take to end once no test needs it. It usually takes
/// milliseconds.
const PATIENCE_AT_THE_END: Duration = Duration::from_secs(3);

/// A running server. Dropping it stops it and removes its files.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pid: Pid,
    status: Option<ExitStatus>,
    directory: Directory,
    socket: &'static str,
    port: u16,
}

/// The directory of a server.
#[derive(Debug)]
pub(crate) enum Directory {
    Own(TempDir),
    Kept(PathBuf),
}

impl Directory {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Own(directory) => directory.path(),
            Self::Kept(directory) => directory,
        }
    }
}

impl Server {
    /// Describes a server that loads modules of this flavor.
    #[must_use]
    pub fn builder(flavor: Flavor) -> Builder {
        Builder::new(flavor)
    }

    /// Takes over a server that was just started.
    pub(crate) fn new(child: Child, directory: Directory, socket: &'static str, port: u16) -> Self {
        Self {
            pid: Pid::from_child(&child),
            child,
            status: None,
            directory,
            socket,
            port,
        }
    }

    /// The server's main process, which is also the number of its group.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Its SIP port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path of a file in its directory, which contains its sockets and at which
    /// relative paths start.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The path of its BINRPC socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path(self.socket)
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(self.path("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Connects to its BINRPC socket.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::connect(Address::UnixStream(self.socket()))
    }

    /// The process with this description, as `core.ps` shows it.
    ///
    /// # Panics
    ///
    /// There is none.
    #[must_use]
    pub fn process(&self, description: &str) -> Pid {
        let answer = self.client().call("core.ps", &[]);
        answer
            .values()
            .chunks_exact(2)
            .find(|process| process[1].as_str() == Some(description))
            .and_then(|process| Pid::from_raw(process[0].as_int()?))
            .unwrap_or_else(|| panic!("no process is called {description:?} among\n{answer}"))
    }

    /// The living processes of the server.
    #[must_use]
    pub fn processes(&self) -> Vec<Pid> {
        process::members_of(self.pid)
    }

    /// Sends it a signal.
    ///
    /// # Panics
    ///
    /// The server has ended and was waited for.
    pub fn signal(&self, signal: Signal) {
        assert!(self.status.is_none(), "the server has ended");
        kill_process(self.pid, signal).expect("a process that was not waited for takes signals");
    }

    /// Asks the server to end, and waits until all its processes have ended.
    ///
    /// # Panics
    ///
    /// It does not end.
    pub fn stop(&mut self) -> ExitStatus {
        if self.exit_status().is_none() {
            self.signal(Signal::TERM);
        }
        self.wait_exit()
    }

    /// Ends the server as a crash would, so that no process can do anything more.
    pub fn crash(&mut self) {
        process::kill_group(self.pid);
        let _ = self.wait_exit();
    }

    /// Waits until all its processes have ended.
    ///
    /// # Panics
    ///
    /// They do not end.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let ended = wait::for_some(|| {
            let status = self.exit_status()?;
            self.processes().is_empty().then_some(status)
        });
        ended.unwrap_or_else(|| panic!("the server does not end; its log:\n{}", self.log()))
    }

    /// The exit status of its main process, if that has ended.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self
                .child
                .try_wait()
                .expect("our own child can be waited for");
        }
        self.status
    }

    /// Whether all processes are set up. The main process takes this description after
    /// it has forked the others, and each of those has a status other than 0 once it is
    /// set up.
    pub(crate) fn all_processes_started(&self) -> Option<bool> {
        let mut client = Client::try_connect(Address::UnixStream(self.socket())).ok()?;
        let answer = client.try_call("core.psa", &[]).ok()?;
        let main = answer.values().first()?.get("description")?.as_str()?;
        let started = |process: &Node| process.get("status").and_then(Node::as_int) != Some(0);
        Some(main == "main process - attendant" && answer.values().iter().all(started))
    }
}

impl Drop for Server {
    /// It asks the server to end first, because that is what an operator does. Then it
    /// insists, because nothing of a test may outlive it.
    ///
    /// It is not a failure if it has to insist: a process of Kamailio's that is told to
    /// end while it holds the lock of the shared memory asks for that lock again in its
    /// signal handler, and then none of them ever ends.
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "the end of the server's log:\n{}",
                last_lines(&self.log(), 40)
            );
        }
        if self.exit_status().is_none() {
            let _ = kill_process(self.pid, Signal::TERM);
        }
        let ended = wait::for_some_within(PATIENCE_AT_THE_END, || {
            (self.exit_status().is_some() && self.processes().is_empty()).then_some(())
        });
        if ended.is_none() {
            process::kill_group(self.pid);
            let _ = self.child.wait();
        }
    }
}

/// A port that was free on UDP and TCP a moment ago.
///
/// It is not one of those that the system assigns to clients, because a test that opens
/// thousands of connections would take it before the server does.
///
/// # Panics
///
/// There is none.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let free = || {
        // Test programs that run at the same time start at different ports.
        let start = std::process::id().wrapping_mul(101);
        let offset = start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + offset).ok()?;
        UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some(port)
    };
    wait::for_some(free).expect("a free port")
}

/// A new directory with a short name, because the path of a socket has at most 107
/// bytes.
///
/// # Panics
///
/// It cannot be made.
#[must_use]
pub fn short_directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("ksr")
        .tempdir_in("/tmp")
        .expect("a directory in /tmp")
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
