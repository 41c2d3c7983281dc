//! The core's counted strings.

use std::ffi::c_char;

use crate::{Error, sys};

/// The bytes of a counted string. One with a null pointer or a negative length is
/// empty.
///
/// # Safety
/// `text` points at a `str` whose `s`, if not null, is readable for `len` bytes
/// as long as the result is used.
#[doc(hidden)]
#[must_use]
pub unsafe fn bytes<'a>(text: *const sys::str_) -> &'a [u8] {
    // SAFETY: the caller vouches for the pointer.
    let Some(text) = (unsafe { text.as_ref() }) else {
        return &[];
    };
    if text.s.is_null() || text.len <= 0 {
        return &[];
    }
    // SAFETY: the pointer is not null, and the caller vouches for `len` bytes.
    unsafe { std::slice::from_raw_parts(text.s.cast::<u8>(), text.len as usize) }
}

/// A copy of bytes that the core will soon overwrite.
///
/// # Errors
/// There is no memory for the copy.
pub(crate) fn copied(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())
        .map_err(|_| Error::new(format!("no memory for {} bytes of text", bytes.len())))?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// A counted string for bytes that the core only reads.
///
/// The pointer of an empty Rust slice leads to no memory. An empty C string has an
/// address, which some of the core's functions use, so one is provided.
#[doc(hidden)]
#[must_use]
pub const fn counted(text: &[u8]) -> sys::str_ {
    let start = if text.is_empty() {
        c"".as_ptr()
    } else {
        text.as_ptr().cast::<c_char>()
    };
    sys::str_ {
        s: start.cast_mut(),
        len: text.len() as i32,
    }
}

/// A counted string for a name that the core reads by its length in one place and up to
/// its NUL in another. `text` must end with that NUL.
#[doc(hidden)]
#[must_use]
pub const fn name(text: &'static str) -> sys::str_ {
    sys::str_ {
        s: text.as_ptr().cast::<c_char>().cast_mut(),
        len: text.len() as i32 - 1,
    }
}
