//! The owner of a socket, as parameters of a module set it.

use kamailio_core::{Error, log, server};

use super::file_mode::probably_meant;
use super::owner::{By, Owner, Wanted};

/// The names of a module's parameters for the mode, the user and the group.
#[derive(Clone, Copy, Debug)]
pub struct OwnerNames {
    /// The parameter for the mode.
    pub mode: &'static str,
    /// The parameter for the user.
    pub user: &'static str,
    /// The parameter for the group.
    pub group: &'static str,
}

/// The values of these parameters so far, in any order.
#[derive(Clone, Copy, Debug)]
pub struct OwnerParams {
    names: OwnerNames,
    one_may_fail: bool,
    mode: Option<u32>,
    user: Option<u32>,
    /// The group that a parameter asks for.
    group: Option<u32>,
    /// The group that came with a user's name.
    users_group: Option<u32>,
}

impl OwnerParams {
    /// The values that hold if no parameter is set.
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

    /// These values, but a server that may not give files away starts anyway if only a
    /// user or only a group is asked for.
    #[must_use]
    pub const fn one_may_fail(self) -> Self {
        OwnerParams {
            one_may_fail: true,
            ..self
        }
    }

    /// The resulting owner, completed by the user and the group as which the server
    /// runs. The core knows these two only when it initializes modules.
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

    /// The user and the group that parameters ask for, including a group that came with
    /// a user's name.
    #[must_use]
    pub fn asked_for(&self) -> (Option<u32>, Option<u32>) {
        (self.user, self.group.or(self.users_group))
    }

    /// The names of the parameters.
    #[must_use]
    pub fn names(&self) -> OwnerNames {
        self.names
    }

    /// Sets the mode. The value 0 leaves it as the system makes it.
    ///
    /// # Errors
    /// The number is not a mode.
    pub fn set_mode(&mut self, mode: i32) -> Result<(), Error> {
        let bits = u32::try_from(mode).ok().filter(|bits| *bits <= 0o7777);
        let bits = bits.ok_or_else(|| {
            // It is shown as it was written, in octal, unless that makes no sense.
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

    /// Sets the mode, where 0 is a mistake: nobody could use a file without any
    /// permission, so it gets some, and the log says so.
    ///
    /// # Errors
    /// The number is not a mode.
    pub fn set_usable_mode(&mut self, mode: i32) -> Result<(), Error> {
        if mode == 0 {
            log!(Warning, "{} cannot be 0 and is 0600", self.names.mode);
            return self.set_mode(0o600);
        }
        self.set_mode(mode)
    }

    /// Sets the user, by name or by number.
    ///
    /// # Errors
    /// There is no user of this name.
    pub fn set_user(&mut self, name: &str) -> Result<(), Error> {
        self.user = Some(server::user_id(name).ok_or_else(|| nobody("user", name))?);
        Ok(())
    }

    /// Sets the user. If the user is given by name, the user's first group is taken as
    /// well if no other is asked for.
    ///
    /// # Errors
    /// There is no user of this name.
    pub fn set_user_and_group(&mut self, name: &str) -> Result<(), Error> {
        let (user, group) = server::user_and_group_id(name).ok_or_else(|| nobody("user", name))?;
        self.user = Some(user);
        self.users_group = group;
        Ok(())
    }

    /// Sets the user as a number; -1 leaves the user open.
    ///
    /// # Errors
    /// It is another negative number.
    pub fn set_user_id(&mut self, user: i32) -> Result<(), Error> {
        self.user = id(user)?;
        Ok(())
    }

    /// Sets the group, by name or by number.
    ///
    /// # Errors
    /// There is no group of this name.
    pub fn set_group(&mut self, name: &str) -> Result<(), Error> {
        self.group = Some(server::group_id(name).ok_or_else(|| nobody("group", name))?);
        Ok(())
    }

    /// Sets the group as a number; -1 leaves the group open.
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

/// The C modules start with -1, which therefore changes nothing there.
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
