//! Who may use a socket in the file system.

use std::os::fd::AsFd;
use std::path::Path;

use kamailio_core::{Error, server};
use rustix::fs::{AtFlags, Gid, Mode, Uid, chownat, fchmod};
use rustix::io::Errno;
use rustix::process::umask;

/// Mode, user and group of a Unix socket or a named pipe. What is not given
/// stays as the system makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Permission bits, such as `0o600`.
    pub mode: Option<u32>,
    /// The number of the user.
    pub user: Option<u32>,
    /// The number of the group.
    pub group: Option<u32>,
}

impl Owner {
    /// The same, with the core's own socket user and group where there is none.
    #[must_use]
    pub fn or_core(self) -> Self {
        let (user, group) = server::socket_owner();
        Owner {
            mode: self.mode,
            user: self.user.or(user),
            group: self.group.or(group),
        }
    }

    /// Gives a file its user and group. It is known by what is open, for the path
    /// may lead to another by now.
    pub(crate) fn give(self, file: impl AsFd, path: &Path) -> Result<(), Error> {
        if self.user.is_none() && self.group.is_none() {
            return Ok(());
        }
        let user = self.user.map(Uid::from_raw);
        let group = self.group.map(Gid::from_raw);
        chownat(file, "", user, group, AtFlags::EMPTY_PATH)
            .map_err(|error| cannot_change("user and group", path, error))
    }

    /// Gives an open file its mode, or a socket the mode of the file that binding
    /// it will make.
    pub(crate) fn permit(self, file: impl AsFd, path: &Path) -> Result<(), Error> {
        let Some(mode) = self.mode else {
            return Ok(());
        };
        fchmod(file, Mode::from_raw_mode(mode)).map_err(|error| cannot_change("mode", path, error))
    }
}

fn cannot_change(what: &str, path: &Path, error: Errno) -> Error {
    Error::new(format!(
        "cannot change the {what} of {}: {error}",
        path.display()
    ))
}

/// Runs `make`, so that of the permissions which it asks for it gets all but
/// these.
pub(crate) fn with_umask<R>(without: u32, make: impl FnOnce() -> R) -> R {
    let before = umask(Mode::from_raw_mode(without));
    let made = make();
    umask(before);
    made
}
