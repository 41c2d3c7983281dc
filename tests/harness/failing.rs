//! System calls that fail on demand, in a running process or in a server from its
//! start.
//!
//! strace makes them fail. It is told in its own words: `CALL:error=ERRNO`, and with
//! `:when=1` only the first time, which counts in each process. Such a call only fails
//! and does nothing else.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::server::short_directory;
use crate::wait;

/// Whether this user can do that, which is root outside of a container that forbids it.
/// If not, it says so.
#[must_use]
pub fn is_possible() -> bool {
    let possible = geteuid().is_root() && may_trace();
    if !possible {
        eprintln!("NOT TESTED: only root can make system calls of a server fail");
    }
    possible
}

/// Whether this process has the capability CAP_SYS_PTRACE.
fn may_trace() -> bool {
    const SYS_PTRACE: u32 = 19;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    effective.is_some_and(|set| set >> SYS_PTRACE & 1 == 1)
}

/// A running process some of whose calls fail until this is dropped.
#[derive(Debug)]
pub struct Failing {
    strace: Child,
    record: Record,
}

impl Failing {
    /// Makes these calls of the process fail from now on.
    ///
    /// # Panics
    ///
    /// strace is not installed, or not allowed.
    #[must_use]
    pub fn calls(process: Pid, faults: &[&str]) -> Self {
        let record = Record::new();
        let mut strace = Command::new("strace")
            .args(record.options(faults))
            .args(["-p", &process.as_raw_pid().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("strace is installed");
        let mut said = BufReader::new(strace.stderr.take().expect("it is piped"));
        let mut line = String::new();
        let read = said.read_line(&mut line);
        strace.stderr = Some(said.into_inner());
        let failing = Self { strace, record };
        assert!(
            read.is_ok() && line.ends_with("attached\n"),
            "strace {process:?} {faults:?}: {line}"
        );
        failing
    }

    /// The number of calls that have failed so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.record.count()
    }

    /// What strace has written about these calls, and about the process's signals.
    #[must_use]
    pub fn record(&self) -> String {
        self.record.read()
    }

    /// Waits until this many calls have failed.
    ///
    /// # Panics
    ///
    /// They do not fail.
    pub fn wait_for(&self, count: usize) {
        wait::until("the system calls fail", || self.count() >= count);
    }
}

impl Drop for Failing {
    /// strace leaves the process as it is when it is told to end.
    fn drop(&mut self) {
        // This fails if strace has ended together with the process.
        let _ = kill_process(Pid::from_child(&self.strace), Signal::TERM);
        let _ = self.strace.wait();
    }
}

/// A server some of whose calls fail from its start, in each of its processes.
#[derive(Debug)]
pub struct FailingFromStart {
    record: Record,
    words: Vec<String>,
}

impl FailingFromStart {
    /// Makes these calls of a server fail.
    #[must_use]
    pub fn calls(faults: &[&str]) -> Self {
        let record = Record::new();
        let mut words: Vec<String> = ["strace", "-D", "-f"].map(str::to_owned).into();
        words.extend(record.options(faults));
        Self { record, words }
    }

    /// Only makes calls that concern this file fail.
    #[must_use]
    pub fn for_file(mut self, path: &Path) -> Self {
        self.words
            .extend(["-P".to_owned(), path.display().to_string()]);
        self
    }

    /// The command that starts the server. It becomes the server, whose group strace
    /// joins.
    pub fn launcher(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str)
    }

    /// The number of calls that have failed so far.
    #[must_use]
    pub fn count(&self) -> usize {
        self.record.count()
    }

    /// What strace has written about these calls, including those that did not fail.
    #[must_use]
    pub fn record(&self) -> String {
        self.record.read()
    }
}

/// The file in which strace records what it has done.
#[derive(Debug)]
struct Record(TempDir);

impl Record {
    fn new() -> Self {
        Self(short_directory())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("calls")
    }

    fn options(&self, faults: &[&str]) -> Vec<String> {
        let calls: Vec<&str> = faults.iter().map(|fault| call_of(fault)).collect();
        let mut options = vec![
            "-o".to_owned(),
            self.path().display().to_string(),
            "-e".to_owned(),
            format!("trace={}", calls.join(",")),
        ];
        // A call that is given without a fault is only recorded.
        for fault in faults.iter().filter(|fault| fault.contains(':')) {
            options.extend(["-e".to_owned(), format!("inject={fault}")]);
        }
        options
    }

    fn read(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path()).unwrap_or_default()).into_owned()
    }

    fn count(&self) -> usize {
        self.read().matches("(INJECTED)").count()
    }
}

fn call_of(fault: &str) -> &str {
    fault.split(':').next().unwrap_or(fault)
}
