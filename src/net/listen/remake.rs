//! Sockets and pipes that somebody has deleted while the server runs are made again.
//!
//! The system tells of it: the files are watched, and a signal wakes a process that
//! waits. So nothing is done for it on the way of a request.

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

/// Seconds until a file that could not be made again is tried once more.
const AGAIN: u32 = 5;

/// Watches files for being deleted or moved away.
#[derive(Debug)]
struct Watch(OwnedFd);

impl Watch {
    /// None where the system offers none: too many have one already.
    fn start() -> Option<Self> {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        inotify::init(flags).ok().map(Watch)
    }

    /// Watches the file that is at this path now. Its attributes change when its
    /// name goes, even if it is still open.
    fn add(&self, path: &Path) -> io::Result<()> {
        let flags = WatchFlags::ATTRIB
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF
            | WatchFlags::DONT_FOLLOW;
        inotify::add_watch(&self.0, path, flags)?;
        Ok(())
    }

    /// Takes what it has to tell; all that matters is that there was something.
    fn drain(&self) {
        let mut buffer = [0; 1024];
        while rustix::io::read(&self.0, &mut buffer).is_ok_and(|count| count > 0) {}
    }
}

/// What a handler needs to make its files again.
#[derive(Debug)]
pub(crate) struct Remaker {
    watch: Watch,
    owner: Owner,
    teller: Teller,
}

impl Remaker {
    /// None where the system does not tell what becomes of the files.
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

    /// From now on a signal wakes this process when a file goes.
    pub(crate) fn start(&self) {
        if let Err(error) = wake::on_input(self.watch.0.as_fd()) {
            log_limited!(Warning, "files that are deleted are not noticed: {error}");
        }
    }

    /// What was noticed is being looked at.
    pub(crate) fn drain(&self) {
        self.watch.drain();
    }

    /// Makes the file with this number of a place that is not there any more, and
    /// opens it. None where it is there, or where somebody else has put another.
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
