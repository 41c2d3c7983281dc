//! Recreating sockets and pipes that somebody deletes while the server runs.
//!
//! The system reports it: the files are watched, and a signal wakes a process that
//! waits. So no request pays for it.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use kamailio_core::{Error, log, log_limited, wake};
use rpc_wire::listen::Place;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use super::endpoint::Endpoint;
use super::file::OwnedFile;
use super::files::{GroupFiles, Teller};
use super::listener::open_file;
use super::owner::Owner;

/// The seconds after which a file is tried again that could not be recreated.
const AGAIN: u32 = 5;

/// Watches files for being deleted or moved away.
#[derive(Debug)]
struct Watch(OwnedFd);

impl Watch {
    /// Starts watching. It returns `None` if the system provides no more watchers.
    fn start() -> Option<Self> {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        inotify::init(flags).ok().map(Watch)
    }

    /// Watches the file that is at this path now. Its attributes change when its name
    /// goes, even if it is still open.
    fn add(&self, path: &Path) -> io::Result<()> {
        let flags = WatchFlags::ATTRIB
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF
            | WatchFlags::DONT_FOLLOW;
        inotify::add_watch(&self.0, path, flags)?;
        Ok(())
    }

    /// Reads what was reported; all that matters is that there was something.
    fn drain(&self) {
        let mut buffer = [0; 1024];
        while rustix::io::read(&self.0, &mut buffer).is_ok_and(|count| count > 0) {}
    }
}

/// What a handler needs for recreating its files.
#[derive(Debug)]
pub(crate) struct Remaker {
    watch: Watch,
    owner: Owner,
    teller: Teller,
}

impl Remaker {
    /// Makes it for these files. It returns `None` if the system does not tell what
    /// becomes of them.
    pub(crate) fn new(owner: Owner, teller: Teller, files: &GroupFiles) -> Option<Self> {
        let watch = Watch::start()?;
        for path in files.paths() {
            if let Err(error) = watch.add(path) {
                log!(Warning, "{} is not watched: {error}", path.display());
            }
        }
        Some(Remaker {
            watch,
            owner,
            teller,
        })
    }

    /// Makes a signal wake this process from now on when a file goes.
    pub(crate) fn start(&self) {
        if let Err(error) = wake::on_input(self.watch.0.as_fd()) {
            log_limited!(Warning, "files that are deleted are not noticed: {error}");
        }
    }

    /// Notes that what was noticed is being handled.
    pub(crate) fn drain(&self) {
        self.watch.drain();
    }

    /// Recreates the file with this number if it is gone, and opens it. It returns
    /// `None` if the file is there, or if somebody has put another one in its place.
    pub(crate) fn remake(&self, index: usize, endpoint: &Endpoint) -> Option<OwnedFd> {
        let Place::Path(path) = &endpoint.listen.place else {
            return None;
        };
        let path = Path::new(path);
        let is_gone =
            fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if !is_gone {
            return None;
        }
        match self.make(endpoint, path) {
            Ok((opened, file)) => {
                self.teller.tell(index, file.id());
                log_limited!(Warning, "{endpoint} was deleted and is made again");
                Some(opened)
            }
            Err(error) => {
                log_limited!(
                    Error,
                    "{endpoint} was deleted and cannot be made again: {error}; it is tried every {AGAIN} seconds"
                );
                wake::after(AGAIN);
                None
            }
        }
    }

    fn make(&self, endpoint: &Endpoint, path: &Path) -> Result<(OwnedFd, OwnedFile), Error> {
        let (opened, file) = open_file(endpoint, path, self.owner.if_possible())?;
        if let Err(error) = self.watch.add(path) {
            log_limited!(
                Warning,
                "{endpoint} will not be made again once more if it is deleted: {error}"
            );
        }
        Ok((opened, file))
    }
}
