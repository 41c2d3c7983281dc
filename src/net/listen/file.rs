//! Sockets and pipes in the file system, which replace stale ones when they are made,
//! and are removed if they are still ours.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process;

use kamailio_core::{Error, log};
use rustix::fs::{FileType, fstat};
use rustix::process::geteuid;

use super::users::{Use, use_of};

/// A file that belongs to a listener.
///
/// The main process removes it when the server ends, unless somebody has put another
/// file in its place.
#[derive(Clone, Debug)]
pub(crate) struct OwnedFile {
    path: PathBuf,
    id: FileId,
}

/// The identity of a file, which distinguishes it from earlier or later ones at its
/// path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

impl OwnedFile {
    /// The file that was just made at `path` and then opened there as `opened`, if the
    /// two are the same. A user who may write to the directory could have put another
    /// one in its place.
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
            id: FileId {
                device: found.st_dev,
                inode: found.st_ino,
            },
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn id(&self) -> FileId {
        self.id
    }

    /// The file after it was deleted and recreated.
    pub(crate) fn made_again(&self, id: FileId) -> Self {
        OwnedFile {
            path: self.path.clone(),
            id,
        }
    }

    /// Removes the file, if it is still the one that was made.
    pub(crate) fn remove(&self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| found.dev() == self.id.device && found.ino() == self.id.inode);
        if !is_ours {
            return;
        }
        if let Err(error) = fs::remove_file(&self.path) {
            log!(Error, "cannot remove {}: {error}", self.path.display());
        }
    }
}

/// Makes room for a socket or a pipe. One of either kind that a crashed server left
/// behind is removed, because it keeps nothing. Any other file stays.
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
    match use_of(path) {
        Use::Stale => {}
        Use::By(processes) if processes.contains(&process::id()) => log!(
            Warning,
            "{} is in use: an earlier parameter names it, and what listens there loses it now",
            path.display()
        ),
        Use::By(processes) => return Err(in_use(path, &processes)),
    }
    fs::remove_file(path)
        .map_err(|error| Error::new(format!("cannot remove the old {}: {error}", path.display())))
}

/// The error for a file in use. A server that was started twice by mistake must not
/// take the files of the running one.
fn in_use(path: &Path, processes: &[u32]) -> Error {
    let whose = match processes {
        [] => "another process".to_owned(),
        [process, ..] => format!("process {process}"),
    };
    Error::new(format!(
        "{} is in use by {whose}; if that is this server, it runs already; else end that process or \
         choose another path",
        path.display()
    ))
}
