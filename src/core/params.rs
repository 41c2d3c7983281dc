//! Setting parameters: `modparam("module", "name", value)`.
//!
//! While the core reads the configuration it calls the setters. Afterwards it shows the
//! values by itself (`modparam.list` and others, from 6.1 on), and reads them where the
//! table of parameters points. That part is [`params_storage`](crate::params_storage).

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::params_storage::{Value, note};
use crate::{Error, log, panic, sys};

/// The type that the core stores with a parameter whose setter is a function of a text.
#[doc(hidden)]
pub const TEXT: u32 = sys::PARAM_STRING | sys::PARAM_USE_FUNC;
/// The type that the core stores with a parameter whose setter is a function of a
/// number.
#[doc(hidden)]
pub const INT: u32 = sys::PARAM_INT | sys::PARAM_USE_FUNC;

/// Passes a text value to the module's setter.
///
/// # Safety
/// `value` is what the core passes to the setter of a text parameter: null or a
/// C string.
#[doc(hidden)]
pub unsafe fn set_text(
    name: &str,
    value: *mut c_void,
    setter: fn(&str) -> Result<(), Error>,
) -> c_int {
    // SAFETY: the caller vouches for the value.
    let text = unsafe { text(value) };
    set(name, || {
        let text = text?;
        setter(text)?;
        note(name, Value::text(text));
        Ok(())
    })
}

/// Passes a text that stands for a number to the setter of a number.
///
/// # Safety
/// The rules are those of [`set_text`].
#[doc(hidden)]
pub unsafe fn set_text_as_int(
    name: &str,
    value: *mut c_void,
    setter: fn(i32) -> Result<(), Error>,
) -> c_int {
    // SAFETY: the caller vouches for the value.
    let text = unsafe { text(value) };
    set(name, || {
        let number = number(text?)?;
        setter(number)?;
        note(name, Value::Int(number));
        Ok(())
    })
}

/// Passes a number to the module's setter. The core puts the number into the pointer.
#[doc(hidden)]
pub fn set_int(name: &str, value: *mut c_void, setter: fn(i32) -> Result<(), Error>) -> c_int {
    set(name, || {
        let number = value as isize as i32;
        setter(number)?;
        note(name, Value::Int(number));
        Ok(())
    })
}

/// Passes a number to the setter of a text.
#[doc(hidden)]
pub fn set_int_as_text(
    name: &str,
    value: *mut c_void,
    setter: fn(&str) -> Result<(), Error>,
) -> c_int {
    set(name, || {
        let text = (value as isize as i32).to_string();
        setter(&text)?;
        note(name, Value::text(&text));
        Ok(())
    })
}

fn set(name: &str, setter: impl FnOnce() -> Result<(), Error>) -> c_int {
    panic::stop(-1, || match setter() {
        Ok(()) => 0,
        Err(error) => {
            log!(Error, "parameter {name}: {error}");
            -1
        }
    })
}

/// Reads a text value.
///
/// # Safety
/// `value` is null or a C string that outlives the result.
unsafe fn text<'a>(value: *mut c_void) -> Result<&'a str, Error> {
    if value.is_null() {
        return Err("it needs a value".into());
    }
    // SAFETY: the value is not null, so it is a C string, as the caller vouches.
    let value = unsafe { CStr::from_ptr(value.cast::<c_char>()) };
    value
        .to_str()
        .map_err(|_| "its value is not UTF-8 text".into())
}

/// Reads a number as the grammar of the configuration does: decimal, hexadecimal behind
/// `0x`, octal behind `0`, each with an optional minus in front.
fn number(text: &str) -> Result<i32, Error> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (digits, radix) = match digits.strip_prefix('0') {
        None | Some("") => (digits, 10),
        Some(rest) => rest.strip_prefix('x').map_or((rest, 8), |hex| (hex, 16)),
    };
    // A second sign or prefix is not a digit, so it is refused here.
    let has_digits_only = digits.chars().all(|digit| digit.is_digit(radix));
    let size = i64::from_str_radix(digits, radix)
        .ok()
        .filter(|_| has_digits_only);
    let signed = size.map(|size| if text.starts_with('-') { -size } else { size });
    signed
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| {
            Error::new(format!(
                "{text:?} is no number; write one from {} to {} in digits, such as 4096",
                i32::MIN,
                i32::MAX
            ))
        })
}
