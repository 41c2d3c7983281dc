//! What is wrong with a request.

use thiserror::Error;

use super::MAX_FIRST_LINE;
use super::structure::MAX_MEMBERS;
use crate::value::Span;

/// A request that is refused, and where to go on behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{defect}")]
pub struct Malformed {
    /// Why it is refused.
    pub defect: Defect,
    /// How many bytes to drop: up to the end of the request where that has
    /// come, otherwise all there are.
    pub skip: usize,
    /// Whether those bytes are the whole request. If not, its rest is still
    /// under way and would be read as a request of its own: a connection is
    /// better closed then.
    pub is_whole: bool,
    /// Where the client waits for the answer, if that much was understood; in
    /// the text of the parameters.
    pub reply_file: Option<Span>,
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// A datagram without the end of its request, or without anything.
    #[error("the request is not complete, it ends with an empty line")]
    Incomplete,
    /// The first line goes on and on.
    #[error("the first line of the request has more than {MAX_FIRST_LINE} bytes")]
    FirstLineTooLong,
    /// Something else than `:method:reply_file`.
    #[error("the request does not start with a colon and the name of a method")]
    NoColon,
    /// `:method`
    #[error("no colon follows the name of the method")]
    NoSecondColon,
    /// `::reply_file`
    #[error("the name of the method is missing")]
    NoMethod,
    /// A NUL, which no name can have.
    #[error("the first line of the request has a NUL in it")]
    NulInFirstLine,
    /// A backslash in a parameter that starts no escape.
    #[error("on line {line} of the request is a backslash that starts no escape")]
    BadEscape {
        /// The first line is 1, the first parameter 2.
        line: usize,
    },
}

/// Why a parameter cannot be read as a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadStruct {
    /// Nothing at all.
    #[error("the structure is empty")]
    Empty,
    /// More members than anyone needs: each takes many times the memory of its text.
    #[error("the structure has more than {MAX_MEMBERS} members")]
    TooManyMembers,
    /// A member that is no `name:value`.
    #[error("member {0} of the structure has no colon behind its name")]
    NoColon(
        /// The first member is 1.
        usize,
    ),
    /// A backslash that starts no escape.
    #[error("in member {0} of the structure is a backslash that starts no escape")]
    BadEscape(
        /// The first member is 1.
        usize,
    ),
}
