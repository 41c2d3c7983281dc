//! Passing parameters to the command.

use std::ffi::{c_char, c_int, c_void};

use super::{name_bytes, with_call, with_handle};
use crate::handles::Target;
use crate::invocation::Invocation;
use crate::scan::{Problem, Taken, Wanted};

/// The value was taken.
pub const KSRRS_SCAN_OK: c_int = 0;
/// There is no further parameter.
pub const KSRRS_SCAN_MISSING: c_int = 1;
/// The parameter does not fit.
pub const KSRRS_SCAN_FAILED: c_int = 2;

/// The parameters from here on are optional.
pub const KSRRS_SCAN_OPTIONAL: c_int = 1;
/// The next parameter has to be converted.
pub const KSRRS_SCAN_CONVERT: c_int = 2;

/// The command starts to read parameters.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_scan_begin(call: *mut c_void) {
    // SAFETY: the context is that of the running command.
    unsafe { with_call(call, (), |call, _| call.begin_scan()) }
}

/// Takes a parameter, or with a name a member of one, and passes it to `give`.
///
/// # Safety
/// `name` is null or a C string. If it is null, `source` is the context that the
/// command was given, otherwise it is a handle.
unsafe fn take(
    source: *mut c_void,
    name: *const c_char,
    wanted: Wanted,
    flags: c_int,
    give: impl FnOnce(&mut Invocation<'_>, Taken),
) -> c_int {
    let optional = flags & KSRRS_SCAN_OPTIONAL != 0;
    let convert = flags & KSRRS_SCAN_CONVERT != 0;
    let hand_over = |call: &mut Invocation<'_>, taken| match taken {
        Ok(taken) => {
            give(call, taken);
            KSRRS_SCAN_OK
        }
        Err(problem) => scan_status(problem),
    };
    // SAFETY: the caller vouches for both pointers.
    unsafe {
        match name_bytes(name) {
            None => with_call(source, KSRRS_SCAN_FAILED, |call, _| {
                let taken = call.take(wanted, optional, convert);
                hand_over(call, taken)
            }),
            Some(name) => with_handle(source, KSRRS_SCAN_FAILED, |call, handle| {
                let Target::Param(structure) = handle.target else {
                    return KSRRS_SCAN_FAILED;
                };
                let taken = call.take_member(structure, name, wanted);
                hand_over(call, taken)
            }),
        }
    }
}

fn scan_status(problem: Problem) -> c_int {
    match problem {
        Problem::Missing => KSRRS_SCAN_MISSING,
        _ => KSRRS_SCAN_FAILED,
    }
}

/// Takes a parameter of the format `b t d u`, each of which fills an int.
///
/// # Safety
/// The glue passes on what the command gave it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_int(
    source: *mut c_void,
    name: *const c_char,
    flags: c_int,
    value: *mut c_int,
) -> c_int {
    // SAFETY: the variable is the command's own, and so is the context.
    unsafe {
        take(source, name, Wanted::Int, flags, |_, taken| {
            if let Taken::Int(number) = taken {
                *value = number;
            }
        })
    }
}

/// Takes a parameter of the format `f`.
///
/// # Safety
/// The glue passes on what the command gave it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_float(
    source: *mut c_void,
    name: *const c_char,
    flags: c_int,
    value: *mut f64,
) -> c_int {
    // SAFETY: the variable is the command's own, and so is the context.
    unsafe {
        take(source, name, Wanted::Float, flags, |_, taken| {
            if let Taken::Float(number) = taken {
                *value = number;
            }
        })
    }
}

/// Takes a parameter of the format `l` or `L`.
///
/// # Safety
/// The glue passes on what the command gave it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_long(
    source: *mut c_void,
    name: *const c_char,
    flags: c_int,
    value: *mut i64,
) -> c_int {
    // SAFETY: the variable is the command's own, and so is the context.
    unsafe {
        take(source, name, Wanted::Long, flags, |_, taken| {
            if let Taken::Long(number) = taken {
                *value = number;
            }
        })
    }
}

/// Takes a parameter of the format `j` or `J`.
///
/// # Safety
/// The glue passes on what the command gave it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_ulong(
    source: *mut c_void,
    name: *const c_char,
    flags: c_int,
    value: *mut u64,
) -> c_int {
    // SAFETY: the variable is the command's own, and so is the context.
    unsafe {
        take(source, name, Wanted::UnsignedLong, flags, |_, taken| {
            if let Taken::UnsignedLong(number) = taken {
                *value = number;
            }
        })
    }
}

/// Takes a parameter of the format `s` or `S`. The text is writable and ends with a
/// NUL. A missing parameter gives an empty text, never a null pointer; for a missing
/// member nothing is written.
///
/// # Safety
/// The glue passes on what the command was given, and variables for the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_text(
    source: *mut c_void,
    name: *const c_char,
    flags: c_int,
    text: *mut *mut c_char,
    len: *mut usize,
) -> c_int {
    // SAFETY: the context is the command's, and the variables are the glue's.
    unsafe {
        let mut found = None;
        let ret = take(source, name, Wanted::Text, flags, |call, taken| {
            found = Some(call.text_for_c(&taken));
        });
        if found.is_none() && name.is_null() {
            found = Some(with_call(source, (std::ptr::null_mut(), 0), |call, _| {
                call.no_text()
            }));
        }
        if let Some((start, bytes)) = found {
            *text = start.cast();
            *len = bytes;
        }
        ret
    }
}

/// Takes a parameter of the format `{`, and gives the handle of a structure, whose
/// members [`ksrrs_rpc_take_text`] and the functions like it read.
///
/// # Safety
/// The glue passes on what the command was given, and a variable for the result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_struct(
    call: *mut c_void,
    flags: c_int,
    handle: *mut *mut c_void,
) -> c_int {
    // SAFETY: the context is that of the running command, and the variable is its own.
    unsafe {
        with_call(call, KSRRS_SCAN_FAILED, |this, call| {
            let optional = flags & KSRRS_SCAN_OPTIONAL != 0;
            match this.take_struct(call, optional) {
                Ok(structure) => {
                    *handle = structure.cast();
                    KSRRS_SCAN_OK
                }
                Err(problem) => scan_status(problem),
            }
        })
    }
}

/// Refuses a format character that does not exist.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_unknown(call: *mut c_void, kind: c_char) -> c_int {
    // SAFETY: the context is that of the running command.
    unsafe {
        with_call(call, (), |call, _| {
            call.unknown_in_scan(char::from(kind as u8));
        });
    }
    KSRRS_SCAN_FAILED
}
