//! Conversion of parameters to the types for which a command asks.

use std::str::FromStr;

use rpc_wire::value::{Param, Params, Span};

/// The rules by which a protocol converts parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// The type must match, except that a whole number always serves as one with a
    /// fraction or as a long one. Other conversions are made if the command asks for
    /// them, or always.
    ByType {
        /// Whether every parameter is converted.
        always: bool,
    },
    /// Every parameter is a line of text. Numbers are written as in C.
    FromLine,
    /// Every parameter is text. Numbers are decimal, even with leading zeros, or
    /// hexadecimal behind `0x`.
    FromText,
    /// The value must match: a text that is wholly a number is that number, and 1 stands
    /// for true. A number is a text only if the command asks for a conversion. Null stands for
    /// a missing optional parameter.
    ByValue {
        /// Whether something that is not a number serves as the number 0 for an
        /// optional parameter, as it does in C.
        lenient: bool,
    },
}

/// The type for which a command asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// `b t d u`, 32 bits
    Int,
    /// `f`
    Float,
    /// `l L`
    Long,
    /// `j J`
    UnsignedLong,
    /// `s S`
    Text,
}

impl Wanted {
    /// The name of the type in the texts of the Management Interface.
    pub(crate) fn mi_name(self) -> &'static str {
        match self {
            Wanted::Int | Wanted::Long | Wanted::UnsignedLong => "whole number",
            Wanted::Float => "number",
            Wanted::Text => "text",
        }
    }

    /// The name of the type in the texts of JSON-RPC.
    pub(crate) fn json_name(self) -> &'static str {
        match self {
            Wanted::Int | Wanted::Long | Wanted::UnsignedLong => "integer",
            Wanted::Float => "float",
            Wanted::Text => "string",
        }
    }

    /// The C module's name for the type, in messages to BINRPC clients.
    pub(crate) fn binrpc_name(self) -> &'static str {
        match self {
            Wanted::Int => "integer",
            Wanted::Float | Wanted::Long | Wanted::UnsignedLong => "float",
            Wanted::Text => "string",
        }
    }
}

/// A command's request for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) wanted: Wanted,
    /// Whether the parameter may be missing.
    pub(crate) optional: bool,
    /// Whether it has to be converted.
    pub(crate) converting: bool,
}

/// A parameter in the form for the command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Taken {
    Int(i32),
    Float(f64),
    Long(i64),
    UnsignedLong(u64),
    /// A text in the request.
    Text(Span),
    /// A text that was made for the command.
    Made(Vec<u8>),
}

/// The reason why a parameter could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is no further parameter.
    Missing,
    /// The parameter has this type, which does not match.
    WrongType(&'static str),
    /// The parameter has this type, which cannot be converted.
    NotConverted(&'static str),
}

/// The circumstances of a failed scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FailedScan {
    /// The number of parameters that were taken before.
    pub(crate) position: usize,
    pub(crate) wanted: Wanted,
    pub(crate) problem: Problem,
    pub(crate) optional: bool,
    pub(crate) converting: bool,
    /// Whether the command is declared to return an array.
    pub(crate) returns_array: bool,
}

/// Takes one parameter as the type that the command wants.
pub(crate) fn take(
    params: &Params,
    param: &Param,
    asked: Asked,
    conversion: Conversion,
) -> Result<Taken, Problem> {
    let Asked {
        wanted, converting, ..
    } = asked;
    match conversion {
        Conversion::ByType { always } => by_type(params, param, wanted, always || converting),
        Conversion::FromLine => from_line(params, param, wanted, number_in_text),
        Conversion::FromText => from_line(params, param, wanted, plain_number),
        Conversion::ByValue { .. } if asked.optional && *param == Param::Null => {
            Err(Problem::Missing)
        }
        Conversion::ByValue { lenient } => by_value(params, param, wanted, converting)
            .or_else(|problem| zero(param, asked).filter(|_| lenient).ok_or(problem)),
    }
}

/// The number that C takes for a parameter without any number in it.
fn zero(param: &Param, asked: Asked) -> Option<Taken> {
    let is_number = matches!(
        param,
        Param::Int(_) | Param::UnsignedLong(_) | Param::Float(_)
    );
    int_as(0, asked.wanted).filter(|_| asked.optional && !is_number)
}

fn by_type(
    params: &Params,
    param: &Param,
    wanted: Wanted,
    converting: bool,
) -> Result<Taken, Problem> {
    let wrong = Problem::WrongType(name_of(param));
    match (wanted, param) {
        (Wanted::Text, Param::Text(text)) => Ok(Taken::Text(*text)),
        (Wanted::Text, Param::Int(number)) if converting => {
            Ok(Taken::Made(number.to_string().into_bytes()))
        }
        (Wanted::Text, Param::Float(_)) if converting => Err(Problem::NotConverted(name_of(param))),
        (Wanted::Text, _) => Err(wrong),
        (Wanted::Int, Param::Float(number)) if converting => Ok(Taken::Int(*number as i32)),
        (Wanted::Int, Param::Float(_)) => Err(wrong),
        (_, Param::Int(number)) => int_as(*number, wanted).ok_or(wrong),
        (_, Param::Float(number)) => float_as(*number, wanted).ok_or(wrong),
        (_, Param::Text(text)) if converting => {
            number_at_start(params.text(*text), wanted).ok_or(wrong)
        }
        _ => Err(wrong),
    }
}

fn by_value(
    params: &Params,
    param: &Param,
    wanted: Wanted,
    converting: bool,
) -> Result<Taken, Problem> {
    let wrong = Problem::WrongType(name_of(param));
    match (wanted, param) {
        (Wanted::Text, Param::Text(text)) => Ok(Taken::Text(*text)),
        (Wanted::Text, Param::Int(number)) if converting => {
            Ok(Taken::Made(number.to_string().into_bytes()))
        }
        (Wanted::Text, Param::UnsignedLong(number)) if converting => {
            Ok(Taken::Made(number.to_string().into_bytes()))
        }
        (Wanted::Text, Param::Float(number)) if converting => {
            Ok(Taken::Made(number.to_string().into_bytes()))
        }
        (Wanted::Text, _) => Err(wrong),
        (_, Param::Bool(truth)) => int_as(i64::from(*truth), wanted).ok_or(wrong),
        (_, Param::Int(number)) => int_as(*number, wanted).ok_or(wrong),
        (Wanted::UnsignedLong, Param::UnsignedLong(number)) => Ok(Taken::UnsignedLong(*number)),
        (Wanted::Float, Param::UnsignedLong(number)) => Ok(Taken::Float(*number as f64)),
        (_, Param::Float(number)) => float_as(*number, wanted).ok_or(wrong),
        (_, Param::Text(text)) => whole_number(params.text(*text), wanted).ok_or(wrong),
        _ => Err(wrong),
    }
}

fn from_line(
    params: &Params,
    param: &Param,
    wanted: Wanted,
    number: fn(&[u8], Wanted) -> Option<Taken>,
) -> Result<Taken, Problem> {
    let Param::Line { text, .. } = param else {
        return Err(Problem::WrongType(name_of(param)));
    };
    match wanted {
        Wanted::Text => Ok(Taken::Text(*text)),
        _ => number(params.text(*text), wanted).ok_or(Problem::WrongType(name_of(param))),
    }
}

/// Reads a text that is a number as people write it: `10`, `010` and `0x0a` are the
/// same.
fn plain_number(text: &[u8], wanted: Wanted) -> Option<Taken> {
    let digits = text.strip_prefix(b"0x").or(text.strip_prefix(b"0X"));
    match digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit)) {
        Some(digits) => {
            let digits = std::str::from_utf8(digits).ok()?;
            let number = u64::from_str_radix(digits, 16).ok()?;
            whole_number(number.to_string().as_bytes(), wanted)
        }
        None => whole_number(text, wanted),
    }
}

/// Reads a text that is a number as C writes it: `10`, `0x1f`, `017`, `1.5e3`.
pub(crate) fn number_in_text(text: &[u8], wanted: Wanted) -> Option<Taken> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    match whole_number_in_c(text) {
        Some(number) => int_as(number, wanted),
        None => text
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .and_then(|number| float_as(number, wanted)),
    }
}

fn whole_number_in_c(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches(['+', '-']);
    let (radix, digits) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        Some(hexadecimal) => (16, hexadecimal),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let sign = &text[..text.len() - text.trim_start_matches(['+', '-']).len()];
    if sign.len() > 1 || digits.starts_with(['+', '-']) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    i64::try_from(if sign == "-" { -number } else { number }).ok()
}

/// The name of a parameter's type, in messages to clients.
fn name_of(param: &Param) -> &'static str {
    match param {
        Param::Int(_) | Param::UnsignedLong(_) => "integer",
        Param::Float(_) => "float",
        Param::Text(_) | Param::Line { .. } => "string",
        Param::Bytes(_) => "bytes array",
        Param::Bool(_) => "boolean",
        Param::Null => "null",
        Param::Struct(_) => "structure",
        Param::Array(_) => "array",
    }
}

/// Converts a whole number to the wanted type, if it fits. The 32 bits may be meant as
/// signed or unsigned, because commands ask for both with the same letter.
fn int_as(number: i64, wanted: Wanted) -> Option<Taken> {
    match wanted {
        Wanted::Int => i32::try_from(number)
            .or_else(|_| u32::try_from(number).map(|n| n as i32))
            .ok()
            .map(Taken::Int),
        Wanted::Float => Some(Taken::Float(number as f64)),
        Wanted::Long => Some(Taken::Long(number)),
        Wanted::UnsignedLong => Some(Taken::UnsignedLong(number as u64)),
        Wanted::Text => None,
    }
}

/// Converts a number with a fraction, which is cut off, to the wanted type.
fn float_as(number: f64, wanted: Wanted) -> Option<Taken> {
    match wanted {
        Wanted::Int => Some(Taken::Int(number as i32)),
        Wanted::Float => Some(Taken::Float(number)),
        Wanted::Long => Some(Taken::Long(number as i64)),
        Wanted::UnsignedLong if number < 0.0 => Some(Taken::UnsignedLong(number as i64 as u64)),
        Wanted::UnsignedLong => Some(Taken::UnsignedLong(number as u64)),
        Wanted::Text => None,
    }
}

/// Reads a text as ctl's C module does. For an integer the whole text counts, and an
/// empty one is 0. For the other types its longest beginning that is a number counts.
fn number_at_start(text: &[u8], wanted: Wanted) -> Option<Taken> {
    if wanted == Wanted::Int {
        let digits = text.strip_prefix(b"+").unwrap_or(text);
        return match digits {
            b"" | b"-" => Some(Taken::Int(0)),
            _ => parsed::<i32>(digits).map(Taken::Int),
        };
    }
    let text = text.trim_ascii_start();
    let longest = text
        .iter()
        .take_while(|c| matches!(c, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
        .count();
    (1..=longest)
        .rev()
        .find_map(|end| parsed::<f64>(&text[..end]))
        .and_then(|number| float_as(number, wanted))
}

/// Reads a text that is wholly a decimal number.
fn whole_number(text: &[u8], wanted: Wanted) -> Option<Taken> {
    if let Some(number) = parsed::<i64>(text) {
        return int_as(number, wanted);
    }
    if let (Wanted::UnsignedLong, Some(number)) = (wanted, parsed::<u64>(text)) {
        return Some(Taken::UnsignedLong(number));
    }
    let number = parsed::<f64>(text).filter(|number| number.is_finite())?;
    float_as(number, wanted)
}

fn parsed<N: FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
