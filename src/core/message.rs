//! The SIP message that a script function works on.

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::sys;

/// A SIP message that the core holds while it calls us.
#[derive(Debug)]
pub struct Message<'a> {
    message: NonNull<sys::sip_msg>,
    held: PhantomData<&'a mut sys::sip_msg>,
}

impl Message<'_> {
    /// Wraps the message of a call; none in the few places where the core has
    /// none to give.
    ///
    /// # Safety
    /// `message` is null or what the core passed to the function that is being
    /// called, and the result does not outlive that call.
    #[doc(hidden)]
    #[must_use]
    pub unsafe fn from_core(message: *mut sys::sip_msg) -> Option<Self> {
        Some(Message {
            message: NonNull::new(message)?,
            held: PhantomData,
        })
    }

    /// The core's own pointer.
    #[doc(hidden)]
    #[must_use]
    pub fn as_ptr(&self) -> *mut sys::sip_msg {
        self.message.as_ptr()
    }

    /// The number this process gave the message.
    #[must_use]
    pub fn id(&self) -> u32 {
        // SAFETY: the message is valid for the whole call.
        unsafe { (*self.message.as_ptr()).id }
    }
}
