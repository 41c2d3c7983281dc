//! The owner of a socket as parameters of a module tell it.

use kamailio_core::{Error, log, server};

use crate::owner::Owner;

/// What parameters for mode, user and group said so far, in any order.
#[derive(Clone, Copy, Debug)]
pub struct OwnerParams {
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
    pub const fn new(mode: u32) -> Self {
        OwnerParams {
            mode: Some(mode),
            user: None,
            group: None,
            users_group: None,
        }
    }

    /// The owner that they make together.
    #[must_use]
    pub fn owner(self) -> Owner {
        Owner {
            mode: self.mode,
            user: self.user,
            group: self.group.or(self.users_group),
        }
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
                "{shown} is no file mode; one is between 0 and 07777, such as 0660"
            ))
        })?;
        self.mode = (bits != 0).then_some(bits);
        Ok(())
    }

    /// The mode, where 0 is a slip: nobody could use a file without any
    /// permission, so it gets some, and the log says so.
    ///
    /// # Errors
    /// The number is no mode.
    pub fn set_usable_mode(&mut self, parameter: &str, mode: i32) -> Result<(), Error> {
        if mode == 0 {
            log!(Warning, "{parameter} cannot be 0 and is 0600");
            return self.set_mode(0o600);
        }
        self.set_mode(mode)
    }

    /// The user, by name or by number.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn set_user(&mut self, name: &str) -> Result<(), Error> {
        self.user = Some(server::user_id(name).ok_or_else(|| no_user(name))?);
        Ok(())
    }

    /// The user, and if it is given by name also the user's first group where
    /// no other is asked for.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn set_user_and_group(&mut self, name: &str) -> Result<(), Error> {
        let (user, group) = server::user_and_group_id(name).ok_or_else(|| no_user(name))?;
        self.user = Some(user);
        self.users_group = group;
        Ok(())
    }

    /// The user as a number.
    ///
    /// # Errors
    /// It is negative.
    pub fn set_user_id(&mut self, user: i32) -> Result<(), Error> {
        self.user = Some(id(user)?);
        Ok(())
    }

    /// The group, by name or by number.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn set_group(&mut self, name: &str) -> Result<(), Error> {
        let group = server::group_id(name)
            .ok_or_else(|| Error::new(format!("there is no group {name:?} on this host")))?;
        self.group = Some(group);
        Ok(())
    }

    /// The group as a number.
    ///
    /// # Errors
    /// It is negative.
    pub fn set_group_id(&mut self, group: i32) -> Result<(), Error> {
        self.group = Some(id(group)?);
        Ok(())
    }
}

fn no_user(name: &str) -> Error {
    Error::new(format!("there is no user {name:?} on this host"))
}

fn id(number: i32) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| Error::new(format!("{number} is no user or group number")))
}
