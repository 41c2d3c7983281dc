//! Replies to HTTP requests, which the module `xhttp` receives and passes to the
//! script.

use std::ffi::c_int;

use crate::message::Message;
use crate::{Error, strings, sys};

/// The interface of the loaded `xhttp`.
#[derive(Clone, Copy, Debug)]
pub struct Xhttp {
    reply: unsafe extern "C" fn(
        *mut sys::sip_msg,
        c_int,
        *mut sys::str_,
        *mut sys::str_,
        *mut sys::str_,
    ) -> c_int,
}

impl Xhttp {
    /// Finds `xhttp`. It must be called in `init`, while the module starts.
    ///
    /// # Errors
    /// The module is not loaded, or does not offer its interface.
    pub fn bind() -> Result<Self, Error> {
        // SAFETY: the core compares the name with the exports of the loaded modules.
        let bind = unsafe { sys::find_export(c"bind_xhttp".as_ptr().cast_mut(), 0, 0) };
        let Some(bind) = bind else {
            return Err("the module xhttp is not loaded; add loadmodule \"xhttp.so\"".into());
        };
        let mut api = sys::xhttp_api_t { reply: None };
        // SAFETY: the core keeps every exported function under one type; the function
        // of this name has the type that xhttp's own header gives it.
        let ret = unsafe {
            let bind = std::mem::transmute::<
                unsafe extern "C" fn(_, _, _) -> _,
                unsafe extern "C" fn(*mut sys::xhttp_api_t) -> c_int,
            >(bind);
            bind(&raw mut api)
        };
        match api.reply {
            Some(reply) if ret >= 0 => Ok(Xhttp { reply }),
            _ => Err("the module xhttp does not offer its interface".into()),
        }
    }

    /// Answers the request.
    ///
    /// # Errors
    /// The reply was not sent, for example because it does not fit into this process's
    /// memory. The caller may try another one.
    pub fn reply(
        &self,
        request: &mut Message<'_>,
        code: u16,
        reason: &str,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), Error> {
        let mut reason = strings::counted(reason.as_bytes());
        let mut content_type = strings::counted(content_type.as_bytes());
        let Ok(len) = c_int::try_from(body.len()) else {
            return Err("the reply is larger than the core can count".into());
        };
        let mut body = strings::counted(body);
        body.len = len;
        let message = request.as_ptr();
        // SAFETY: the message is that of the current call, and xhttp copies the texts.
        let ret = unsafe {
            (self.reply)(
                message,
                c_int::from(code),
                &raw mut reason,
                &raw mut content_type,
                &raw mut body,
            )
        };
        if ret >= 0 {
            return Ok(());
        }
        // What was prepared for this reply would be taken for the next one.
        // SAFETY: the list belongs to a message of this process.
        unsafe { sys::del_nonshm_lump_rpl(&raw mut (*message).reply_lump) };
        Err("xhttp did not send the reply".into())
    }
}
