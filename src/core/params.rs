//! Parameters: `modparam("module", "name", value)`.

use std::ffi::{CStr, c_char, c_int, c_void};

use crate::{Error, log, panic, sys};

/// What the core stores with a parameter whose setter is a text function.
#[doc(hidden)]
pub const TEXT: u32 = sys::PARAM_STRING | sys::PARAM_USE_FUNC;
/// The same for a number.
#[doc(hidden)]
pub const INT: u32 = sys::PARAM_INT | sys::PARAM_USE_FUNC;

/// Hands a text value to the module's setter.
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
    if value.is_null() {
        return outcome(name, Err("it needs a value".into()));
    }
    // SAFETY: not null, so a C string.
    let value = unsafe { CStr::from_ptr(value.cast::<c_char>()) };
    match value.to_str() {
        Ok(value) => panic::stop(-1, || outcome(name, setter(value))),
        Err(_) => outcome(name, Err("its value is not UTF-8 text".into())),
    }
}

/// Hands a number to the module's setter. The core puts it into the pointer.
#[doc(hidden)]
pub fn set_int(name: &str, value: *mut c_void, setter: fn(i32) -> Result<(), Error>) -> c_int {
    panic::stop(-1, || outcome(name, setter(value as isize as i32)))
}

fn outcome(name: &str, set: Result<(), Error>) -> c_int {
    match set {
        Ok(()) => 0,
        Err(error) => {
            log!(Error, "parameter {name}: {error}");
            -1
        }
    }
}
