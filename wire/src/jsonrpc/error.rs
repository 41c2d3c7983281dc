//! The refusals of documents and requests, and the texts of error codes.

use thiserror::Error;

use super::{MAX_BATCH, MAX_BATCH_ANSWER, MAX_DEPTH};

/// The reason why something is answered with an error before a command is looked up.
///
/// Its text goes into the member `data` of the error. Where nobody can be answered it
/// goes into the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// -32700: the document is not JSON, not even of the lenient kind.
    #[error("byte {at} cannot be read as JSON")]
    NotJson {
        /// The position of the defect, in bytes from the start of the document.
        at: usize,
    },
    /// -32700: more than [`MAX_DEPTH`] objects and arrays are nested.
    #[error("objects and arrays are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// -32700: the document is longer than its transport allows.
    #[error("the document has {len} bytes, {max} are allowed")]
    TooLarge {
        /// Its length, in bytes.
        len: usize,
        /// The length that is allowed.
        max: usize,
    },
    /// -32600: the request is JSON, but not an object.
    #[error("a request is an object")]
    NotAnObject,
    /// -32600: the document is `[]`.
    #[error("the batch is empty")]
    EmptyBatch,
    /// -32600: one array has more than [`MAX_BATCH`] requests.
    #[error("a batch has at most {MAX_BATCH} requests")]
    BatchTooLong,
    /// -32000: the answers to the requests before it have reached [`MAX_BATCH_ANSWER`]
    /// bytes.
    #[error(
        "the answers before have reached {MAX_BATCH_ANSWER} bytes, so this request was not run; \
         send it in another document"
    )]
    BatchFull,
    /// -32600: the id is an object, an array, true or false.
    #[error("the id is neither a string nor a number nor null")]
    Id,
    /// -32600: the version is not a string. Strictly, this also refuses any version but
    /// 2.0, and a missing one.
    #[error("the member jsonrpc is not \"2.0\"")]
    Version,
    /// -32600: there is no method.
    #[error("the method is missing")]
    MethodMissing,
    /// -32600: the method is not a string.
    #[error("the method is not a string")]
    MethodNotText,
    /// -32602: the parameters have no order.
    #[error("params is neither an array nor an object")]
    ParamsType,
}

impl Refusal {
    /// The error code that the JSON-RPC specification has for it.
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            Self::NotJson { .. } | Self::TooDeep | Self::TooLarge { .. } => PARSE_ERROR,
            Self::NotAnObject
            | Self::EmptyBatch
            | Self::BatchTooLong
            | Self::Id
            | Self::Version
            | Self::MethodMissing
            | Self::MethodNotText => -32600,
            Self::ParamsType => INVALID_PARAMS,
            Self::BatchFull => EXECUTION_ERROR,
        }
    }
}

/// -32700, "Parse Error".
pub(super) const PARSE_ERROR: i32 = -32700;

/// -32602, "Invalid Parameters".
pub(super) const INVALID_PARAMS: i32 = -32602;

/// -32000, "Execution Error".
pub(super) const EXECUTION_ERROR: i32 = -32000;

/// The text of C for a fault that has none.
const NO_TEXT: &[u8] = b"Unexpected Error";

/// The text for an error of this code: the standard one if the code has one, otherwise
/// the command's.
pub(super) fn message(code: i32, reason: &[u8]) -> &[u8] {
    match code {
        PARSE_ERROR => b"Parse Error",
        -32600 => b"Invalid Request",
        -32601 => b"Method Not Found",
        INVALID_PARAMS => b"Invalid Parameters",
        -32603 => b"Internal Error",
        EXECUTION_ERROR => b"Execution Error",
        _ if reason.is_empty() => NO_TEXT,
        _ => reason,
    }
}
