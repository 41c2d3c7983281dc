//! Who may use a socket in the file system.

use std::path::Path;

use kamailio_core::{Error, server};
use rustix::fs::AtFlags;
use rustix::fs::{CWD, Gid, Mode, Uid, chmod, chownat};
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

    /// Runs `make` so that the file it makes is nobody else's until
    /// [`apply`](Self::apply) says whose it is.
    pub(crate) fn while_closed<R>(self, make: impl FnOnce() -> R) -> R {
        if self.mode.is_none() {
            return make();
        }
        let before = umask(Mode::from_raw_mode(0o177));
        let made = make();
        umask(before);
        made
    }

    /// Gives the file this owner. The user and the group go first: a mode that
    /// admits a group is meant for the new one.
    pub(crate) fn apply(self, path: &Path) -> Result<(), Error> {
        let failed = |what: &str, error: rustix::io::Errno| {
            Error::new(format!(
                "cannot change the {what} of {}: {error}",
                path.display()
            ))
        };
        if self.user.is_some() || self.group.is_some() {
            let user = self.user.map(Uid::from_raw);
            let group = self.group.map(Gid::from_raw);
            chownat(CWD, path, user, group, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|error| failed("user and group", error))?;
        }
        if let Some(mode) = self.mode {
            chmod(path, Mode::from_raw_mode(mode)).map_err(|error| failed("mode", error))?;
        }
        Ok(())
    }
}
