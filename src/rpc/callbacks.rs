//! What the glue calls: `rpc_t`, one value at a time.
//!
//! Every function here gets pointers that the glue was given by a command, and
//! those the command got from us: the call itself (`dispatch` makes it) or a
//! handle (`Call` keeps it). Both are valid while the command runs, and a
//! command runs in one thread, so the call is ours alone for the time of a
//! function here.

use std::ffi::{CStr, c_char, c_int, c_void};

use kamailio_core::{log_limited, panic};
use rpc_wire::value::{Container, Scalar};

use crate::call::{Call, Refused};
use crate::handles::Handle;
use crate::scan::{Problem, Taken, Wanted};

/// The value was taken.
pub const KSRRS_SCAN_OK: c_int = 0;
/// There is no further parameter.
pub const KSRRS_SCAN_MISSING: c_int = 1;
/// The parameter does not fit.
pub const KSRRS_SCAN_FAILED: c_int = 2;

/// Parameters from here on may be missing.
pub const KSRRS_SCAN_OPTIONAL: c_int = 1;
/// The next parameter is to be converted.
pub const KSRRS_SCAN_CONVERT: c_int = 2;

/// Runs `body` on a call; a panic becomes a fault to the client.
///
/// # Safety
/// `call` is the context that `dispatch` gave to the command that is running.
unsafe fn with_call<R>(call: *mut c_void, fallback: R, body: impl FnOnce(&mut Call<'_>) -> R) -> R {
    let call = call.cast::<Call<'_>>();
    let result = panic::stop(None, || {
        // SAFETY: the caller vouches for the pointer, and nobody else uses the
        // call while C waits for us.
        Some(body(unsafe { &mut *call }))
    });
    result.unwrap_or_else(|| {
        panic::stop((), || {
            // SAFETY: as above; the reference inside has ended with the panic.
            unsafe { &mut *call }.panicked();
        });
        fallback
    })
}

/// The same for a handle.
///
/// # Safety
/// `handle` is null or was given to the command that is running.
unsafe fn with_handle<R>(
    handle: *mut c_void,
    fallback: R,
    body: impl FnOnce(&mut Call<'_>, Handle) -> R,
) -> R {
    // SAFETY: the caller vouches for the pointer.
    let Some(handle) = (unsafe { handle.cast::<Handle>().as_ref() }).copied() else {
        log_limited!(Bug, "a command adds to a structure that does not exist");
        return fallback;
    };
    // SAFETY: a handle leads to the call that is running.
    unsafe { with_call(handle.call, fallback, |call| body(call, handle)) }
}

/// A name as the glue passes it: null for none.
///
/// # Safety
/// `name` is null or a C string for the time of the call.
unsafe fn name_bytes<'a>(name: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller vouches for the pointer.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes())
}

fn status(result: Result<(), Refused>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(Refused) => -1,
    }
}

/// A handle for the top of the reply.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_top(call: *mut c_void) -> *mut c_void {
    // SAFETY: the context of the running command.
    unsafe { with_call(call, std::ptr::null_mut(), |this| this.top(call).cast()) }
}

/// Adds one of `d u b t l j L J`; `j` and `J` in the bits of a signed number.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_put_integer(
    handle: *mut c_void,
    name: *const c_char,
    kind: c_char,
    value: i64,
) -> c_int {
    let value = match kind as u8 {
        b'd' => Scalar::Int(value as i32),
        b'u' => Scalar::Unsigned(value as u32),
        b'b' => Scalar::Bool(value as i32),
        b't' => Scalar::Time(value),
        b'j' | b'J' => Scalar::UnsignedLong(value as u64),
        _ => Scalar::Long(value),
    };
    // SAFETY: handle and name are those of the running command.
    unsafe { put(handle, name, value) }
}

/// Adds an `f`.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_put_float(
    handle: *mut c_void,
    name: *const c_char,
    value: f64,
) -> c_int {
    // SAFETY: handle and name are those of the running command.
    unsafe { put(handle, name, Scalar::Float(value)) }
}

/// Adds an `s` or an `S`; a null pointer is a null string.
///
/// # Safety
/// The glue passes on what the command was given; `text`, if not null, has
/// `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_put_text(
    handle: *mut c_void,
    name: *const c_char,
    text: *const c_char,
    len: usize,
) -> c_int {
    let value = if text.is_null() {
        Scalar::Null
    } else {
        // SAFETY: not null, and the caller vouches for `len` bytes.
        Scalar::Text(unsafe { std::slice::from_raw_parts(text.cast(), len) })
    };
    // SAFETY: handle and name are those of the running command.
    unsafe { put(handle, name, value) }
}

/// # Safety
/// As for the functions that call it.
unsafe fn put(handle: *mut c_void, name: *const c_char, value: Scalar<'_>) -> c_int {
    // SAFETY: the caller vouches for both.
    unsafe {
        let name = name_bytes(name);
        with_handle(handle, -1, |call, handle| {
            status(call.put(handle.place, name, value))
        })
    }
}

/// Adds a `{` or a `[`; returns its handle, or null.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_put_container(
    handle: *mut c_void,
    name: *const c_char,
    kind: c_char,
) -> *mut c_void {
    let kind = match kind as u8 {
        b'[' => Container::Array,
        _ => Container::Struct,
    };
    // SAFETY: handle and name are those of the running command.
    unsafe {
        let name = name_bytes(name);
        with_handle(handle, std::ptr::null_mut(), |call, handle| {
            call.open(handle.place, name, kind, handle.call)
                .map_or(std::ptr::null_mut(), <*mut Handle>::cast)
        })
    }
}

/// A format character that does not exist. Returns what `add` returns then.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_put_unknown(
    handle: *mut c_void,
    _name: *const c_char,
    kind: c_char,
) -> c_int {
    // SAFETY: the handle is one of the running command.
    unsafe {
        with_handle(handle, -1, |call, handle| {
            status(Err(
                call.unknown_in_add(handle.place, char::from(kind as u8))
            ))
        })
    }
}

/// Makes the reply a fault.
///
/// # Safety
/// The glue passes on what the command was given; `reason`, if not null, has
/// `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_fault(
    call: *mut c_void,
    code: c_int,
    reason: *const c_char,
    len: usize,
) {
    let reason = if reason.is_null() {
        b"out of memory".as_slice()
    } else {
        // SAFETY: not null, and the caller vouches for `len` bytes.
        unsafe { std::slice::from_raw_parts(reason.cast(), len) }
    };
    // SAFETY: the context of the running command.
    unsafe { with_call(call, (), |call| call.fault(code, reason)) }
}

/// The command starts to read parameters.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_scan_begin(call: *mut c_void) {
    // SAFETY: the context of the running command.
    unsafe { with_call(call, (), |call| call.begin_scan()) }
}

/// Takes a parameter and hands it to `give`, which may refuse.
///
/// # Safety
/// As for the functions that call it.
unsafe fn take(
    call: *mut c_void,
    wanted: Wanted,
    flags: c_int,
    give: impl FnOnce(&mut Call<'_>, Taken),
) -> c_int {
    // SAFETY: the caller vouches for the context.
    unsafe {
        with_call(call, KSRRS_SCAN_FAILED, |call| {
            let optional = flags & KSRRS_SCAN_OPTIONAL != 0;
            let convert = flags & KSRRS_SCAN_CONVERT != 0;
            match call.take(wanted, optional, convert) {
                Ok(taken) => {
                    give(call, taken);
                    KSRRS_SCAN_OK
                }
                Err(Problem::Missing) => KSRRS_SCAN_MISSING,
                Err(_) => KSRRS_SCAN_FAILED,
            }
        })
    }
}

/// Takes one of `b t d u`: each fills an int.
///
/// # Safety
/// The glue passes on what the command gave it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_int(
    call: *mut c_void,
    flags: c_int,
    value: *mut c_int,
) -> c_int {
    // SAFETY: the command's own variable, and the context of the command.
    unsafe {
        take(call, Wanted::Int, flags, |_, taken| {
            if let Taken::Int(number) = taken {
                *value = number;
            }
        })
    }
}

/// Takes an `f`.
///
/// # Safety
/// The glue passes on what the command gave it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_float(
    call: *mut c_void,
    flags: c_int,
    value: *mut f64,
) -> c_int {
    // SAFETY: the command's own variable, and the context of the command.
    unsafe {
        take(call, Wanted::Float, flags, |_, taken| {
            if let Taken::Float(number) = taken {
                *value = number;
            }
        })
    }
}

/// Takes an `l` or an `L`.
///
/// # Safety
/// The glue passes on what the command gave it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_long(
    call: *mut c_void,
    flags: c_int,
    value: *mut i64,
) -> c_int {
    // SAFETY: the command's own variable, and the context of the command.
    unsafe {
        take(call, Wanted::Long, flags, |_, taken| {
            if let Taken::Long(number) = taken {
                *value = number;
            }
        })
    }
}

/// Takes a `j` or a `J`.
///
/// # Safety
/// The glue passes on what the command gave it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_ulong(
    call: *mut c_void,
    flags: c_int,
    value: *mut u64,
) -> c_int {
    // SAFETY: the command's own variable, and the context of the command.
    unsafe {
        take(call, Wanted::UnsignedLong, flags, |_, taken| {
            if let Taken::UnsignedLong(number) = taken {
                *value = number;
            }
        })
    }
}

/// Takes an `s` or an `S`. The text is writable and ends with a NUL; without
/// one it is empty, never null.
///
/// # Safety
/// The glue passes on what the command was given, and places for a result.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_text(
    call: *mut c_void,
    flags: c_int,
    text: *mut *mut c_char,
    len: *mut usize,
) -> c_int {
    // SAFETY: the context of the command, and variables of the glue.
    unsafe {
        let mut found = None;
        let ret = take(call, Wanted::Text, flags, |call, taken| {
            found = Some(call.text_for_c(&taken));
        });
        let (start, bytes) = match found {
            Some(found) => found,
            None => with_call(call, (std::ptr::null_mut(), 0), |call| call.no_text()),
        };
        *text = start.cast();
        *len = bytes;
        ret
    }
}

/// Refuses a `{`: no protocol here carries structures as parameters.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_struct(call: *mut c_void) -> c_int {
    // SAFETY: the context of the running command.
    unsafe { with_call(call, (), |call| call.refuse_struct()) };
    KSRRS_SCAN_FAILED
}

/// Refuses a format character that does not exist.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_take_unknown(call: *mut c_void, kind: c_char) -> c_int {
    // SAFETY: the context of the running command.
    unsafe {
        with_call(call, (), |call| {
            call.unknown_in_scan(char::from(kind as u8));
        });
    }
    KSRRS_SCAN_FAILED
}

/// Sends the reply before the command is over.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_send(call: *mut c_void) -> c_int {
    // SAFETY: the context of the running command.
    unsafe { with_call(call, -1, |call| call.send()) }
}
