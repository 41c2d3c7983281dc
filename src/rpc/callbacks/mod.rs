//! The functions that the glue calls: those of `rpc_t`, one value at a time.
//!
//! Every function here gets pointers that the glue was given by a command, and that the
//! command got from us: the context of its call (made by `dispatch`, or by `delayed`
//! for a later reply) or a handle (kept by the call's buffers, or by the context for
//! the top of the reply). Both are valid while the command runs, or until the later
//! reply is closed. A process has one thread, so a function here has the call to
//! itself.

mod put;
mod take;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;

use kamailio_core::{log_limited, panic};

use crate::context::Context;
use crate::delayed::Block;
use crate::handles::Handle;
use crate::invocation::Invocation;

/// Runs `body` on the call to which a context leads. `body` also gets the address of
/// the call, for handles.
///
/// # Safety
/// `context` is that of the running command, or of a later reply that is not freed.
unsafe fn with_call<R>(
    context: *mut c_void,
    fallback: R,
    body: impl FnOnce(&mut Invocation<'_>, *mut c_void) -> R,
) -> R {
    // SAFETY: the caller vouches for the context, which leads to a valid call.
    unsafe {
        let call = Context::call(context);
        if call.is_null() {
            return fallback;
        }
        with_resolved(call, fallback, |this| body(this, call))
    }
}

/// Runs `body` on a call. A panic becomes a fault for the client.
///
/// # Safety
/// `call` is null or the pointer to which a context or a handle leads.
unsafe fn with_resolved<R>(
    call: *mut c_void,
    fallback: R,
    body: impl FnOnce(&mut Invocation<'_>) -> R,
) -> R {
    let call = call.cast::<Invocation<'_>>();
    let result = panic::stop(None, || {
        // SAFETY: the caller vouches for the pointer, and nothing else uses the call
        // while C waits for us.
        Some(body(unsafe { &mut *call }))
    });
    result.unwrap_or_else(|| {
        panic::stop((), || {
            // SAFETY: the pointer is the same, and the reference above ended with the
            // panic.
            unsafe { &mut *call }.panicked();
        });
        fallback
    })
}

/// Runs `body` on the call to which a handle belongs, and on the handle.
///
/// # Safety
/// `handle` is null or was given to the running command.
unsafe fn with_handle<R>(
    handle: *mut c_void,
    fallback: R,
    body: impl FnOnce(&mut Invocation<'_>, Handle) -> R,
) -> R {
    // SAFETY: the caller vouches for the pointer.
    let Some(handle) = (unsafe { handle.cast::<Handle>().as_ref() }).copied() else {
        log_limited!(Bug, "a command adds to a structure that does not exist");
        return fallback;
    };
    // SAFETY: a handle leads to the call for which it was made.
    unsafe { with_resolved(handle.call, fallback, |call| body(call, handle)) }
}

/// A name as the glue passes it, where null stands for no name.
///
/// # Safety
/// `name` is null or a C string for the time of the call.
unsafe fn name_bytes<'a>(name: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller vouches for the pointer.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes())
}

/// Returns a handle for the top of the reply.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_top(call: *mut c_void) -> *mut c_void {
    // SAFETY: the context is that of the running command, or of a later reply that is
    // not freed.
    unsafe {
        match &*call.cast::<Context>() {
            Context::Running { top, .. } => std::ptr::from_ref(top).cast_mut().cast(),
            Context::Delayed(_) => with_call(call, null_mut(), |this, call| this.top(call).cast()),
        }
    }
}

/// Makes the reply a fault.
///
/// # Safety
/// The glue passes on what the command was given. If `reason` is not null it has `len`
/// bytes.
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
        // SAFETY: the pointer is not null, and the caller vouches for `len` bytes.
        unsafe { std::slice::from_raw_parts(reason.cast(), len) }
    };
    // SAFETY: the context is that of the running command.
    unsafe { with_call(call, (), |call, _| call.fault(code, reason)) }
}

/// Sends the reply before the command is over.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_send(call: *mut c_void) -> c_int {
    // SAFETY: the context is that of the running command.
    unsafe { with_call(call, -1, |call, _| call.send()) }
}

/// Whether the command may reply later, from another process.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_delays(call: *mut c_void) -> bool {
    // SAFETY: the context is that of the running command.
    unsafe { with_call(call, false, |call, _| call.delays()) }
}

/// Makes the context through which the command can reply after it has returned. It
/// returns null if replies cannot come later.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_delay(call: *mut c_void) -> *mut c_void {
    // SAFETY: the context is that of the running command. The command holds a reference
    // to the new block until it returns.
    unsafe {
        let Context::Running { delayed, .. } = &*call.cast::<Context>() else {
            return null_mut();
        };
        let delay = with_call(call, None, |call, _| call.delay());
        let Some(block) = delay.and_then(Block::new) else {
            return null_mut();
        };
        with_call(call, (), |call, _| call.is_delayed());
        delayed.set(Some(block));
        Block::for_command(block)
    }
}

/// Closes a later reply, which is complete, or to which nothing more will be added.
///
/// # Safety
/// The glue passes on what a command got from [`ksrrs_rpc_delay`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_close_delayed(delayed: *mut c_void) {
    // SAFETY: the command got the pointer from `ksrrs_rpc_delay`, and the block is
    // freed here at the earliest.
    unsafe { Block::close(delayed) }
}
