//! The context of a call, which is all that a command holds of it.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::NonNull;

use rpc_wire::value::Parent;

use crate::delayed::Block;
use crate::handles::{Handle, Target};
use crate::invocation::Invocation;

/// The target of the pointer that a command passes to every function of `rpc_t`.
///
/// # Invariants
/// `Running` leads to a call that lasts until the command returns and does not move
/// before, because a command holds the address of `top`. `Delayed` leads to the block
/// that contains the context.
pub(crate) enum Context {
    /// The command runs in this process.
    Running {
        /// The top of the reply. It leads to the call.
        top: Handle,
        /// The block of a later reply, once the command has asked for one.
        delayed: Cell<Option<NonNull<Block>>>,
    },
    /// The reply comes later, from any process.
    Delayed(NonNull<Block>),
}

impl Context {
    /// The context for a command that is about to run.
    pub(crate) fn running(call: &mut Invocation<'_>) -> Self {
        Context::Running {
            top: Handle {
                call: std::ptr::from_mut(call).cast(),
                target: Target::Reply(Parent::Top),
            },
            delayed: Cell::new(None),
        }
    }

    /// The call to which it leads, or null if the call is over.
    ///
    /// # Safety
    /// `context` was given to a command that runs, or is that of a block that is not
    /// freed.
    pub(crate) unsafe fn call(context: *mut c_void) -> *mut c_void {
        // SAFETY: the caller vouches for the pointer.
        match unsafe { &*context.cast::<Context>() } {
            Context::Running { top, .. } => top.call,
            // SAFETY: the block is that of the invariants, and the caller vouches that
            // it is not freed.
            Context::Delayed(block) => unsafe { Block::call(*block) },
        }
    }
}
