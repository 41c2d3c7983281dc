//! What the server says about itself.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::sys;

/// Where the server keeps its sockets and named pipes (`runtime_dir`).
#[must_use]
pub fn runtime_dir() -> PathBuf {
    // SAFETY: the core sets the variable before it loads modules and never
    // frees it; it is null or a C string.
    let dir = unsafe { sys::runtime_dir };
    if dir.is_null() {
        return PathBuf::new();
    }
    // SAFETY: as above.
    PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(dir) }.to_bytes()))
}

/// The user and the group that the core gives its own Unix sockets, where the
/// configuration names them.
#[must_use]
pub fn socket_owner() -> (Option<u32>, Option<u32>) {
    // SAFETY: plain numbers that the core sets before it initializes modules.
    let (user, group) = unsafe { (sys::sock_uid, sys::sock_gid) };
    (u32::try_from(user).ok(), u32::try_from(group).ok())
}

/// Whether the server is ending, and no command may run any more.
#[must_use]
pub fn is_ending() -> bool {
    // SAFETY: no argument; the function reads a flag in shared memory.
    unsafe { sys::ksr_shutdown_phase() != 0 }
}

/// The name the server calls itself, such as `kamailio`, which its default
/// sockets carry.
#[must_use]
pub fn name() -> &'static str {
    // SAFETY: a constant of the glue, a C string.
    unsafe { CStr::from_ptr(sys::ksrrs_server_name.as_ptr()) }
        .to_str()
        .unwrap_or_default()
}
