//! Why a document or a request is refused, and the words for error codes.

use thiserror::Error;

use super::{MAX_BATCH, MAX_BATCH_ANSWER, MAX_DEPTH};

/// Why something is answered with an error before a command is looked up.
///
/// Its text goes into the member `data` of the error, and into the log where
/// nobody can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// -32700: no JSON, or not even the lenient kind.
    #[error("byte {at} cannot be read as JSON")]
    NotJson {
        /// Where it goes wrong, in bytes from the start of the document.
        at: usize,
    },
    /// -32700: more than [`MAX_DEPTH`] objects and arrays in one another.
    #[error("objects and arrays are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// -32700: a document over the bound of its transport.
    #[error("the document has {len} bytes, {max} are allowed")]
    TooLarge {
        /// How long it is, in bytes.
        len: usize,
        /// How long it may be.
        max: usize,
    },
    /// -32600: JSON, but no object.
    #[error("a request is an object")]
    NotAnObject,
    /// -32600: `[]`.
    #[error("the batch is empty")]
    EmptyBatch,
    /// -32600: more than [`MAX_BATCH`] requests in one array.
    #[error("a batch has at most {MAX_BATCH} requests")]
    BatchTooLong,
    /// -32000: the answers before have [`MAX_BATCH_ANSWER`] bytes.
    #[error(
        "the answers before have reached {MAX_BATCH_ANSWER} bytes, so this request was not run; \
         send it in another document"
    )]
    BatchFull,
    /// -32600: the id is an object, an array, true or false.
    #[error("the id is neither a string nor a number nor null")]
    Id,
    /// -32600: a version that is no string, or, strictly, another than 2.0 or
    /// none.
    #[error("the member jsonrpc is not \"2.0\"")]
    Version,
    /// -32600: there is no method.
    #[error("the method is missing")]
    MethodMissing,
    /// -32600: the method is something else than a string.
    #[error("the method is not a string")]
    MethodNotText,
    /// -32602: there are parameters in no order.
    #[error("params is neither an array nor an object")]
    ParamsType,
}

impl Refusal {
    /// The error code of the JSON-RPC specification.
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

/// What C says for a fault without a text.
const NO_TEXT: &[u8] = b"Unexpected Error";

/// The text for an error of this code: the standard one where the code has
/// one, otherwise the command's.
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
