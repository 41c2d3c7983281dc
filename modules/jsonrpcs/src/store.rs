//! Answers that are written into files.
//!
//! A client names the file. So it must be below the directory that the operator has set
//! aside, and the way there must not lead through a link.

use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::{ffi::OsStr, fs::File, io::Write};

use kamailio::core::Error;
use kamailio::log;
use rustix::fs::{CWD, FallocateFlags, FileType, Mode, OFlags, fallocate, fstat, openat};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::{Resource, getrlimit};

/// The directory `store_dir`.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    /// The directory, which is opened once, so that all files are below the same one
    /// even if its name changes.
    directory: Option<OwnedFd>,
}

/// A file for an answer.
#[derive(Debug)]
pub(crate) struct StoredFile {
    name: String,
    file: File,
}

impl Store {
    pub(crate) fn new(path: &Path) -> Self {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, path, flags, Mode::empty());
        if let Err(error) = &directory {
            log!(
                Error,
                "the directory {} of store_dir cannot be used: {error}",
                path.display()
            );
        }
        Store {
            path: path.to_owned(),
            directory: directory.ok(),
        }
    }

    /// Opens or creates the file. Its contents stay until the answer is there.
    ///
    /// # Errors
    /// The file is not below the directory, or cannot be written.
    pub(crate) fn file(&self, path: &[u8]) -> Result<StoredFile, Error> {
        let name = String::from_utf8_lossy(path).into_owned();
        let failed =
            |reason: &dyn std::fmt::Display| Error::new(format!("cannot write {name:?}: {reason}"));
        let path = Path::new(OsStr::from_bytes(path));
        let below = if path.is_absolute() {
            path.strip_prefix(&self.path)
        } else {
            Ok(path)
        };
        let outside = format!("it is not below {}", self.path.display());
        let below = below.map_err(|_| failed(&outside))?;
        let directory = self
            .directory
            .as_ref()
            .ok_or_else(|| failed(&"the directory of store_dir cannot be used"))?;
        // A pipe without a reader would block everybody.
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o640);
        let file = open_below(directory, below, flags, mode).map_err(|error| match error {
            Errno::XDEV => failed(&outside),
            Errno::LOOP => failed(&"the way there is a symbolic link"),
            error => failed(&error),
        })?;
        let found = fstat(&file).map_err(|error| failed(&error))?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(failed(&"it is not a file"));
        }
        if found.st_nlink != 1 {
            return Err(failed(&"it has more names than this one"));
        }
        Ok(StoredFile {
            file: File::from(file),
            name,
        })
    }
}

/// Opens a file step by step from a directory, so that no link leads out of it.
///
/// One call of openat2 would do it, but older systems and many filters for system calls
/// lack it.
fn open_below(
    directory: &OwnedFd,
    below: &Path,
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let name = below.file_name().ok_or(Errno::XDEV)?;
    let mut reached: Option<OwnedFd> = None;
    for step in below.parent().iter().flat_map(|way| way.components()) {
        let step = match step {
            Component::Normal(step) => step,
            Component::CurDir => continue,
            _ => return Err(Errno::XDEV),
        };
        let look = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let next = openat(
            reached.as_ref().unwrap_or(directory),
            step,
            look,
            Mode::empty(),
        )?;
        if FileType::from_raw_mode(fstat(&next)?.st_mode) == FileType::Symlink {
            return Err(Errno::LOOP);
        }
        reached = Some(next);
    }
    let flags = flags | OFlags::NOFOLLOW;
    openat(reached.as_ref().unwrap_or(directory), name, flags, mode)
}

impl StoredFile {
    /// Makes this the file's content. If the disk has no space for it the file stays as
    /// it is; half an answer is never left.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(&self, answer: &[u8]) -> Result<(), Error> {
        self.make_room(answer.len() as u64)
            .map_err(std::io::Error::from)
            .and_then(|()| self.replace(answer))
            .map_err(|error| Error::new(format!("cannot write {:?}: {error}", self.name)))
    }

    /// Reserves space on the disk while the old content is still there.
    fn make_room(&self, len: u64) -> Result<(), Errno> {
        // A write beyond this limit would not fail but end the process.
        let limit = getrlimit(Resource::Fsize).current;
        if limit.is_some_and(|limit| len > limit) {
            return Err(Errno::FBIG);
        }
        match retry_on_intr(|| fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, len)) {
            // Some file systems cannot reserve space; then the write shows whether
            // there is enough.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            made => made,
        }
    }

    fn replace(&self, answer: &[u8]) -> std::io::Result<()> {
        let mut file = &self.file;
        let written = file
            .write_all(answer)
            .and_then(|()| file.set_len(answer.len() as u64));
        if written.is_err() {
            // If not even this works, there is nothing left to try.
            let _ = file.set_len(0);
        }
        written
    }
}
