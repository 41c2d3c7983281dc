//! The arguments of script functions and of KEMI functions. A module serves both with
//! the same code.

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr;

use crate::message::Message;
use crate::variables::{KeptXval, Value};
use crate::{Error, log, panic, strings, sys};

/// The declared type of a script function's argument. In the script each may be a
/// constant, or contain variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// The name of a variable to which the function writes.
    Variable,
}

/// A module's function for the script and for KEMI. Its result is the script's:
/// positive is true, negative is false, and 0 ends the script.
pub type Handler = fn(&mut Message<'_>, &Args<'_>) -> i32;

/// An argument as the core passed it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Arg {
    /// An argument that [`fixup`] prepared. It is evaluated when it is asked for.
    Script(Kind, *mut c_void),
    /// A number in a KEMI call.
    Int(c_int),
    /// A text in a KEMI call.
    Text(*const sys::str_),
    /// The name of a variable in a KEMI call.
    Variable(*const sys::str_),
}

/// The arguments of one call.
#[derive(Debug)]
pub struct Args<'a> {
    message: *mut sys::sip_msg,
    args: &'a [Arg],
    held: PhantomData<&'a ()>,
}

impl Args<'_> {
    /// The number of arguments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.args.len()
    }

    /// Whether there are no arguments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.args.is_empty()
    }

    /// The argument at `index`, from 0, as text.
    ///
    /// The text is a copy. The core evaluates it in one of a few buffers that all
    /// variables in the server share, so the original is overwritten as soon as the
    /// function does something that evaluates more, such as running a command that runs
    /// an event route.
    ///
    /// # Errors
    /// There is no such argument, it is declared as a number, a variable in it has no
    /// value, or there is no memory for the copy.
    pub fn text(&self, index: usize) -> Result<Vec<u8>, Error> {
        match self.args.get(index) {
            Some(Arg::Text(text)) => {
                // SAFETY: the KEMI engine passed the string for the time of the
                // call, and nothing runs before it is copied.
                strings::copied(unsafe { strings::bytes(*text) })
            }
            Some(Arg::Script(Kind::Text, prepared)) => self.evaluated(index, *prepared),
            _ => Err(missing(index, "text")),
        }
    }

    /// The argument at `index`, from 0, as a number.
    ///
    /// # Errors
    /// There is no such argument, it is declared as text, or a variable in it has no
    /// numeric value.
    pub fn int(&self, index: usize) -> Result<i32, Error> {
        match self.args.get(index) {
            Some(Arg::Int(number)) => Ok(*number),
            Some(Arg::Script(Kind::Int, prepared)) => {
                let mut number: c_int = 0;
                // SAFETY: message and argument are those of the current call,
                // and `fixup` prepared the argument as a number.
                let ret =
                    unsafe { sys::get_int_fparam(&raw mut number, self.message, prepared.cast()) };
                (ret == 0)
                    .then_some(number)
                    .ok_or_else(|| missing(index, "a number"))
            }
            _ => Err(missing(index, "a number")),
        }
    }

    /// Writes a number to the variable that is named by the argument at `index`, from
    /// 0.
    ///
    /// # Errors
    /// There is no such argument, it does not name a variable, or that variable cannot
    /// be written to.
    pub fn set_int(&self, index: usize, number: i32) -> Result<(), Error> {
        let variable: *mut sys::pv_spec_t = match self.args.get(index) {
            // What `fixup` prepared begins with the specification of the variable.
            Some(Arg::Script(Kind::Variable, prepared)) => prepared.cast(),
            Some(Arg::Variable(name)) => {
                // SAFETY: the core passed the name for the time of the call. It looks
                // the name up, and keeps the specification for ever.
                unsafe { sys::pv_cache_get(name.cast_mut()) }
            }
            _ => ptr::null_mut(),
        };
        // SAFETY: the pointer is null or leads to a specification of the core's, which
        // is never freed.
        let Some(variable) = (unsafe { variable.as_mut() }) else {
            return Err(missing(index, "a variable"));
        };
        let Some(set) = variable.setf else {
            return Err(missing(index, "a variable that can be written to"));
        };
        let mut value = sys::pv_value_t {
            ri: number as _,
            flags: (sys::PV_VAL_INT | sys::PV_TYPE_INT) as _,
            ..Default::default()
        };
        // SAFETY: the message is that of the current call, and the variable's own
        // function writes to it; it copies the value.
        let ret = unsafe {
            set(
                self.message,
                &raw mut variable.pvp,
                sys::EQ_T as c_int,
                &raw mut value,
            )
        };
        if ret < 0 {
            return Err(missing(index, "a variable that takes a number"));
        }
        Ok(())
    }

    fn evaluated(&self, index: usize, prepared: *mut c_void) -> Result<Vec<u8>, Error> {
        let mut text = strings::counted(b"");
        // SAFETY: message and argument are those of the current call, and
        // `fixup` prepared the argument as text.
        let ret = unsafe { sys::get_str_fparam(&raw mut text, self.message, prepared.cast()) };
        if ret != 0 {
            return Err(missing(index, "text"));
        }
        // SAFETY: the text lies in the message, in the configuration or in a
        // buffer that the core uses again when it evaluates something else. That
        // cannot happen before the copy is made.
        strings::copied(unsafe { strings::bytes(&raw const text) })
    }
}

fn missing(index: usize, kind: &str) -> Error {
    Error::new(format!("argument {} is not {kind}", index + 1))
}

/// Calls a module's function for C.
///
/// # Safety
/// `message` and the pointers in `args` are those of the call in progress.
#[doc(hidden)]
pub unsafe fn call(handler: Handler, message: *mut sys::sip_msg, args: &[Arg]) -> c_int {
    panic::stop(-1, || {
        let args = Args {
            message,
            args,
            held: PhantomData,
        };
        // SAFETY: the caller vouches for the message, and it is dropped with
        // this call.
        match unsafe { Message::from_core(message) } {
            Some(mut message) => handler(&mut message, &args),
            None => {
                log!(Bug, "a function was called without a message");
                -1
            }
        }
    })
}

/// A module's function that gives a value to a KEMI script.
pub type ValueHandler = fn(&mut Message<'_>, &Args<'_>) -> Value;

/// Calls a module's function that returns a value, for a KEMI engine.
///
/// # Safety
/// The rules are those of [`call`].
#[doc(hidden)]
pub unsafe fn call_for_value(
    handler: ValueHandler,
    kept: &KeptXval,
    message: *mut sys::sip_msg,
    args: &[Arg],
) -> *mut sys::sr_kemi_xval_t {
    let value = panic::stop(Value::Null, || {
        let args = Args {
            message,
            args,
            held: PhantomData,
        };
        // SAFETY: the caller vouches for the message, and it is dropped with
        // this call.
        unsafe { Message::from_core(message) }
            .map_or(Value::Null, |mut message| handler(&mut message, &args))
    });
    kept.keep(value)
}

/// Prepares argument `number`, from 1, of a script function while the
/// configuration is read.
///
/// # Safety
/// `arg` is what the core passed to the fixup of a function declared with
/// `kinds`.
#[doc(hidden)]
pub unsafe fn fixup(arg: *mut *mut c_void, number: c_int, kinds: &[Kind]) -> c_int {
    let kind = usize::try_from(number - 1).ok().and_then(|i| kinds.get(i));
    // SAFETY: the caller vouches for `arg`. The core's fixups look at argument 1 only,
    // so each argument is passed as the first.
    unsafe {
        match kind {
            Some(Kind::Text) => sys::fixup_spve_null(arg, 1),
            Some(Kind::Int) => sys::fixup_igp_null(arg, 1),
            Some(Kind::Variable) => sys::fixup_pvar_null(arg, 1),
            // The core also prepares functions without arguments.
            None if kinds.is_empty() => 0,
            None => -1,
        }
    }
}

/// Undoes [`fixup`].
///
/// # Safety
/// The rules are those of [`fixup`], which must have succeeded for this argument.
#[doc(hidden)]
pub unsafe fn free_fixup(arg: *mut *mut c_void, number: c_int, kinds: &[Kind]) -> c_int {
    let kind = usize::try_from(number - 1).ok().and_then(|i| kinds.get(i));
    // SAFETY: the caller vouches for `arg`, as in `fixup`.
    unsafe {
        match kind {
            Some(Kind::Text) => sys::fixup_free_spve_null(arg, 1),
            Some(Kind::Int) => sys::fixup_free_igp_null(arg, 1),
            Some(Kind::Variable) => sys::fixup_free_pvar_null(arg, 1),
            None if kinds.is_empty() => 0,
            None => -1,
        }
    }
}
