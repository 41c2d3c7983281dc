//! Reading from /proc about the processes of a server.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, setrlimit};

/// The part of a process's `stat` line that is needed.
struct Stat {
    state: char,
    group: i32,
}

/// The living members of a process group.
///
/// A zombie counts as dead. It only waits for its parent, which may take its time, and
/// in a container may never care for orphans.
#[must_use]
pub fn members_of(group: Pid) -> Vec<Pid> {
    all()
        .filter(|&pid| {
            stat(pid).is_some_and(|stat| stat.group == group.as_raw_pid() && stat.state != 'Z')
        })
        .collect()
}

/// Kills a process group at once, whether or not any of it is left.
pub fn kill_group(group: Pid) {
    // This fails if the group is gone already, which is just as well.
    let _ = kill_process_group(group, Signal::KILL);
}

/// The number of descriptors that a process has open.
///
/// # Panics
///
/// There is no such process, or it is another user's.
#[must_use]
pub fn open_files(pid: Pid) -> usize {
    fs::read_dir(proc(pid).join("fd"))
        .unwrap_or_else(|error| panic!("the descriptors of process {pid:?}: {error}"))
        .count()
}

/// The files that a process has mapped into its memory, each once.
///
/// # Panics
///
/// There is no such process, or it is another user's.
#[must_use]
pub fn mapped_files(pid: Pid) -> Vec<PathBuf> {
    let maps = fs::read_to_string(proc(pid).join("maps"))
        .unwrap_or_else(|error| panic!("the memory of process {pid:?}: {error}"));
    let path = |line: &str| line.find('/').map(|at| PathBuf::from(&line[at..]));
    let files: BTreeSet<PathBuf> = maps.lines().filter_map(path).collect();
    files.into_iter().collect()
}

/// Raises this process's limit of descriptors as far as the system allows, for tests
/// that open thousands of connections.
///
/// # Panics
///
/// The system allows fewer than `wanted`.
pub fn allow_open_files(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    let enough = limit.maximum.is_none_or(|maximum| maximum >= wanted);
    assert!(enough, "{wanted} descriptors are needed, not {limit:?}");
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("up to the maximum is allowed");
}

/// The user and the group with whose rights a process runs.
///
/// # Panics
///
/// There is no such process.
#[must_use]
pub fn owner(pid: Pid) -> (u32, u32) {
    let effective = |field| {
        let ids = status_line(pid, field);
        let id = ids.split_whitespace().nth(1).and_then(|id| id.parse().ok());
        id.unwrap_or_else(|| panic!("process {pid:?} has the {field} {ids:?}"))
    };
    (effective("Uid:"), effective("Gid:"))
}

/// The memory of a process that is in RAM, in KiB.
///
/// # Panics
///
/// There is no such process.
#[must_use]
pub fn resident_kib(pid: Pid) -> u64 {
    status(pid, "VmRSS:")
}

/// The part of that memory which is the process's own, in KiB. What it has touched of
/// files and of the server's shared memory is not counted.
///
/// # Panics
///
/// There is no such process.
#[must_use]
pub fn private_kib(pid: Pid) -> u64 {
    status(pid, "RssAnon:")
}

/// The largest value of [`private_kib`] since [`forget_peak`], in KiB. It may be a
/// little too small, because what the process has touched of files and of shared memory
/// since then is subtracted.
///
/// # Panics
///
/// There is no such process.
#[must_use]
pub fn private_peak_kib(pid: Pid) -> u64 {
    let shared = resident_kib(pid).saturating_sub(private_kib(pid));
    let peak = status(pid, "VmHWM:").saturating_sub(shared);
    peak.max(private_kib(pid))
}

/// Resets the peak of a process's memory to the present value.
///
/// # Panics
///
/// There is no such process, or it is another user's.
pub fn forget_peak(pid: Pid) {
    fs::write(proc(pid).join("clear_refs"), "5")
        .unwrap_or_else(|error| panic!("the peak of process {pid:?}: {error}"));
}

/// The address space of a process in KiB, whether or not there is memory behind it.
///
/// # Panics
///
/// There is no such process.
#[must_use]
pub fn virtual_kib(pid: Pid) -> u64 {
    status(pid, "VmSize:")
}

fn status(pid: Pid, field: &str) -> u64 {
    let value = status_line(pid, field);
    let number = value.split_whitespace().next().map(str::parse);
    match number {
        Some(Ok(number)) => number,
        _ => panic!("process {pid:?} has the {field} {value:?}"),
    }
}

fn status_line(pid: Pid, field: &str) -> String {
    let status = fs::read_to_string(proc(pid).join("status"))
        .unwrap_or_else(|error| panic!("the status of process {pid:?}: {error}"));
    let value = status.lines().find_map(|line| line.strip_prefix(field));
    value
        .unwrap_or_else(|| panic!("process {pid:?} has no {field} and is dead"))
        .to_owned()
}

fn all() -> impl Iterator<Item = Pid> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
}

/// The fields follow the name, which is in parentheses and may contain anything.
fn stat(pid: Pid) -> Option<Stat> {
    let line = fs::read_to_string(proc(pid).join("stat")).ok()?;
    let (_, fields) = line.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?.chars().next()?;
    let _parent = fields.next()?;
    let group = fields.next()?.parse().ok()?;
    Some(Stat { state, group })
}

fn proc(pid: Pid) -> PathBuf {
    Path::new("/proc").join(pid.as_raw_pid().to_string())
}
