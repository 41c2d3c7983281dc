//! The core's C interface, as bindgen translates it.
//!
//! It is meant for `kamailio-rpc` and for the code to which [`module!`](crate::module!)
//! expands. For everything else the other modules of this crate wrap it.

#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    // Older compilers do not know all lints that bindgen allows.
    unknown_lints,
    unreachable_pub,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;

/// A table that C reads. It is an ordinary variable in C, which may also write to it.
#[doc(hidden)]
#[derive(Debug)]
#[repr(transparent)]
pub struct Table<T>(core::cell::UnsafeCell<T>);

// SAFETY: Rust makes the table and writes to it once more, in `init`, while there is
// one process. Kamailio reads it in processes with a single thread each.
unsafe impl<T> Sync for Table<T> {}

impl<T> Table<T> {
    #[doc(hidden)]
    pub const fn new(table: T) -> Self {
        Table(core::cell::UnsafeCell::new(table))
    }

    /// The address of the table for C.
    #[doc(hidden)]
    pub const fn as_ptr<E>(&self) -> *mut E {
        self.0.get().cast()
    }
}

/// The version that the server compares with its own before it accepts a module.
#[doc(hidden)]
pub const FULL_VERSION: *const u8 =
    text_of(concat!("\0ksrrs_version=", env!("KSR_FULL_VERSION"), "\0"));

/// The compile flags that the server compares with its own.
#[doc(hidden)]
pub const COMPILE_FLAGS: *const u8 =
    text_of(concat!("\0ksrrs_flags=", env!("KSR_COMPILE_FLAGS"), "\0"));

/// The text behind the equals sign. The part before it, and the NUL in front of that,
/// let a shell script find the text in a module's file: `scripts/install.sh` sorts
/// modules by the server that they fit.
const fn text_of(marked: &'static str) -> *const u8 {
    let mut at = 0;
    while marked.as_bytes()[at] != b'=' {
        at += 1;
    }
    marked.as_ptr().wrapping_add(at + 1)
}
