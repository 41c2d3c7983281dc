//! System calls that fail while the server starts.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use harness::binrpc::{Address, Client};
use harness::builder::Builder;
use harness::failing::{FailingFromStart, is_possible};
use harness::modules::Flavor;
use harness::server::{Server, free_port, short_directory};
use harness::wait;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::everywhere::{Everywhere, Transport};

/// A parameter with an address, a call for it that fails, and the text in the log.
/// `{path}` stands for a file.
const PLACES: [(&str, &str, &str); 13] = [
    (
        UNIX,
        "socket:error=EMFILE",
        "cannot listen on unix:{path}: Too many open files",
    ),
    (
        UNIX,
        "bind:error=EACCES",
        "cannot listen on unix:{path}: Permission denied (os error 13); the server may not write there",
    ),
    (
        UNIX,
        "listen:error=EADDRINUSE",
        "cannot listen on unix:{path}: Address already in use (os error 98); another process uses it",
    ),
    (
        UNIX,
        "fchmod:error=EPERM",
        "cannot change the mode of {path}: Operation not permitted",
    ),
    (
        UNIX,
        "fchownat:error=EPERM",
        "parameter group: cannot change the group of {path} to 0: Operation not permitted",
    ),
    (
        PIPE,
        "mknodat:error=EROFS",
        "cannot listen on fifo:{path}: Read-only file system",
    ),
    (
        PIPE,
        "fchownat:error=EPERM",
        "parameter group: cannot change the group of {path} to 0: Operation not permitted",
    ),
    (
        PIPE,
        "fchmod:error=EPERM",
        "cannot change the mode of {path}: Operation not permitted",
    ),
    (
        TCP,
        "socket:error=EAFNOSUPPORT",
        "cannot listen on tcp:{address}: Address family not supported by protocol",
    ),
    (
        TCP,
        "setsockopt:error=ENOBUFS",
        "cannot listen on tcp:{address}: No buffer space available",
    ),
    (
        TCP,
        "bind:error=EADDRNOTAVAIL",
        "cannot listen on tcp:{address}: Cannot assign requested address (os error 99); this host does not have that address",
    ),
    (
        TCP,
        "listen:error=EADDRINUSE",
        "cannot listen on tcp:{address}: Address already in use (os error 98); another process uses it",
    ),
    (
        UDP,
        "bind:error=EADDRINUSE",
        "cannot listen on udp:{address}: Address already in use (os error 98); another process uses it",
    ),
];

const UNIX: &str = r#""binrpc", "unix:{path}""#;
const PIPE: &str = r#""fifo", "fifo:{path}""#;
const TCP: &str = r#""binrpc", "tcp:{address}""#;
const UDP: &str = r#""binrpc", "udp:{address}""#;

/// The address of a listener of each kind, in a directory of its own.
struct Listener {
    directory: TempDir,
    port: u16,
    parameter: &'static str,
}

impl Listener {
    fn new(parameter: &'static str) -> Self {
        Self {
            directory: short_directory(),
            port: free_port(),
            parameter,
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("place")
    }

    fn named(&self, text: &str) -> String {
        text.replace("{path}", &self.path().display().to_string())
            .replace("{address}", &format!("127.0.0.1:{}", self.port))
    }

    fn builder(&self) -> Builder {
        let parameter = self.named(self.parameter);
        Server::builder(Flavor::Rust)
            .directory(self.directory.path())
            .modules(["ctl"])
            .config(&format!(
                r#"
                modparam("ctl", {parameter})
                modparam("ctl", "binrpc", "unix:{{dir}}/kamailio_ctl")
                modparam("ctl", "mode", 0600)
                modparam("ctl", "user", "root")
                modparam("ctl", "group", "root")
                "#
            ))
    }

    /// The calls of a server's main process up to the first call for this listener.
    fn calls_before(&self) -> Vec<String> {
        let started = FailingFromStart::calls(&CALLS);
        let server = self.builder().launcher(started.launcher()).start();
        drop(server);
        let record = started.record();
        let main = record.split(' ').next().unwrap_or_default();
        let calls: Vec<&str> = record
            .lines()
            .filter_map(|line| line.strip_prefix(main))
            .map(str::trim_start)
            .collect();
        let is_ours = |line: &&str| {
            line.contains(&self.path().display().to_string())
                || line.contains(&format!("htons({})", self.port))
        };
        let made = calls.iter().position(is_ours).expect("it is made");
        let start = match self.parameter {
            PIPE => made,
            _ => (0..made)
                .rfind(|at| calls[*at].starts_with("socket("))
                .expect("a socket"),
        };
        calls[..start]
            .iter()
            .map(|call| (*call).to_owned())
            .collect()
    }
}

/// The number of the main process's call that concerns a listener. The core makes some
/// of the same calls before.
fn number_of(call: &str, before: &[String]) -> usize {
    let same = |line: &&String| line.starts_with(&format!("{call}("));
    1 + before.iter().filter(same).count()
}

/// All calls that are counted.
const CALLS: [&str; 7] = [
    "socket",
    "setsockopt",
    "bind",
    "listen",
    "mknodat",
    "fchmod",
    "fchownat",
];

#[test]
fn a_place_that_cannot_be_made_ends_the_start_and_is_named() {
    if !is_possible() {
        return;
    }
    let before: HashMap<&str, Vec<String>> = [UNIX, PIPE, TCP, UDP]
        .into_iter()
        .map(|parameter| (parameter, Listener::new(parameter).calls_before()))
        .collect();
    for (parameter, fault, line) in PLACES {
        let listener = Listener::new(parameter);
        let call = fault.split(':').next().unwrap_or_default();
        let number = number_of(call, &before[parameter]);
        let fault = format!("{fault}:when={number}");
        let failing = FailingFromStart::calls(&[&fault]);
        let ended = listener
            .builder()
            .launcher(failing.launcher())
            .start_failing();
        let line = listener.named(line);
        assert!(ended.log.contains(&line), "{fault}: {line}: {}", ended.log);
        assert!(failing.count() > 0 && !ended.status.success(), "{fault}");
        assert!(!listener.path().exists(), "{fault} leaves a file behind");
    }
}

/// A socket is stopped right after it was made, and so is a pipe.
#[test]
fn what_is_exchanged_while_it_is_made_ends_the_start_and_stays() {
    if !is_possible() {
        return;
    }
    for (parameter, call) in [(UNIX, "bind"), (PIPE, "mknodat")] {
        let listener = Listener::new(parameter);
        let number = number_of(call, &Listener::new(parameter).calls_before());
        let stopping = FailingFromStart::calls(&[&format!("{call}:signal=SIGSTOP:when={number}")]);
        let log = thread::scope(|scope| {
            let start = || {
                listener
                    .builder()
                    .launcher(stopping.launcher())
                    .start_failing()
            };
            let started = scope.spawn(start);
            wait::until("it is stopped", || {
                stopping.record().contains("stopped by SIGSTOP")
            });
            fs::remove_file(listener.path()).expect("it was made");
            fs::write(listener.path(), "another").expect("a new file");
            let record = stopping.record();
            let main = record.split(' ').next().and_then(|pid| pid.parse().ok());
            let main = main.and_then(Pid::from_raw).expect("a process");
            kill_process(main, Signal::CONT).expect("it is there");
            started.join().expect("it ends").log
        });
        let line = listener.named("{path} was replaced while it was made");
        assert!(log.contains(&line), "{log}");
        assert_eq!(fs::read(listener.path()).expect("it stays"), b"another");
    }
}

#[test]
fn a_datagram_socket_does_without_more_room_for_what_is_not_read() {
    if !is_possible() {
        return;
    }
    let failing = FailingFromStart::calls(&["setsockopt:error=EPERM:when=1..2"]);
    let listener = Listener::new(r#""binrpc", "unixd:{path}""#);
    let server = listener.builder().launcher(failing.launcher()).start();
    let address = Address::UnixDatagram(listener.path());
    let answer = Client::connect(address).call("core.echo", &["all the same".into()]);
    assert_eq!(answer.values()[0].as_str(), Some("all the same"));
    drop(server);
    for option in ["SO_SNDBUFFORCE,", "SO_SNDBUF,"] {
        let refused = |line: &str| line.contains(option) && line.contains("(INJECTED)");
        assert!(
            failing.record().lines().any(refused),
            "{}",
            failing.record()
        );
    }
}

/// A process that serves connections raises the limit as far as it is allowed.
#[test]
fn a_handler_that_gets_no_more_descriptors_says_so_and_serves() {
    if !is_possible() {
        return;
    }
    // The first call reads the limit, and the second raises it.
    let failing = FailingFromStart::calls(&["prlimit64:error=EPERM:when=2"]);
    let lower = r#"ulimit -S -n 512 && exec "$0" "$@""#;
    let listener = Listener::new(UNIX);
    let server = listener
        .builder()
        .launcher(
            ["/bin/sh", "-c", lower]
                .into_iter()
                .chain(failing.launcher()),
        )
        .start();
    let line = " descriptors open: Operation not permitted";
    wait::until(line, || server.log().contains(line));
    let address = Address::UnixStream(listener.path());
    let answer = Client::connect(address).call("core.echo", &["all the same".into()]);
    assert_eq!(answer.values()[0].as_str(), Some("all the same"));
}

/// The process of a named pipe waits in a read of its own.
#[test]
fn a_pipe_that_cannot_be_opened_once_more_is_served_all_the_same() {
    if !is_possible() {
        return;
    }
    let everywhere = Everywhere::new();
    let seen = FailingFromStart::calls(&["openat"]);
    drop(everywhere.builder("").launcher(seen.launcher()).start());
    let record = seen.record();
    let opened = record
        .split_once("\"/proc/self/fd/")
        .and_then(|(_, rest)| rest.split_once('"'));
    let (descriptor, _) = opened.expect("the process opens its pipe");
    let everywhere = Everywhere::new();
    let path = Path::new("/proc/self/fd").join(descriptor);
    let failing = FailingFromStart::calls(&["openat:error=EACCES"]).for_file(&path);
    let server = everywhere.builder("").launcher(failing.launcher()).start();
    let mut client = everywhere.client(&server, Transport::JsonPipe);
    assert!(client.is_answered() && client.is_answered());
    assert!(failing.count() > 0, "{}", failing.record());
}
