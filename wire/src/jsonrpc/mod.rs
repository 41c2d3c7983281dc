//! JSON-RPC 2.0, which the module `jsonrpcs` speaks on all its transports.
//!
//! A document holds a request, or an array of them (a batch):
//!
//! ```json
//! {"jsonrpc": "2.0", "method": "htable.get", "params": ["a", "x"], "id": 1}
//! ```
//!
//! | member | |
//! | --- | --- |
//! | `jsonrpc` | `"2.0"` |
//! | `method` | the command |
//! | `params` | its parameters, by position: the values of an array, or those of the members of an object in their order, whatever their names |
//! | `id` | a string, a number or null, repeated in the answer; without it the request is a notification |
//! | `reply_name` | on a named pipe: where the answer goes |
//! | `store_path` | the file that the answer goes to |
//!
//! and the answer is one of these, or an array of them:
//!
//! ```json
//! {"jsonrpc": "2.0", "result": 5, "id": 1}
//! {"jsonrpc": "2.0", "error": {"code": 500, "message": "No such htable"}, "id": 1}
//! ```
//!
//! [`Document`] reads, [`encode_answer`] and [`Batch`] write.
//!
//! # What is read
//!
//! By [`Strictness::Specification`] it is JSON as serde_json knows it, in UTF-8,
//! nothing behind it, and names of members have to match exactly. By
//! [`Strictness::AsC`] it is what the C module reads without harm:
//!
//! | | as C | by the specification |
//! | --- | --- | --- |
//! | bytes behind the document | ignored | -32700 |
//! | control characters (not NUL) in strings | stay | -32700 |
//! | control characters (not NUL) between values | are space | -32700 |
//! | bytes that are not UTF-8 | stay in parameters | -32700 |
//! | `\d`, a needless backslash | left out, `d` | -32700 |
//! | `01` `-.5` `1e` `-` | 1, -0.5, 1, 0 | -32700 |
//! | names at the top in another case | found | not found |
//! | version missing or another string | [`Verdict::Ignore`] | -32600 |
//! | version that is no string | -32600 (C: ends, or an empty result) | -32600 |
//! | no id | answered without one | not answered |
//! | names at the top more than once | the first counts | the first counts |
//! | names in `params` more than once | all are passed | all are passed |
//! | `\u0000`, half a surrogate pair | left out of parameters | left out of parameters |
//! | a surrogate pair | its character (C: a wrong one from U+20000 on in every second plane) | its character |
//! | a byte order mark before the document | ignored (C: no answer) | ignored |
//! | `params` that is null | no parameters (C: an empty result) | no parameters |
//! | NUL inside the document | -32700 (C: no answer) | -32700 |
//! | `\u` without four hex digits, a backslash before NUL | -32700 (C: reads beyond the string or unset memory) | -32700 |
//! | `+1` `.5` `1.` `00` `0x1`, comments, single quotes, commas at the end, nothing | -32700 (C: no answer) | -32700 |
//! | a string, number or word as the document | -32600 (C: an empty result) | -32600 |
//! | an object, array or truth as the id | -32600 (C: 0 or 1) | -32600 |
//! | no method, or one that is no string | -32600 (C: an empty result, or ends) | -32600 |
//! | `params` that is neither array nor object nor null | -32602 (C: an empty result) | -32602 |
//!
//! There are three bounds: the size that the caller gives, [`MAX_DEPTH`] and
//! [`MAX_BATCH`].
//!
//! An id is repeated byte for byte, unless it would not be JSON: then it is written as
//! the same value, `01` as `1`. An error has the id null if no id was read. In a
//! document that is not JSON, the id is looked for only before the defect; in one that
//! is nested too deeply, anywhere at the top.
//!
//! # What is written
//!
//! | value | JSON |
//! | --- | --- |
//! | whole numbers | all their digits |
//! | numbers with a fraction | as C prints them: `1.500000`; below 1e-6 and above 1e9 `1.500000e-07`; `2` where there is none |
//! | not a number, infinite | null |
//! | truth | true, false |
//! | time | `"20231114T22:13:20"`, UTC |
//! | text | a string, with U+FFFD for what is not UTF-8 |
//! | null string | null |
//! | nothing added | `{}`, or `[]` for a command that returns an array |
//!
//! Errors have the command's code (0 becomes -32000) and its text, except that
//! the codes -32700, -32600, -32601, -32602, -32603 and -32000 have texts of
//! their own. A member `data` tells more about a refused request or a wrong
//! parameter; C has none.

mod abandoned;
mod answer;
mod document;
mod error;
mod http;
mod id;
mod layout;
mod number;
mod reader;
mod reply;
mod request;
mod stream;
mod text;

pub use abandoned::{abandoned, reply_name_in};
pub use answer::{is_answer, is_request};
pub use document::Document;
pub use error::Refusal;
pub use http::{http_status, refusal_status};
pub use id::Id;
pub use reader::BYTE_ORDER_MARK;
pub use reply::{Batch, encode_answer, encode_error, encode_refusal};
pub use request::{Name, Request, Verdict};
pub use stream::{Found, find, find_on, skip_on};

/// How many objects and arrays a document may nest, including the request and the
/// batch.
///
/// Commands need two or three. With this limit, recursion over the values needs no more
/// than some kilobytes of stack. C has no limit and dies.
pub const MAX_DEPTH: usize = 64;

/// How many requests a batch may have.
///
/// The answer to a request of one byte has a hundred, as for `[1,1,1]`. This limit
/// keeps the answers to a batch within a megabyte or so.
pub const MAX_BATCH: usize = 10_000;

/// How many bytes the answers to a batch may reach before its other requests are no
/// longer run.
///
/// Nothing is sent before the array is complete, and a batch could ask ten thousand
/// times for a reply of megabytes.
pub const MAX_BATCH_ANSWER: usize = 64 << 20;

/// How many bytes a document may have if its transport sets no limit of its own.
///
/// A value takes up to 32 times the memory of its text.
pub const MAX_LEN: usize = 1 << 20;

/// How an answer is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The answer is one line without any space.
    Compact,
    /// Each member of an object is on a line of its own, behind a tab for each
    /// object or array around it, and a tab precedes its value. The values of an
    /// array follow one another, with a space behind the comma.
    ///
    /// ```text
    /// {
    ///     "a":    [1, {
    ///             "b":    {
    ///             }
    ///         }]
    /// }
    /// ```
    Pretty,
    /// As [`Form::Pretty`], except that each value of an array is on a line of its own,
    /// too.
    ///
    /// ```text
    /// {
    ///     "a":    [
    ///         1,
    ///         {
    ///             "b":    {
    ///             }
    ///         }
    ///     ]
    /// }
    /// ```
    PrettyLines,
}

/// The rules that hold where the specification and the C module differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// The rules of the C module.
    AsC,
    /// The rules of JSON's and JSON-RPC 2.0's specifications.
    Specification,
}
