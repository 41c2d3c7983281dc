//! The defects of a packet, in our words and in those of the C module.

use thiserror::Error;

use super::Kind;

/// Why a packet was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// The first byte is not `0xA1`.
    #[error("the packet starts with {0:#04x} instead of 0xa1, it is not BINRPC version 1")]
    Magic(u8),
    /// The header names a packet kind that does not exist.
    #[error("packets of kind {0} do not exist")]
    UnknownKind(u8),
    /// The header is well-formed, but the packet has no business here, such as a reply
    /// sent to a server.
    #[error("a packet of kind {0} was not expected here")]
    UnexpectedKind(Kind),
    /// The body is wrong.
    #[error("{defect} (byte {at} of the body)")]
    Body {
        /// The position of the record that shows the defect, in bytes from the start of
        /// the body.
        at: usize,
        /// The defect itself.
        defect: Defect,
    },
}

/// A defect in the body of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Defect {
    /// A request has not a single record.
    #[error("the name of the method is missing")]
    MethodMissing,
    /// The first record of a request is not a string.
    #[error("the name of the method is not a string")]
    MethodNotText,
    /// The body of a fault is something other than an int and a str.
    #[error("a fault consists of a code and a reason")]
    NotAFault,
    /// A record claims more bytes than are left.
    #[error("the record runs over the end of the packet")]
    Truncated,
    /// The tag has a type that does not exist.
    #[error("records of type {0} do not exist")]
    UnknownType(u8),
    /// The bytes of a length are said to be none, or more than four.
    #[error("a length is written in {0} bytes instead of 1 to 4")]
    LengthWidth(u8),
    /// A number has more bytes than its type allows; this is how many.
    #[error("a number has {0} bytes")]
    NumberTooLong(usize),
    /// A str or a name does not end in NUL.
    #[error("the text does not end in NUL")]
    NotTerminated,
    /// The tag of a struct or an array has bits that it must not have.
    #[error("a struct or array tag carries a length")]
    TagWithLength,
    /// The end of a struct or an array is not that of the innermost open one.
    #[error("nothing that is open ends here")]
    StrayEnd,
    /// The body ends inside a struct or array.
    #[error("a struct or array is not closed")]
    Unclosed,
    /// A name occurs outside of a struct, where no member could have it.
    #[error("only the members of a struct have names")]
    NameOutsideStruct,
    /// No value follows a name.
    #[error("the name of a member is not followed by its value")]
    NameWithoutValue,
    /// More than [`MAX_DEPTH`](super::MAX_DEPTH) structs and arrays are nested.
    #[error("structs and arrays are nested too deeply")]
    TooDeep,
}

impl Malformed {
    /// The words of the C module for such a packet.
    ///
    /// Clients see them in the reason of the fault that answers the packet, so they
    /// stay as they were.
    #[must_use]
    pub const fn c_text(&self) -> &'static str {
        match self {
            Self::Magic(_) | Self::UnknownKind(_) | Self::UnexpectedKind(_) => "corrupted packet",
            Self::Body { defect, .. } => defect.c_text(),
        }
    }
}

impl Defect {
    const fn c_text(self) -> &'static str {
        match self {
            Self::Truncated => "more data needed",
            Self::MethodMissing | Self::Unclosed => "end of packet encountered",
            Self::MethodNotText | Self::UnknownType(_) | Self::NameOutsideStruct => {
                "record doesn't match type"
            }
            Self::NotAFault
            | Self::LengthWidth(_)
            | Self::NumberTooLong(_)
            | Self::NotTerminated
            | Self::TagWithLength
            | Self::StrayEnd
            | Self::NameWithoutValue
            | Self::TooDeep => "bad record",
        }
    }

    /// The error for a packet whose record at `at` shows this defect.
    pub(super) const fn at(self, at: usize) -> Malformed {
        Malformed::Body { at, defect: self }
    }
}
