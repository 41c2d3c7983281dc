//! Variables that a module offers to the script: `$name` or `$name(part)`.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::message::Message;
use crate::{log, panic, strings, sys};

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: `$null`.
    Null,
    /// A whole number. Before its version 5.8 the core has no integers beyond 32 bits,
    /// so those become text.
    Int(i64),
    /// Text.
    Text(Vec<u8>),
}

/// Reads the part of a variable to which `parse` gave this number.
pub type Getter = fn(&mut Message<'_>, part: i32) -> Value;

/// Gives the parts of a variable their numbers, while the configuration is read. It
/// returns `None` if there is no such part. The part of a variable without parts is
/// empty.
pub type Parser = fn(part: &[u8]) -> Option<i32>;

/// The texts of values, which the core reads after the getter has returned.
///
/// The core holds a text without a copy until the expression or the function that asked
/// for it is done. Meanwhile it may ask for more, for other operands or from a route
/// that runs inside, and it never tells when it is done. So a text is kept for every
/// place in the configuration that evaluates the variable, until the same place
/// evaluates it again and cannot hold the old text any more. That limits the memory by
/// the size of the configuration. Equal texts, for which a long expression asks again
/// and again, are kept once.
#[doc(hidden)]
#[derive(Debug)]
pub struct Kept(Mutex<Vec<KeptText>>);

/// A text that the core may still read.
#[derive(Debug)]
struct KeptText {
    evaluation: Evaluation,
    text: Arc<Vec<u8>>,
}

/// An evaluation of a variable.
#[derive(Clone, Copy, Debug)]
struct Evaluation {
    /// The address of the parameter for this place in the configuration: each place
    /// that names the variable has its own.
    variable: usize,
    /// The address of the result, which is on the stack. The stack grows downwards.
    depth: usize,
}

impl Evaluation {
    /// Whether the text for this evaluation may still be in use at the evaluation
    /// `next`. If both are at the same place, then the text is in use only if that part
    /// of the configuration runs inside itself, which puts `next` further down the
    /// stack.
    fn may_outlive(self, next: Evaluation) -> bool {
        self.variable != next.variable || self.depth > next.depth
    }
}

impl Kept {
    /// An empty collection.
    #[doc(hidden)]
    #[must_use]
    pub const fn new() -> Self {
        Kept(Mutex::new(Vec::new()))
    }

    /// Keeps a text for an evaluation.
    fn keep(&self, text: Vec<u8>, evaluation: Evaluation) -> sys::str_ {
        let mut held = self.0.lock();
        let equal = held.iter().find(|held| *held.text == text);
        let text = equal.map_or_else(|| Arc::new(text), |held| Arc::clone(&held.text));
        let counted = strings::counted(&text);
        held.retain(|held| held.evaluation.may_outlive(evaluation));
        held.push(KeptText { evaluation, text });
        counted
    }
}

/// The value that a KEMI engine reads last. The engine gets a pointer and copies the
/// text before it does anything else, so only one value is kept.
#[doc(hidden)]
#[derive(Debug)]
pub struct KeptXval {
    text: Mutex<Vec<u8>>,
    xval: sys::Table<MaybeUninit<sys::sr_kemi_xval_t>>,
}

impl KeptXval {
    /// An empty place for a value.
    #[doc(hidden)]
    #[must_use]
    pub const fn new() -> Self {
        KeptXval {
            text: Mutex::new(Vec::new()),
            xval: sys::Table::new(MaybeUninit::zeroed()),
        }
    }

    /// Keeps `value` until the next call, and returns a pointer to it for C.
    pub(crate) fn keep(&self, value: Value) -> *mut sys::sr_kemi_xval_t {
        let xval: *mut sys::sr_kemi_xval_t = self.xval.as_ptr();
        // SAFETY: the value is ours, all zeroes are valid for this C structure, and
        // this process has one thread. The text lives in a static until the next call.
        unsafe {
            let text = match value {
                Value::Null => {
                    sys::sr_kemi_xval_null(xval, sys::SR_KEMI_XVAL_NULL_EMPTY as _);
                    return xval;
                }
                Value::Int(number) => match fitting(number) {
                    Some(fitting) => {
                        (*xval).vtype = sys::SR_KEMIP_INT as _;
                        (*xval).v.n = fitting;
                        return xval;
                    }
                    None => number.to_string().into_bytes(),
                },
                Value::Text(text) => text,
            };
            (*xval).vtype = sys::SR_KEMIP_STR as _;
            let mut kept = self.text.lock();
            *kept = text;
            (*xval).v.s = strings::counted(&kept);
        }
        xval
    }
}

/// The number in the core's type for it, which is an `int` in some versions and a
/// `long` in others. It is `None` if the number does not fit.
fn fitting<T: TryFrom<i64>>(number: i64) -> Option<T> {
    number.try_into().ok()
}

/// Returns a value to the core. A text stays in `kept` for as long as the core may read
/// it.
///
/// # Safety
/// The pointers are those of a call of a `pv_getf_t`.
#[doc(hidden)]
pub unsafe fn get(
    getter: Getter,
    kept: &Kept,
    message: *mut sys::sip_msg,
    param: *mut sys::pv_param_t,
    result: *mut sys::pv_value_t,
) -> c_int {
    let value = panic::stop(Value::Null, || {
        // SAFETY: the caller vouches for the pointers, and `parse_name` below has put a
        // number into the name.
        unsafe {
            #[allow(
                clippy::unnecessary_cast,
                reason = "an int in some versions of the core, a long in others"
            )]
            let part = (*param).pvn.u.isname.name.n as i32;
            Message::from_core(message)
                .map_or(Value::Null, |mut message| getter(&mut message, part))
        }
    });
    // SAFETY: the core's own functions fill in the result for which it asked, and the
    // text that they are given is kept for it.
    unsafe {
        let text = match value {
            Value::Null => return sys::pv_get_null(message, param, result),
            Value::Int(number) => match fitting(number) {
                Some(fitting) => return sys::pv_get_sintval(message, param, result, fitting),
                None => number.to_string().into_bytes(),
            },
            Value::Text(text) => text,
        };
        let evaluation = Evaluation {
            variable: param.addr(),
            depth: result.addr(),
        };
        let mut text = kept.keep(text, evaluation);
        sys::pv_get_strval(message, param, result, &raw mut text)
    }
}

/// Gives the part in `$name(part)` its number.
///
/// # Safety
/// The pointers are those of a call of a `pv_parse_name_f`.
#[doc(hidden)]
pub unsafe fn parse_name(
    variable: &str,
    parser: Parser,
    spec: *mut sys::pv_spec_t,
    part: *mut sys::str_,
) -> c_int {
    // SAFETY: the caller vouches for the string.
    let part = unsafe { strings::bytes(part) };
    match panic::stop(None, || parser(part)) {
        Some(number) => {
            // SAFETY: the caller vouches for the specification, which is ours to fill
            // in.
            unsafe {
                (*spec).pvp.pvn.type_ = sys::PV_NAME_INTSTR as _;
                (*spec).pvp.pvn.u.isname.type_ = 0;
                (*spec).pvp.pvn.u.isname.name.n = number as _;
            }
            0
        }
        None => {
            log!(
                Error,
                "variable ${variable} has no part ({})",
                part.escape_ascii()
            );
            -1
        }
    }
}
