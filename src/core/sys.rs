//! The core's C interface as bindgen sees it.
//!
//! For `kamailio-rpc` and for what [`module!`](crate::module) expands to; the
//! other modules of this crate wrap it for everybody else.

#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    // Older compilers do not know all that bindgen allows.
    unknown_lints,
    unreachable_pub,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;

/// A table that C reads and, as it is an ordinary C variable there, may write.
#[doc(hidden)]
#[derive(Debug)]
#[repr(transparent)]
pub struct Table<T>(core::cell::UnsafeCell<T>);

// SAFETY: Rust makes a table and writes to it once more, in `init`, when there is
// one process; Kamailio reads it in processes that have a single thread each.
unsafe impl<T> Sync for Table<T> {}

impl<T> Table<T> {
    #[doc(hidden)]
    pub const fn new(table: T) -> Self {
        Table(core::cell::UnsafeCell::new(table))
    }

    /// Where C finds it.
    #[doc(hidden)]
    pub const fn as_ptr<E>(&self) -> *mut E {
        self.0.get().cast()
    }
}

/// The version that the server compares with its own before it uses a module.
#[doc(hidden)]
pub const FULL_VERSION: *const u8 =
    text_of(concat!("\0ksrrs_version=", env!("KSR_FULL_VERSION"), "\0"));

/// The compile flags that the server compares likewise.
#[doc(hidden)]
pub const COMPILE_FLAGS: *const u8 =
    text_of(concat!("\0ksrrs_flags=", env!("KSR_COMPILE_FLAGS"), "\0"));

/// Where the text behind the equals sign begins. What stands before it, and the
/// NUL in front, let a shell script find the text in the file of a module:
/// `scripts/install.sh` sorts modules by the server that they fit.
const fn text_of(marked: &'static str) -> *const u8 {
    let mut at = 0;
    while marked.as_bytes()[at] != b'=' {
        at += 1;
    }
    marked.as_ptr().wrapping_add(at + 1)
}
