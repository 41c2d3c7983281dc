//! Who may use a socket in the file system.

use std::fmt;
use std::os::fd::AsFd;
use std::path::Path;

use kamailio_core::{Error, log, server};
use rustix::fs::{AtFlags, Gid, Mode, Uid, chownat, fchmod};
use rustix::io::Errno;
use rustix::process::umask;

/// Mode, user and group of a Unix socket or a named pipe. What is not given
/// stays as the system makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Permission bits, such as `0o600`.
    pub(crate) mode: Option<u32>,
    pub(crate) user: Option<Wanted>,
    pub(crate) group: Option<Wanted>,
}

/// A user or a group that a file is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: u32,
    pub(crate) by: By,
    /// Whether the server may not start without it.
    pub(crate) is_needed: bool,
}

/// Where a user or a group is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// In a parameter of the module.
    Parameter(&'static str),
    /// In the server's own `user` or `group`, or the option `-u` or `-g`.
    Server,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(f, "parameter {name}"),
            Self::Server => f.write_str("the server's own user and group"),
        }
    }
}

impl Owner {
    /// The same, with the user and the group that the server works as where no
    /// other is asked for. The server can do without: it may be started with too
    /// few privileges to give files away, and with enough to change its user.
    pub(crate) fn or_servers(self) -> Self {
        let (user, group) = server::socket_owner();
        let wanted = |id| Wanted {
            id,
            by: By::Server,
            is_needed: false,
        };
        Owner {
            mode: self.mode,
            user: self.user.or(user.map(wanted)),
            group: self.group.or(group.map(wanted)),
        }
    }

    /// The same, but the file may also do without: for a server that was allowed
    /// more when it started.
    pub(crate) fn if_possible(self) -> Self {
        let not_needed = |wanted: Wanted| Wanted {
            is_needed: false,
            ..wanted
        };
        Owner {
            mode: self.mode,
            user: self.user.map(not_needed),
            group: self.group.map(not_needed),
        }
    }

    /// Gives a file its group. It is known by what is open, for the path may lead
    /// to another by now.
    pub(crate) fn give_group(self, file: impl AsFd, path: &Path) -> Result<(), Error> {
        let Some(group) = self.group else {
            return Ok(());
        };
        let changed = chownat(
            file,
            "",
            None,
            Some(Gid::from_raw(group.id)),
            AtFlags::EMPTY_PATH,
        );
        group.settle("group", path, changed)
    }

    /// Gives a file its user. This comes last, for whoever gives a file away may
    /// have no right to change it any more.
    pub(crate) fn give_user(self, file: impl AsFd, path: &Path) -> Result<(), Error> {
        let Some(user) = self.user else {
            return Ok(());
        };
        let changed = chownat(
            file,
            "",
            Some(Uid::from_raw(user.id)),
            None,
            AtFlags::EMPTY_PATH,
        );
        user.settle("user", path, changed)
    }

    /// Gives an open file its mode, or a socket the mode of the file that binding
    /// it will make.
    pub(crate) fn permit(self, file: impl AsFd, path: &Path) -> Result<(), Error> {
        let Some(mode) = self.mode else {
            return Ok(());
        };
        fchmod(file, Mode::from_raw_mode(mode)).map_err(|error| {
            Error::new(format!(
                "cannot change the mode of {}: {error}",
                path.display()
            ))
        })
    }
}

impl Wanted {
    /// What it means that a file could or could not be given to it.
    fn settle(self, what: &str, path: &Path, changed: Result<(), Errno>) -> Result<(), Error> {
        let Err(error) = changed else {
            return Ok(());
        };
        let Self { id, by, .. } = self;
        let path = path.display();
        if self.is_needed || error != Errno::PERM {
            return Err(Error::new(format!(
                "{by}: cannot change the {what} of {path} to {id}: {error}; \
                 only root may give files to others"
            )));
        }
        log!(
            Warning,
            "{by}: cannot change the {what} of {path} to {id}: {error}; the file keeps the {what} \
             of whoever started the server"
        );
        Ok(())
    }
}

/// Runs `make`, so that of the permissions which it asks for it gets all but
/// these.
pub(crate) fn with_umask<R>(without: u32, make: impl FnOnce() -> R) -> R {
    let before = umask(Mode::from_raw_mode(without));
    let made = make();
    umask(before);
    made
}
