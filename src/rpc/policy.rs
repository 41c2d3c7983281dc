//! The meaning of the functions of `rpc_t` in each protocol.
//!
//! Clients rely on the answers of the C modules, which differ in the points described
//! here; everything else is common to all.

use kamailio_core::Error;
use rpc_wire::linefifo;

use crate::scan::{Conversion, FailedScan, Problem, Wanted};

/// Which fault the client sees if there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Faults {
    First,
    Last,
}

/// The largest size of a reply in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxReply(i32);

impl MaxReply {
    /// The limit if no parameter sets one. It is at least a hundred times as large as
    /// any reply of today's commands.
    pub const DEFAULT: MaxReply = MaxReply(256 << 20);

    /// The value of the parameter `max_reply`.
    ///
    /// # Errors
    /// The value is smaller than an everyday reply.
    pub fn new(bytes: i32) -> Result<Self, Error> {
        /// The smallest sensible value of the parameter.
        const LEAST: i32 = 64 << 10;
        if bytes < LEAST {
            return Err(Error::new(format!(
                "{bytes} bytes are too few for a reply; it is {LEAST} or more"
            )));
        }
        Ok(MaxReply(bytes))
    }

    /// The limit as the value of a parameter.
    #[must_use]
    pub const fn parameter(self) -> i32 {
        self.0
    }

    /// The limit as a size in memory.
    #[must_use]
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or_default()
    }

    /// The text for a client whose reply is larger.
    #[must_use]
    pub fn fault(self) -> String {
        format!("the reply is larger than {} bytes (max_reply)", self.0)
    }
}

/// Which of several values at the top of the reply the client sees, if the command is
/// not declared to return an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TopValues {
    All,
    /// The client sees all of them, in an array if there are several.
    AllInArray,
    Last,
}

/// The treatment of a named value that is added to an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamedInArray {
    /// The value stays as it is.
    Member,
    /// The value goes into a structure of its own.
    Wrapped,
}

/// The treatment of an unnamed value that is added to a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnnamedInStruct {
    Kept,
    Refused,
}

/// The members of a structure that came as a parameter, in their order.
pub(crate) type Members = Vec<(Vec<u8>, Vec<u8>)>;

/// The treatment of a command that wants a structure as a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StructParam {
    /// The parameter is refused with this fault.
    Refused(i32, &'static str),
    /// The function reads a line as a structure.
    FromLine(fn(&[u8]) -> Result<Members, String>),
}

/// How the fault of a failed scan compares with what the command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// The fault is sent only if the command says nothing.
    LessThanAll,
    /// The fault is sent instead of values, but not instead of the command's own fault.
    MoreThanValues,
    /// The fault is sent instead of anything else.
    MoreThanAll,
}

/// The fault that a failed scan leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScanFault {
    pub(crate) code: i32,
    pub(crate) reason: String,
    pub(crate) weight: Weight,
}

impl ScanFault {
    /// A fault with the weight that the C modules give to it. It is sent only if the
    /// command says nothing, because the command may also try again.
    pub(crate) fn new(code: i32, reason: String) -> Self {
        ScanFault {
            code,
            reason,
            weight: Weight::LessThanAll,
        }
    }
}

/// The rules of a protocol in all these points. Each is a constant.
#[derive(Debug)]
pub struct Policy {
    pub(crate) faults: Faults,
    pub(crate) top_values: TopValues,
    pub(crate) named_in_array: NamedInArray,
    pub(crate) unnamed_in_struct: UnnamedInStruct,
    pub(crate) conversion: Conversion,
    /// The fault that a failed scan leaves behind. The next scan forgives it, because
    /// the command may read the same parameter as another type.
    pub(crate) failed_scan: fn(&FailedScan) -> Option<ScanFault>,
    pub(crate) struct_param: StructParam,
    /// The fault for an unknown format character of a scan.
    pub(crate) unknown_in_scan: fn(char) -> (i32, String),
    /// The fault for an unknown format character of an added value. Without one only
    /// the command learns of it.
    pub(crate) unknown_in_add: fn(char) -> Option<(i32, String)>,
    pub(crate) unknown_command: fn(&str) -> (i32, String),
    /// Whether commands may reply later, from another process.
    pub(crate) delays: bool,
    /// The result for a command that sends a second time.
    pub(crate) second_send: i32,
}

impl Policy {
    /// The policy of `ctl`'s binary protocol.
    pub const BINRPC: Policy = Policy {
        faults: Faults::First,
        top_values: TopValues::All,
        named_in_array: NamedInArray::Member,
        unnamed_in_struct: UnnamedInStruct::Kept,
        conversion: Conversion::ByType { always: false },
        failed_scan: binrpc_failed_scan,
        struct_param: StructParam::Refused(500, "internal server error, type 3 not supported"),
        unknown_in_scan: |c| {
            (
                500,
                format!("internal server error, invalid format char '{c}'"),
            )
        },
        unknown_in_add: |c| {
            Some((
                500,
                format!("Internal server error: invalid formatting character '{c}'"),
            ))
        },
        unknown_command: |name| (500, format!("command {name} not found")),
        delays: false,
        second_send: -1,
    };

    /// As [`Policy::BINRPC`], with the parameter `autoconversion`: each parameter is
    /// read as if the command had asked to convert it.
    pub const BINRPC_CONVERTING: Policy = Policy {
        conversion: Conversion::ByType { always: true },
        ..Self::BINRPC
    };

    /// The policy of `ctl`'s line protocol.
    pub const LINE_FIFO: Policy = Policy {
        faults: Faults::Last,
        conversion: Conversion::FromLine,
        failed_scan: line_fifo_failed_scan,
        struct_param: StructParam::FromLine(|line| {
            linefifo::parse_struct(line).map_err(|error| error.to_string())
        }),
        unknown_in_scan: |c| {
            (
                500,
                format!("Server Internal Error (Invalid Formatting Character '{c}')"),
            )
        },
        unknown_in_add: |c| Some((500, format!("invalid formatting character '{c}'"))),
        unknown_command: |name| (500, format!("Command '{name}' not found")),
        ..Self::BINRPC
    };

    /// The policy of the Management Interface, whose arguments are all text.
    pub const MI: Policy = Policy {
        conversion: Conversion::FromText,
        failed_scan: mi_failed_scan,
        unknown_command: |_| (500, "command not available".to_owned()),
        ..Self::LINE_FIFO
    };

    /// The policy of JSON-RPC as the C module understands it.
    pub const JSON: Policy = Policy {
        faults: Faults::Last,
        top_values: TopValues::Last,
        named_in_array: NamedInArray::Wrapped,
        unnamed_in_struct: UnnamedInStruct::Refused,
        conversion: Conversion::ByValue { lenient: true },
        failed_scan: json_failed_scan,
        struct_param: StructParam::Refused(400, "Unsupported param type"),
        unknown_in_scan: |_| {
            (
                500,
                "Internal Server Error (inval formatting str)".to_owned(),
            )
        },
        unknown_in_add: |_| None,
        unknown_command: |_| (500, "Method Not Found".to_owned()),
        delays: true,
        second_send: 1,
    };

    /// The policy of JSON-RPC as its specification describes it.
    pub const JSON_STRICT: Policy = Policy {
        conversion: Conversion::ByValue { lenient: false },
        failed_scan: json_strict_failed_scan,
        unknown_command: |_| (-32601, "Method Not Found".to_owned()),
        ..Self::JSON
    };

    const JSON_ALL_VALUES: Policy = Policy {
        top_values: TopValues::AllInArray,
        ..Self::JSON
    };

    const JSON_STRICT_ALL_VALUES: Policy = Policy {
        top_values: TopValues::AllInArray,
        ..Self::JSON_STRICT
    };

    /// The policy of JSON-RPC, strictly by its specification or not, and with all
    /// values that a command adds or only the last.
    #[must_use]
    pub fn json(strict: bool, all_values: bool) -> &'static Policy {
        match (strict, all_values) {
            (false, false) => &Self::JSON,
            (false, true) => &Self::JSON_ALL_VALUES,
            (true, false) => &Self::JSON_STRICT,
            (true, true) => &Self::JSON_STRICT_ALL_VALUES,
        }
    }
}

/// The C module's text, which clients show and some of them parse. It counts parameters
/// from 0.
fn binrpc_failed_scan(failed: &FailedScan) -> Option<ScanFault> {
    let expected = match (failed.converting, failed.problem) {
        (false, _) => failed.wanted.binrpc_name(),
        (true, Problem::Missing) => "any",
        (true, Problem::WrongType(found) | Problem::NotConverted(found)) => found,
    };
    let problem = match failed.problem {
        Problem::Missing if failed.optional => return None,
        Problem::Missing => "end of packet encountered",
        Problem::WrongType(_) => "record doesn't match type",
        Problem::NotConverted(_) => "bug -- internal error",
    };
    Some(ScanFault::new(
        400,
        format!(
            "error at parameter {}: expected {expected} type but {problem}",
            failed.position
        ),
    ))
}

/// The fault of a failed scan in JSON-RPC. What the C module leaves to the command is
/// left to it here: a missing parameter, and an optional one that is not a text. That
/// holds even for a command that then has nothing to list, because an empty array is an
/// answer.
fn json_failed_scan(failed: &FailedScan) -> Option<ScanFault> {
    let is_left_to_the_command =
        failed.wanted == Wanted::Text && (failed.optional || failed.returns_array);
    match failed.problem {
        Problem::Missing => None,
        _ if is_left_to_the_command => None,
        _ => Some(wrong_in_json(failed, Weight::LessThanAll)),
    }
}

/// The fault by the specification, for which a missing parameter is an invalid one.
fn json_strict_failed_scan(failed: &FailedScan) -> Option<ScanFault> {
    match failed.problem {
        Problem::Missing if failed.optional => None,
        Problem::Missing => Some(ScanFault::new(
            -32602,
            format!(
                "parameter {}: expected {}, got none",
                failed.position + 1,
                failed.wanted.json_name()
            ),
        )),
        _ => Some(wrong_in_json(failed, Weight::MoreThanValues)),
    }
}

/// The fault for a parameter of the wrong type. It counts from 1, because people read
/// it.
///
/// If a text is wanted, the C module fails the scan as well, and the command has its
/// own words for that. For a number it passes 0, so what the command says if the scan
/// fails here is about something else.
fn wrong_in_json(failed: &FailedScan, of_text: Weight) -> ScanFault {
    let wanted = failed.wanted.json_name();
    let found = match failed.problem {
        Problem::Missing => "none",
        Problem::WrongType(found) | Problem::NotConverted(found) if found == wanted => {
            "one out of range"
        }
        Problem::WrongType(found) | Problem::NotConverted(found) => found,
    };
    let position = failed.position + 1;
    ScanFault {
        code: -32602,
        reason: format!("parameter {position}: expected {wanted}, got {found}"),
        weight: match failed.wanted {
            Wanted::Text => of_text,
            _ => Weight::MoreThanAll,
        },
    }
}

/// The C module's text. It counts lines: the first line of a request names the command,
/// and the second is the first parameter.
fn line_fifo_failed_scan(failed: &FailedScan) -> Option<ScanFault> {
    if failed.problem == Problem::Missing && failed.optional {
        return None;
    }
    let line = failed.position + 2;
    let reason = format!("Invalid parameter value on line {line}");
    Some(ScanFault::new(400, reason))
}

/// The texts that the Management Interface's own commands had. They count from 1.
fn mi_failed_scan(failed: &FailedScan) -> Option<ScanFault> {
    let reason = match failed.problem {
        Problem::Missing if failed.optional => return None,
        Problem::Missing => "Too few or too many arguments".to_owned(),
        Problem::WrongType(_) | Problem::NotConverted(_) => format!(
            "Bad parameter {}: it is no {}",
            failed.position + 1,
            failed.wanted.mi_name()
        ),
    };
    Some(ScanFault::new(400, reason))
}
