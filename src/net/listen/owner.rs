//! The access to a socket in the file system.

use std::fmt;
use std::os::fd::AsFd;
use std::path::Path;

use kamailio_core::{Error, log, server};
use rustix::fs::{AtFlags, Gid, Mode, Uid, chownat, fchmod};
use rustix::io::Errno;
use rustix::process::umask;

/// The mode, the user and the group of a Unix socket or a named pipe. What is not given
/// stays as the system makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The permission bits, such as `0o600`.
    pub(crate) mode: Option<u32>,
    pub(crate) user: Option<Wanted>,
    pub(crate) group: Option<Wanted>,
}

/// A user or a group that a file shall have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: u32,
    pub(crate) by: By,
    /// Whether the server must not start without it.
    pub(crate) is_needed: bool,
}

/// The setting that asks for a user or a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A parameter of the module asks for it.
    Parameter(&'static str),
    /// The server's own `user` or `group`, or the option `-u` or `-g`, asks for it.
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
    /// This owner, with the user and the group as which the server runs if it has none.
    /// The server can do without these: it may be started with too few privileges to
    /// give files away, and with enough to change its user.
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

    /// This owner, but the file may also do without, because a server may have had more
    /// rights when it started.
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

    /// Gives a file its group. The file is identified by a descriptor, because the path
    /// may lead to another file by now.
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

    /// Gives a file its user. This must come last, because a process that has given a
    /// file away may have no right to change it any more.
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

    /// Gives an open file its mode, or a socket the mode of the file that binding it
    /// will make.
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
    /// The consequences of an attempt to give a file to it.
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

/// Runs `make` with a mask, so that it gets all permissions for which it asks except
/// these.
pub(crate) fn with_umask<R>(without: u32, make: impl FnOnce() -> R) -> R {
    let before = umask(Mode::from_raw_mode(without));
    let made = make();
    umask(before);
    made
}
