//! What a command holds of its call.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::NonNull;

use rpc_wire::value::Parent;

use crate::call::Call;
use crate::delayed::Block;
use crate::handles::{Handle, Target};

/// What the pointer leads to that a command passes to every function of
/// `rpc_t`.
///
/// # Invariants
/// `Running` leads to a call that lasts until the command returns, and does not move
/// before: a command holds the address of `top`. `Delayed` leads to the block that
/// the context is itself in.
pub(crate) enum Context {
    /// A command that runs in this process.
    Running {
        /// The top of the reply of a [`Call`], which it leads to.
        top: Handle,
        /// The block of a later reply, once the command wants one.
        delayed: Cell<Option<NonNull<Block>>>,
    },
    /// A reply that comes later, from any process.
    Delayed(NonNull<Block>),
}

impl Context {
    /// The context for a command that is about to run.
    pub(crate) fn running(call: &mut Call<'_>) -> Self {
        Context::Running {
            top: Handle {
                call: std::ptr::from_mut(call).cast(),
                target: Target::Reply(Parent::Top),
            },
            delayed: Cell::new(None),
        }
    }

    /// The call that it leads to, null if there is none any more.
    ///
    /// # Safety
    /// `context` was given to a command that runs, or is that of a block that
    /// is not freed.
    pub(crate) unsafe fn call(context: *mut c_void) -> *mut c_void {
        // SAFETY: the caller vouches for the pointer.
        match unsafe { &*context.cast::<Context>() } {
            Context::Running { top, .. } => top.call,
            // SAFETY: the invariants, and the caller for the block.
            Context::Delayed(block) => unsafe { Block::call(*block) },
        }
    }
}
