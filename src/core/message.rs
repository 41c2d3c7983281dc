//! The SIP message that a script function works on.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::{Error, sys};

/// A SIP message that the core keeps alive during a call of ours.
#[derive(Debug)]
pub struct Message<'a> {
    message: NonNull<sys::sip_msg>,
    held: PhantomData<&'a mut sys::sip_msg>,
}

impl Message<'_> {
    /// Wraps the message of a call. It returns `None` in the few places where the core
    /// has no message to give.
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

    /// The core's pointer to the message.
    #[doc(hidden)]
    #[must_use]
    pub fn as_ptr(&self) -> *mut sys::sip_msg {
        self.message.as_ptr()
    }

    /// Whether it is an HTTP request. The core passes those to scripts like SIP
    /// messages.
    #[must_use]
    pub fn is_http(&self) -> bool {
        // SAFETY: the message is valid for the whole call, and only read.
        unsafe { sys::ksrrs_is_http(self.message.as_ptr()) != 0 }
    }

    /// Whether it came over a connection. The sender of a datagram could be forged.
    #[must_use]
    pub fn is_over_stream(&self) -> bool {
        // SAFETY: the message is valid for the whole call.
        let proto = unsafe { (*self.message.as_ptr()).rcv.proto };
        self.is_over_tcp() || sys::PROTO_SCTP as i64 == i64::from(proto)
    }

    /// The body, which follows the headers.
    #[must_use]
    pub fn body(&mut self) -> &[u8] {
        // SAFETY: the message is valid for the whole call. The core parses the headers
        // that it has not parsed, and returns null or a position in the message's
        // buffer, which has `len` bytes and is not changed.
        unsafe {
            let body = sys::get_body(self.message.as_ptr());
            if body.is_null() {
                return &[];
            }
            let start = (*self.message.as_ptr()).buf;
            let len = (*self.message.as_ptr()).len as usize;
            let before = body.addr() - start.addr();
            std::slice::from_raw_parts(body.cast(), len.saturating_sub(before))
        }
    }

    /// Copies it into shared memory, so that any process can answer it after this call.
    ///
    /// # Errors
    /// The message cannot be read, or shared memory is full.
    pub fn share(&mut self) -> Result<SharedMessage, Error> {
        let mut size: c_int = 0;
        // SAFETY: the message is valid for the whole call; the core parses the
        // headers that it has not parsed, and copies.
        let copy = unsafe { sys::ksrrs_message_share(self.message.as_ptr(), &raw mut size) };
        let message = NonNull::new(copy).ok_or("the message cannot be kept in shared memory")?;
        // INVARIANT: the core has just made the copy, with this size.
        Ok(SharedMessage { message, size })
    }

    /// The number that this process gave the message.
    #[must_use]
    pub fn id(&self) -> u32 {
        // SAFETY: the message is valid for the whole call.
        unsafe { (*self.message.as_ptr()).id }
    }
}

/// A copy of a message in shared memory. It is freed when this is dropped.
///
/// # Invariants
/// The copy is complete and has this size, and no process has another owner of it.
#[derive(Debug)]
pub struct SharedMessage {
    message: NonNull<sys::sip_msg>,
    size: c_int,
}

impl SharedMessage {
    /// The copy as a message of this process.
    pub fn message(&mut self) -> Message<'_> {
        Message {
            message: self.message,
            held: PhantomData,
        }
    }
}

impl Drop for SharedMessage {
    fn drop(&mut self) {
        // SAFETY: the invariants hold. Whatever this process allocated for the copy is
        // found and freed, too.
        unsafe { sys::ksrrs_message_unshare(self.message.as_ptr(), self.size) };
    }
}
