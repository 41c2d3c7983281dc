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

    /// Whether it is an HTTP request, which the core hands to scripts like one
    /// of SIP.
    #[must_use]
    pub fn is_http(&self) -> bool {
        // SAFETY: the message is valid for the whole call, and only read.
        unsafe { sys::ksrrs_is_http(self.message.as_ptr()) != 0 }
    }

    /// What follows its headers.
    #[must_use]
    pub fn body(&mut self) -> &[u8] {
        // SAFETY: the message is valid for the whole call; the core parses the
        // headers it has not parsed and answers null or a place in the buffer
        // of the message, which has `len` bytes and stays as it is.
        unsafe {
            let body = sys::get_body(self.message.as_ptr());
            if body.is_null() {
                return &[];
            }
            let start = (*self.message.as_ptr()).buf;
            let len = (*self.message.as_ptr()).len as usize;
            let before = body.offset_from_unsigned(start);
            std::slice::from_raw_parts(body.cast(), len.saturating_sub(before))
        }
    }

    /// The number this process gave the message.
    #[must_use]
    pub fn id(&self) -> u32 {
        // SAFETY: the message is valid for the whole call.
        unsafe { (*self.message.as_ptr()).id }
    }
}
