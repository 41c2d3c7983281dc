//! Finding the processes that have a socket or a pipe in the file system open.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use kamailio_core::peers;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

/// Whether a process listens at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// No process does, so the file was left behind.
    Stale,
    /// These processes do, as far as the system tells.
    By(Vec<u32>),
}

/// Finds out who listens at a socket or reads from a pipe.
pub(crate) fn use_of(path: &Path) -> Use {
    let Ok(found) = fs::symlink_metadata(path) else {
        return Use::Stale;
    };
    if found.file_type().is_fifo() {
        return match is_read_from(path) {
            true => Use::By(processes_with(|file| is_same(file, &found))),
            false => Use::Stale,
        };
    }
    match connect(path) {
        Connected::Nobody => Use::Stale,
        Connected::To(Some(process)) => Use::By(vec![process]),
        Connected::To(None) => Use::By(processes_at(path)),
    }
}

enum Connected {
    Nobody,
    /// A process listens. The system tells its number for a stream.
    To(Option<u32>),
}

/// Tries whether a process listens on a socket, even if the process is too busy to
/// accept, or the socket is of another type.
fn connect(path: &Path) -> Connected {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let connected =
        socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).and_then(|socket| {
            rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
            Ok(peers::process_of(socket.as_fd()))
        });
    match connected {
        Ok(process) => Connected::To(process.and_then(|process| process.pid)),
        Err(Errno::AGAIN | Errno::PROTOTYPE) => Connected::To(None),
        Err(_) => Connected::Nobody,
    }
}

/// Whether a process reads from a pipe.
fn is_read_from(path: &Path) -> bool {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty()).is_ok()
}

/// The processes that have the socket of this path, for which there is no system call.
fn processes_at(path: &Path) -> Vec<u32> {
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let links: Vec<PathBuf> = sockets
        .lines()
        .filter_map(|line| socket_link(line, path))
        .collect();
    processes_with(|file| fs::read_link(file).is_ok_and(|link| links.contains(&link)))
}

/// The text to which a descriptor of the socket in this line of `/proc/net/unix` links,
/// if the socket is bound to the path.
fn socket_link(line: &str, path: &Path) -> Option<PathBuf> {
    let mut rest = line;
    let mut inode = "";
    for _ in 0..7 {
        (inode, rest) = rest.trim_start().split_once(' ')?;
    }
    let bound = rest;
    (Path::new(bound) == path).then(|| format!("socket:[{inode}]").into())
}

fn is_same(file: &Path, other: &fs::Metadata) -> bool {
    fs::metadata(file).is_ok_and(|file| file.dev() == other.dev() && file.ino() == other.ino())
}

/// The processes with such a descriptor, among those that we may inspect.
fn processes_with(is_such: impl Fn(&Path) -> bool) -> Vec<u32> {
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has_such = |number: &u32| {
        let files = fs::read_dir(format!("/proc/{number}/fd"));
        let mut files = files.into_iter().flatten().flatten();
        files.any(|file| is_such(&file.path()))
    };
    let mut found: Vec<u32> = numbers.filter(has_such).collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixDatagram, UnixListener};

    use rustix::fs::mkfifoat;

    use super::*;

    /// The path of a single test, which is removed at its end.
    struct Own(PathBuf);

    impl Own {
        fn new(name: &str) -> Self {
            let name = format!("ksr-users-{name}-{}", std::process::id());
            Own(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Own {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn us() -> Use {
        Use::By(vec![std::process::id()])
    }

    #[test]
    fn a_listener_is_told_from_what_it_left_behind() {
        let own = Own::new("stream");
        let listener = UnixListener::bind(&own.0).expect("a new name");
        assert_eq!(use_of(&own.0), us());
        drop(listener);
        assert_eq!(use_of(&own.0), Use::Stale);
    }

    #[test]
    fn so_is_a_socket_for_datagrams() {
        let own = Own::new("datagram");
        let socket = UnixDatagram::bind(&own.0).expect("a new name");
        assert_eq!(use_of(&own.0), us());
        drop(socket);
        assert_eq!(use_of(&own.0), Use::Stale);
    }

    #[test]
    fn so_is_a_pipe() {
        let own = Own::new("pipe");
        mkfifoat(CWD, &own.0, Mode::RUSR | Mode::WUSR).expect("a new name");
        assert_eq!(use_of(&own.0), Use::Stale);
        let reader = openat(CWD, &own.0, OFlags::RDWR, Mode::empty()).expect("a pipe");
        assert_eq!(use_of(&own.0), us());
        drop(reader);
        assert_eq!(use_of(&own.0), Use::Stale);
    }

    #[test]
    fn a_line_of_the_system() {
        let line = "0000000000000000: 00000002 00000000 00000000 0002 01 66133 /tmp/with blank";
        let link = socket_link(line, Path::new("/tmp/with blank"));
        assert_eq!(link, Some(PathBuf::from("socket:[66133]")));
        assert_eq!(socket_link(line, Path::new("/tmp/with")), None);
        assert_eq!(socket_link("Num RefCount", Path::new("/tmp")), None);
    }
}
