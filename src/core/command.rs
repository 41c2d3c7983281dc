//! RPC commands that a module adds to the server. Any transport may call them:
//! our own, xmlrpc, or the C modules.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::NonNull;

use crate::{log, panic, strings, sys};

/// The reason why a command failed, for the client that called it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A code such as 400 for a wrong request, or 500 for a failure of the server.
    pub code: i32,
    /// A text such as `no such table`.
    pub reason: String,
}

impl Fault {
    /// A fault with this code and text.
    pub fn new(code: i32, reason: impl Into<String>) -> Self {
        Fault {
            code,
            reason: reason.into(),
        }
    }
}

/// A module's command. It reads parameters from the call and adds its answer to it.
pub type Handler = fn(&mut Call<'_>) -> Result<(), Fault>;

/// A call of a module's command that is in progress.
#[derive(Debug)]
pub struct Call<'a> {
    rpc: &'a sys::rpc_t,
    context: *mut c_void,
}

/// The fault for a reply that takes no more.
fn full() -> Fault {
    Fault::new(500, "the reply cannot take this value")
}

impl Call<'_> {
    /// Adds a text to the reply.
    ///
    /// # Errors
    /// The reply takes no more.
    pub fn add_text(&mut self, text: impl AsRef<[u8]>) -> Result<(), Fault> {
        let mut text = strings::counted(text.as_ref());
        self.add(c"S", |add, format, context| {
            // SAFETY: the format asks for one pointer to a counted string,
            // which the transport copies.
            unsafe { add(context, format, &raw mut text) }
        })
    }

    /// Adds a number to the reply.
    ///
    /// # Errors
    /// The reply takes no more.
    pub fn add_int(&mut self, number: i32) -> Result<(), Fault> {
        self.add(c"d", |add, format, context| {
            // SAFETY: the format asks for one int.
            unsafe { add(context, format, number) }
        })
    }

    /// Adds a structure to the reply. It must be filled before the next value is added.
    ///
    /// # Errors
    /// The reply takes no more.
    pub fn add_struct(&mut self) -> Result<Structure<'_>, Fault> {
        let mut handle: *mut c_void = std::ptr::null_mut();
        self.add(c"{", |add, format, context| {
            // SAFETY: the format asks for one pointer to a handle.
            unsafe { add(context, format, &raw mut handle) }
        })?;
        Ok(Structure {
            rpc: self.rpc,
            handle: NonNull::new(handle).ok_or_else(full)?,
        })
    }

    /// Reads the next parameter as text, if there is one.
    #[must_use]
    pub fn next_text(&mut self) -> Option<Vec<u8>> {
        let mut text = strings::counted(b"");
        let scan = self.rpc.scan?;
        // SAFETY: the format asks for one pointer to a counted string; the
        // transport's function has C's variadic signature.
        let read = unsafe { scan(self.context, c"*.S".as_ptr().cast_mut(), &raw mut text) };
        // SAFETY: the text lives in the transport until the command returns.
        (read == 1).then(|| unsafe { strings::bytes(&raw const text) }.to_vec())
    }

    /// Reads the next parameter as a number, if there is one.
    #[must_use]
    pub fn next_int(&mut self) -> Option<i32> {
        let mut number: c_int = 0;
        let scan = self.rpc.scan?;
        // SAFETY: the format asks for one pointer to an int.
        let read = unsafe { scan(self.context, c"*.d".as_ptr().cast_mut(), &raw mut number) };
        (read == 1).then_some(number)
    }

    /// Reads the next parameter as a structure, if there is one. Only the line protocol
    /// has such parameters.
    #[must_use]
    pub fn next_struct(&mut self) -> Option<StructParam<'_>> {
        let mut handle: *mut c_void = std::ptr::null_mut();
        let scan = self.rpc.scan?;
        // SAFETY: the format asks for one pointer to a handle.
        let read = unsafe { scan(self.context, c"*{".as_ptr().cast_mut(), &raw mut handle) };
        let handle = NonNull::new(handle).filter(|_| read == 1)?;
        Some(StructParam {
            rpc: self.rpc,
            handle,
        })
    }

    fn add(
        &mut self,
        format: &CStr,
        call: impl FnOnce(
            unsafe extern "C" fn(*mut c_void, *mut c_char, ...) -> c_int,
            *mut c_char,
            *mut c_void,
        ) -> c_int,
    ) -> Result<(), Fault> {
        let add = self.rpc.add.ok_or_else(full)?;
        match call(add, format.as_ptr().cast_mut(), self.context) {
            0.. => Ok(()),
            _ => Err(full()),
        }
    }

    fn fault(&mut self, fault: &Fault) {
        let Some(raise) = self.rpc.fault else { return };
        let reason = CString::new(fault.reason.replace('\0', "?")).unwrap_or_default();
        // SAFETY: the format asks for one C string, which the transport copies.
        unsafe {
            raise(
                self.context,
                fault.code,
                c"%s".as_ptr().cast_mut(),
                reason.as_ptr(),
            );
        }
    }
}

/// A structure among the parameters of a command.
#[derive(Debug)]
pub struct StructParam<'a> {
    rpc: &'a sys::rpc_t,
    handle: NonNull<c_void>,
}

impl StructParam<'_> {
    /// Reads a member as text, if there is one with this name. Each member is read
    /// once.
    #[must_use]
    pub fn text(&mut self, name: &CStr) -> Option<Vec<u8>> {
        let mut text = strings::counted(b"");
        let scan = self.rpc.struct_scan?;
        // SAFETY: the format asks for a C string and a pointer to a counted
        // string.
        let read = unsafe {
            scan(
                self.handle.as_ptr(),
                c"S".as_ptr().cast_mut(),
                name.as_ptr(),
                &raw mut text,
            )
        };
        // SAFETY: the text lives in the transport until the command returns.
        (read == 1).then(|| unsafe { strings::bytes(&raw const text) }.to_vec())
    }

    /// Reads a member as a number, if there is one with this name.
    #[must_use]
    pub fn int(&mut self, name: &CStr) -> Option<i32> {
        let mut number: c_int = 0;
        let scan = self.rpc.struct_scan?;
        // SAFETY: the format asks for a C string and a pointer to an int.
        let read = unsafe {
            scan(
                self.handle.as_ptr(),
                c"d".as_ptr().cast_mut(),
                name.as_ptr(),
                &raw mut number,
            )
        };
        (read == 1).then_some(number)
    }
}

/// A structure in a command's reply.
#[derive(Debug)]
pub struct Structure<'a> {
    rpc: &'a sys::rpc_t,
    handle: NonNull<c_void>,
}

impl Structure<'_> {
    /// Adds a member that is a text.
    ///
    /// # Errors
    /// The reply takes no more.
    pub fn add_text(&mut self, name: &CStr, text: impl AsRef<[u8]>) -> Result<(), Fault> {
        let mut text = strings::counted(text.as_ref());
        let add = self.rpc.struct_add.ok_or_else(full)?;
        // SAFETY: the format asks for a C string and a pointer to a counted
        // string; the transport copies both.
        let ret = unsafe {
            add(
                self.handle.as_ptr(),
                c"S".as_ptr().cast_mut(),
                name.as_ptr(),
                &raw mut text,
            )
        };
        if ret < 0 { Err(full()) } else { Ok(()) }
    }

    /// Adds a member that is a number.
    ///
    /// # Errors
    /// The reply takes no more.
    pub fn add_int(&mut self, name: &CStr, number: i32) -> Result<(), Fault> {
        let add = self.rpc.struct_add.ok_or_else(full)?;
        // SAFETY: the format asks for a C string, which the transport copies,
        // and an int.
        let ret = unsafe {
            add(
                self.handle.as_ptr(),
                c"d".as_ptr().cast_mut(),
                name.as_ptr(),
                number,
            )
        };
        if ret < 0 { Err(full()) } else { Ok(()) }
    }
}

/// Runs a module's command for C.
///
/// # Safety
/// The pointers are those of a call of an `rpc_function_t`.
#[doc(hidden)]
pub unsafe fn run(name: &str, handler: Handler, rpc: *mut sys::rpc_t, context: *mut c_void) {
    // SAFETY: the caller vouches for both; a transport's table is constant.
    let Some(rpc) = (unsafe { rpc.as_ref() }) else {
        log!(Bug, "{name} was called without a transport");
        return;
    };
    let mut call = Call { rpc, context };
    let outcome = panic::stop(
        Err(Fault::new(500, format!("internal error in {name}"))),
        || handler(&mut call),
    );
    if let Err(fault) = outcome {
        call.fault(&fault);
    }
}
