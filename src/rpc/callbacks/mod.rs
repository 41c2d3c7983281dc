//! What the glue calls: `rpc_t`, one value at a time.
//!
//! Every function here gets pointers that the glue was given by a command, and
//! those the command got from us: the context of its call (`dispatch` makes it,
//! or `delayed` for a later reply) or a handle (`Call` keeps it, or the context
//! that of the top). Both are valid while the command runs, or until the later
//! reply is closed, and a process has one thread, so the call is ours alone for the
//! time of a function here.

mod put;
mod take;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;

use kamailio_core::{log_limited, panic};

use crate::call::Call;
use crate::context::Context;
use crate::delayed::Block;
use crate::handles::Handle;

/// Runs `body` on the call of a context; it also gets the call as handles know
/// it.
///
/// # Safety
/// `context` is that of the command that is running, or of a later reply that
/// is not freed.
unsafe fn with_call<R>(
    context: *mut c_void,
    fallback: R,
    body: impl FnOnce(&mut Call<'_>, *mut c_void) -> R,
) -> R {
    // SAFETY: the caller vouches for the context, and it for the call.
    unsafe {
        let call = Context::call(context);
        if call.is_null() {
            return fallback;
        }
        with_resolved(call, fallback, |this| body(this, call))
    }
}

/// Runs `body` on a call; a panic becomes a fault to the client.
///
/// # Safety
/// `call` is what a context or a handle leads to.
unsafe fn with_resolved<R>(
    call: *mut c_void,
    fallback: R,
    body: impl FnOnce(&mut Call<'_>) -> R,
) -> R {
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
    // SAFETY: a handle leads to the call that it was made for.
    unsafe { with_resolved(handle.call, fallback, |call| body(call, handle)) }
}

/// A name as the glue passes it: null for none.
///
/// # Safety
/// `name` is null or a C string for the time of the call.
unsafe fn name_bytes<'a>(name: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller vouches for the pointer.
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes())
}

/// A handle for the top of the reply.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_top(call: *mut c_void) -> *mut c_void {
    // SAFETY: the context of the running command, or of a later reply that is not
    // freed.
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
    unsafe { with_call(call, (), |call, _| call.fault(code, reason)) }
}

/// Sends the reply before the command is over.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_send(call: *mut c_void) -> c_int {
    // SAFETY: the context of the running command.
    unsafe { with_call(call, -1, |call, _| call.send()) }
}

/// Whether the command is told that it may reply later, from another process.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_delays(call: *mut c_void) -> bool {
    // SAFETY: the context of the running command.
    unsafe { with_call(call, false, |call, _| call.delays()) }
}

/// Makes what the command replies through when it has returned; null where
/// replies cannot come later.
///
/// # Safety
/// The glue passes on what the command was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_delay(call: *mut c_void) -> *mut c_void {
    // SAFETY: the context of the running command; the block that is made has a
    // reference of the command's until that returns.
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

/// The later reply is complete, or there is nothing more to be said.
///
/// # Safety
/// The glue passes on what [`ksrrs_rpc_delay`] gave a command.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ksrrs_rpc_close_delayed(delayed: *mut c_void) {
    // SAFETY: as above; it is freed here at the earliest.
    unsafe { Block::close(delayed) }
}
