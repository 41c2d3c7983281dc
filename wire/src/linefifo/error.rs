//! The defects of a request.

use thiserror::Error;

use super::MAX_FIRST_LINE;
use super::structure::MAX_MEMBERS;
use crate::value::Span;

/// A request that is refused, and where the next one starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{defect}")]
pub struct Malformed {
    /// The reason.
    pub defect: Defect,
    /// How many bytes have to be dropped. They reach to the end of the request, or of
    /// the input if the request has not ended.
    pub skip: usize,
    /// Whether those bytes are the whole request. If not, its rest is still under way
    /// and would be read as another request, so a connection had better be closed.
    pub is_whole: bool,
    /// The pipe at which the client waits for the answer, if that much was understood.
    /// The text of the parameters holds its name.
    pub reply_file: Option<Span>,
}

/// The reason why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// A datagram is empty, or without the end of its request.
    #[error("the request is not complete, it ends with an empty line")]
    Incomplete,
    /// The first line does not end.
    #[error("the first line of the request has more than {MAX_FIRST_LINE} bytes")]
    FirstLineTooLong,
    /// The first line is not of the form `:method:reply_file`.
    #[error("the request does not start with a colon and the name of a method")]
    NoColon,
    /// The first line is `:method`.
    #[error("no colon follows the name of the method")]
    NoSecondColon,
    /// The first line is `::reply_file`.
    #[error("the name of the method is missing")]
    NoMethod,
    /// There is a NUL, which no name can have.
    #[error("the first line of the request has a NUL in it")]
    NulInFirstLine,
    /// A parameter has a backslash that starts no escape.
    #[error("on line {line} of the request is a backslash that starts no escape")]
    BadEscape {
        /// The number of the line. The first line is 1, so the first parameter is 2.
        line: usize,
    },
}

/// The reason why a parameter cannot be read as a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadStruct {
    /// The structure has not a single character.
    #[error("the structure is empty")]
    Empty,
    /// It has more members than anyone needs, each of which takes many times the memory
    /// of its text.
    #[error("the structure has more than {MAX_MEMBERS} members")]
    TooManyMembers,
    /// A member is not of the form `name:value`.
    #[error("member {0} of the structure has no colon behind its name")]
    NoColon(
        /// The number of the member, counted from 1.
        usize,
    ),
    /// A member has a backslash that starts no escape.
    #[error("in member {0} of the structure is a backslash that starts no escape")]
    BadEscape(
        /// The number of the member, counted from 1.
        usize,
    ),
}
