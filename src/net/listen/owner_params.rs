//! The owner of a socket as parameters of a module tell it.

use kamailio_core::{Error, log, server};

use super::file_mode::probably_meant;
use super::owner::{By, Owner, Wanted};

/// What a module calls its parameters for the mode, the user and the group.
#[derive(Clone, Copy, Debug)]
pub struct OwnerNames {
    /// The parameter for the mode.
    pub mode: &'static str,
    /// The parameter for the user.
    pub user: &'static str,
    /// The parameter for the group.
    pub group: &'static str,
}

/// What parameters for mode, user and group said so far, in any order.
#[derive(Clone, Copy, Debug)]
pub struct OwnerParams {
    names: OwnerNames,
    one_may_fail: bool,
    mode: Option<u32>,
    user: Option<u32>,
    /// The group as it is asked for.
    group: Option<u32>,
    /// The group that came with a user's name.
    users_group: Option<u32>,
}

impl OwnerParams {
    /// What holds unless parameters say otherwise.
    #[must_use]
    pub const fn new(names: OwnerNames, mode: u32) -> Self {
        OwnerParams {
            names,
            one_may_fail: false,
            mode: Some(mode),
            user: None,
            group: None,
            users_group: None,
        }
    }

    /// The same, but a server that may not give files away starts all the same
    /// where only a user or only a group is asked for.
    #[must_use]
    pub const fn one_may_fail(self) -> Self {
        OwnerParams {
            one_may_fail: true,
            ..self
        }
    }

    /// The owner that they make together, completed by the user and the group
    /// that the server works as. The core knows these two when it initializes
    /// modules, and not before.
    #[must_use]
    pub fn owner(self) -> Owner {
        let is_needed = !self.one_may_fail || (self.user.is_some() && self.group.is_some());
        let wanted = |id, parameter| Wanted {
            id,
            by: By::Parameter(parameter),
            is_needed,
        };
        let group = match (self.group, self.users_group) {
            (Some(group), _) => Some(wanted(group, self.names.group)),
            (None, Some(group)) => Some(wanted(group, self.names.user)),
            (None, None) => None,
        };
        let owner = Owner {
            mode: self.mode,
            user: self.user.map(|user| wanted(user, self.names.user)),
            group,
        };
        owner.or_servers()
    }

    /// The user and the group that parameters ask for, the group also where it came
    /// with a user's name.
    #[must_use]
    pub fn asked_for(&self) -> (Option<u32>, Option<u32>) {
        (self.user, self.group.or(self.users_group))
    }

    /// What its parameters are called.
    #[must_use]
    pub fn names(&self) -> OwnerNames {
        self.names
    }

    /// The mode; 0 leaves it as the system makes it.
    ///
    /// # Errors
    /// The number is no mode.
    pub fn set_mode(&mut self, mode: i32) -> Result<(), Error> {
        let bits = u32::try_from(mode).ok().filter(|bits| *bits <= 0o7777);
        let bits = bits.ok_or_else(|| {
            // As it is written, in octal, unless that makes no sense.
            let shown = match mode {
                ..0 => mode.to_string(),
                _ => format!("0{mode:o}"),
            };
            Error::new(format!(
                "{shown} is no file mode; one is between 0 and 07777, such as 0660, and has a \
                 leading zero"
            ))
        })?;
        if let Some(meant) = probably_meant(bits) {
            log!(
                Warning,
                "parameter {}: {bits} without a leading zero is a decimal number, the mode \
                 0{bits:o}; write 0{meant:o} if that is meant",
                self.names.mode
            );
        }
        self.mode = (bits != 0).then_some(bits);
        Ok(())
    }

    /// The mode, where 0 is a slip: nobody could use a file without any
    /// permission, so it gets some, and the log says so.
    ///
    /// # Errors
    /// The number is no mode.
    pub fn set_usable_mode(&mut self, mode: i32) -> Result<(), Error> {
        if mode == 0 {
            log!(Warning, "{} cannot be 0 and is 0600", self.names.mode);
            return self.set_mode(0o600);
        }
        self.set_mode(mode)
    }

    /// The user, by name or by number.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn set_user(&mut self, name: &str) -> Result<(), Error> {
        self.user = Some(server::user_id(name).ok_or_else(|| nobody("user", name))?);
        Ok(())
    }

    /// The user, and if it is given by name also the user's first group where
    /// no other is asked for.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn set_user_and_group(&mut self, name: &str) -> Result<(), Error> {
        let (user, group) = server::user_and_group_id(name).ok_or_else(|| nobody("user", name))?;
        self.user = Some(user);
        self.users_group = group;
        Ok(())
    }

    /// The user as a number; -1 is nobody in particular.
    ///
    /// # Errors
    /// It is another negative number.
    pub fn set_user_id(&mut self, user: i32) -> Result<(), Error> {
        self.user = id(user)?;
        Ok(())
    }

    /// The group, by name or by number.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn set_group(&mut self, name: &str) -> Result<(), Error> {
        self.group = Some(server::group_id(name).ok_or_else(|| nobody("group", name))?);
        Ok(())
    }

    /// The group as a number; -1 is none in particular.
    ///
    /// # Errors
    /// It is another negative number.
    pub fn set_group_id(&mut self, group: i32) -> Result<(), Error> {
        self.group = id(group)?;
        Ok(())
    }
}

fn nobody(what: &str, name: &str) -> Error {
    Error::new(format!(
        "there is no {what} {name:?} on this host; write the name of one that exists, or a number"
    ))
}

/// The C modules start with -1, so that it changes nothing there.
fn id(number: i32) -> Result<Option<u32>, Error> {
    if number == -1 {
        return Ok(None);
    }
    u32::try_from(number).map(Some).map_err(|_| {
        Error::new(format!(
            "{number} is no user or group number; write a name, or a number from 0 on"
        ))
    })
}
