//! Sockets and pipes in the file system: made in place of a stale one, and
//! removed again if they are still ours.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use kamailio_core::{Error, log};
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use rustix::process::geteuid;
use socket2::{Domain, SockAddr, Socket, Type};

/// A file that belongs to a listener.
///
/// It is removed when the server ends, by the main process, unless somebody
/// has put another in its place.
#[derive(Clone, Debug)]
pub(crate) struct OwnedFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl OwnedFile {
    /// The file that was just made at `path` and then opened there as `opened`,
    /// if that is it: whoever may write to the directory could have put another
    /// in its place.
    pub(crate) fn of(path: &Path, opened: impl AsFd, kind: FileType) -> Result<Self, Error> {
        let found = fstat(opened)
            .map_err(|error| Error::new(format!("cannot look at {}: {error}", path.display())))?;
        let is_ours = FileType::from_raw_mode(found.st_mode) == kind
            && found.st_uid == geteuid().as_raw()
            && found.st_nlink == 1;
        if !is_ours {
            return Err(Error::new(format!(
                "{} was replaced while it was made",
                path.display()
            )));
        }
        Ok(OwnedFile {
            path: path.to_owned(),
            device: found.st_dev,
            inode: found.st_ino,
        })
    }

    /// Removes it, if it is still the one that was made.
    pub(crate) fn remove(&self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| found.dev() == self.device && found.ino() == self.inode);
        if !is_ours {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            log!(Error, "cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Whether somebody listens on a socket, be its owner too busy to accept, or be
/// it of another type.
fn is_listened_on(path: &Path) -> bool {
    let connected = Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    });
    match connected {
        Ok(()) => true,
        Err(error) => {
            let code = error.raw_os_error();
            [Errno::AGAIN, Errno::PROTOTYPE]
                .iter()
                .any(|alive| Some(alive.raw_os_error()) == code)
        }
    }
}

/// Whether somebody reads from a pipe.
fn is_read_from(path: &Path) -> bool {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(CWD, path, flags, Mode::empty()).is_ok()
}

/// Makes room for a socket or a pipe: one of either kind that a crashed server
/// left behind goes, for nothing is kept in them. Any other file stays.
pub(crate) fn clear_place(path: &Path) -> Result<(), Error> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(Error::new(format!(
                "cannot look at {}: {error}",
                path.display()
            )));
        }
    };
    if !found.is_socket() && !found.is_fifo() {
        return Err(Error::new(format!(
            "{} exists and is something else; remove it or choose another path",
            path.display()
        )));
    }
    if (found.is_socket() && is_listened_on(path)) || (found.is_fifo() && is_read_from(path)) {
        log!(
            Warning,
            "{} is in use; whoever listens there, another process or an earlier parameter, loses it now",
            path.display()
        );
    }
    fs::remove_file(path)
        .map_err(|error| Error::new(format!("cannot remove the old {}: {error}", path.display())))
}
