//! The error of an operation at the boundary to C.

use std::borrow::Cow;
use std::fmt;

/// A full sentence for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Cow<'static, str>);

impl Error {
    /// An error with this text.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Error(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Error(text.into())
    }
}

impl From<&'static str> for Error {
    fn from(text: &'static str) -> Self {
        Error(text.into())
    }
}
