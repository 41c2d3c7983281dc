//! Variables that a module gives to the script: `$name` or `$name(part)`.

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::message::Message;
use crate::{log, panic, strings, sys};

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing: `$null`.
    Null,
    /// A whole number. One that the core has no integer for, beyond 32 bits
    /// before its version 5.8, becomes text.
    Int(i64),
    /// Text.
    Text(Vec<u8>),
}

/// Reads the part of a variable that `parse` numbered.
pub type Getter = fn(&mut Message<'_>, part: i32) -> Value;

/// Numbers the parts of a variable, while the configuration is read; `None`
/// for a part that does not exist. A variable without parts has an empty one.
pub type Parser = fn(part: &[u8]) -> Option<i32>;

/// The texts of values, which the core reads after the getter has returned.
///
/// The core holds a text without a copy until the expression or the function that
/// asked for it is done. Meanwhile it may ask for more, for other operands or from
/// a route that runs inside, and it never tells when it is done. So a text is kept
/// for every place of the configuration that asks, until that place asks again and
/// cannot hold it any more. That bounds the memory by the configuration, and equal
/// texts, which a long expression asks for again and again, are kept once.
#[doc(hidden)]
#[derive(Debug)]
pub struct Kept(Mutex<Vec<Held>>);

/// A text that the core may look at.
#[derive(Debug)]
struct Held {
    place: Place,
    text: Arc<Vec<u8>>,
}

/// Who asked for a text.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Where the configuration names the variable: each place has a parameter of
    /// its own.
    variable: usize,
    /// Where on the stack the value was wanted. The stack grows downwards.
    depth: usize,
}

impl Place {
    /// Whether the text that was given here may be in use after the same was asked
    /// `again`. If it is, then the configuration runs that part of itself from
    /// inside, and asks from further down the stack.
    fn may_hold_after(self, again: Place) -> bool {
        self.variable != again.variable || self.depth > again.depth
    }
}

impl Kept {
    /// Keeps nothing yet.
    #[doc(hidden)]
    #[must_use]
    pub const fn new() -> Self {
        Kept(Mutex::new(Vec::new()))
    }

    /// Keeps a text for who asks for it at this place.
    fn keep(&self, text: Vec<u8>, place: Place) -> sys::str_ {
        let mut held = self.0.lock();
        let equal = held.iter().find(|held| *held.text == text);
        let text = equal.map_or_else(|| Arc::new(text), |held| Arc::clone(&held.text));
        let counted = strings::counted(&text);
        held.retain(|held| held.place.may_hold_after(place));
        held.push(Held { place, text });
        counted
    }
}

/// The same for a KEMI engine, which gets a pointer and copies the text before it
/// does anything else.
#[doc(hidden)]
#[derive(Debug)]
pub struct KeptXval {
    text: Mutex<Vec<u8>>,
    xval: sys::Table<MaybeUninit<sys::sr_kemi_xval_t>>,
}

impl KeptXval {
    /// Room for one value.
    #[doc(hidden)]
    #[must_use]
    pub const fn new() -> Self {
        KeptXval {
            text: Mutex::new(Vec::new()),
            xval: sys::Table::new(MaybeUninit::zeroed()),
        }
    }

    /// Keeps `value` until the next call and tells C where it is.
    pub(crate) fn keep(&self, value: Value) -> *mut sys::sr_kemi_xval_t {
        let xval: *mut sys::sr_kemi_xval_t = self.xval.as_ptr();
        // SAFETY: the place is ours, all zeroes are a value of this C
        // structure, and this process has one thread. The text lives in a
        // static until the next call.
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
/// `long` in others; none where it does not fit.
fn fitting<T: TryFrom<i64>>(number: i64) -> Option<T> {
    number.try_into().ok()
}

/// Answers the core's question for a value. Text stays in `kept` for as long as the
/// core may look at it.
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
        // SAFETY: the caller vouches for the pointers; `parse_name` below has
        // put a number into the name.
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
    // SAFETY: the core's own functions fill in the result it asked for, and the
    // text they are given is kept for it.
    unsafe {
        let text = match value {
            Value::Null => return sys::pv_get_null(message, param, result),
            Value::Int(number) => match fitting(number) {
                Some(fitting) => return sys::pv_get_sintval(message, param, result, fitting),
                None => number.to_string().into_bytes(),
            },
            Value::Text(text) => text,
        };
        let place = Place {
            variable: param.addr(),
            depth: result.addr(),
        };
        let mut text = kept.keep(text, place);
        sys::pv_get_strval(message, param, result, &raw mut text)
    }
}

/// Numbers the part in `$name(part)`.
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
            // SAFETY: the caller vouches for the specification, which is ours
            // to fill in.
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
