//! Sockets and pipes in the file system: made in place of a stale one, and
//! removed again if they are still ours.

use std::fs::{self, FileType};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use kamailio_core::{Error, log};
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
    /// Remembers the file that was just made at `path`.
    pub(crate) fn at(path: &Path) -> Result<Self, Error> {
        let made = fs::symlink_metadata(path)
            .map_err(|error| Error::new(format!("cannot find {}: {error}", path.display())))?;
        Ok(OwnedFile {
            path: path.to_owned(),
            device: made.dev(),
            inode: made.ino(),
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

/// Whether a stream socket is alive; one whose owner is too busy to accept is.
fn is_listened_on(path: &Path) -> bool {
    let connected = Socket::new(Domain::UNIX, Type::STREAM, None).and_then(|socket| {
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    });
    match connected {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

/// Makes room for a file of one type: one that a crashed server left behind
/// goes, any other file stays.
pub(crate) fn clear_place(path: &Path, is_kind: fn(&FileType) -> bool) -> Result<(), Error> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(Error::new(format!(
                "cannot look at {}: {error}",
                path.display()
            )));
        }
    };
    if !is_kind(&found.file_type()) {
        return Err(Error::new(format!(
            "{} exists and is something else; remove it or choose another path",
            path.display()
        )));
    }
    if is_listened_on(path) {
        log!(
            Warning,
            "{} is in use; whoever listens there, another process or an earlier parameter, loses it now",
            path.display()
        );
    }
    fs::remove_file(path)
        .map_err(|error| Error::new(format!("cannot remove the old {}: {error}", path.display())))
}
