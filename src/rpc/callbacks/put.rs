//! Adding values to the reply.

use std::ffi::{c_char, c_int, c_void};

use rpc_wire::value::{Container, Parent, Scalar};

use super::{name_bytes, with_handle};
use crate::handles::{Handle, Target};
use crate::invocation::{Invocation, Refused};

/// Runs `body` on a call and the place in its reply for which a handle stands. `body`
/// also gets the address of the call.
///
/// # Safety
/// The rules are those of [`with_handle`].
unsafe fn with_place<R>(
    handle: *mut c_void,
    fallback: R,
    body: impl FnOnce(&mut Invocation<'_>, Parent, *mut c_void) -> R,
) -> R
where
    R: Copy,
{
    // SAFETY: the caller vouches for the handle.
    unsafe {
        with_handle(handle, fallback, |call, handle| match handle.target {
            Target::Reply(place) => body(call, place, handle.call),
            Target::Param(_) => fallback,
        })
    }
}

fn status(result: Result<(), Refused>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(Refused) => -1,
    }
}

/// Adds a value of the format `d u b t l j L J`. Those of `j` and `J` are the bits of a
/// signed number.
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
    // SAFETY: the handle and the name are those of the running command.
    unsafe { put(handle, name, value) }
}

/// Adds a value of the format `f`.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_put_float(
    handle: *mut c_void,
    name: *const c_char,
    value: f64,
) -> c_int {
    // SAFETY: the handle and the name are those of the running command.
    unsafe { put(handle, name, Scalar::Float(value)) }
}

/// Adds a value of the format `s` or `S`. A null pointer is a null string.
///
/// # Safety
/// The glue passes on what the command was given. If `text` is not null it has `len`
/// bytes.
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
        // SAFETY: the pointer is not null, and the caller vouches for `len` bytes.
        Scalar::Text(unsafe { std::slice::from_raw_parts(text.cast(), len) })
    };
    // SAFETY: the handle and the name are those of the running command.
    unsafe { put(handle, name, value) }
}

/// Adds a value.
///
/// # Safety
/// The rules are those of the functions that call it.
unsafe fn put(handle: *mut c_void, name: *const c_char, value: Scalar<'_>) -> c_int {
    // SAFETY: the caller vouches for both.
    unsafe {
        let name = name_bytes(name);
        with_place(handle, -1, |call, place, _| {
            status(call.put(place, name, value))
        })
    }
}

/// Adds a `{` or a `[`, and returns its handle, or null if the reply takes no more.
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
    // SAFETY: the handle and the name are those of the running command.
    unsafe {
        let name = name_bytes(name);
        with_place(handle, std::ptr::null_mut(), |call, place, this| {
            call.open(place, name, kind, this)
                .map_or(std::ptr::null_mut(), <*mut Handle>::cast)
        })
    }
}

/// Refuses a format character that does not exist, and returns the result of `add`.
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
        with_place(handle, -1, |call, place, _| {
            status(Err(call.unknown_in_add(place, char::from(kind as u8))))
        })
    }
}
