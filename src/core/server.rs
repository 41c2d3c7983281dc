//! What the server says about itself.

use std::ffi::{CStr, CString, OsStr, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::sys;

/// Whether this version's pretty form of JSON has each value of an array on a
/// line of its own.
pub const PUTS_ARRAYS_ON_LINES: bool = cfg!(ksr_json_arrays_on_lines);

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

/// The number of a user, given by name or by number.
#[must_use]
pub fn user_id(name: &str) -> Option<u32> {
    let name = id_name(name)?;
    let mut user: c_int = -1;
    // SAFETY: the core only reads the name and takes a null for the group.
    let ret = unsafe {
        sys::user2uid(
            &raw mut user,
            std::ptr::null_mut(),
            name.as_ptr().cast_mut(),
        )
    };
    (ret == 0)
        .then_some(user)
        .and_then(|id| u32::try_from(id).ok())
}

/// The number of a user, and if the user is given by name also that of the
/// group that the user belongs to first.
#[must_use]
pub fn user_and_group_id(name: &str) -> Option<(u32, Option<u32>)> {
    let name = id_name(name)?;
    let mut user: c_int = -1;
    let mut group: c_int = -1;
    // SAFETY: the core only reads the name.
    let ret = unsafe { sys::user2uid(&raw mut user, &raw mut group, name.as_ptr().cast_mut()) };
    let user = (ret == 0).then_some(user)?;
    Some((u32::try_from(user).ok()?, u32::try_from(group).ok()))
}

/// A name for the core, which takes an empty one for the number 0.
fn id_name(name: &str) -> Option<CString> {
    CString::new(name).ok().filter(|name| !name.is_empty())
}

/// The number of a group, given by name or by number.
#[must_use]
pub fn group_id(name: &str) -> Option<u32> {
    let name = id_name(name)?;
    let mut group: c_int = -1;
    // SAFETY: the core only reads the name.
    let ret = unsafe { sys::group2gid(&raw mut group, name.as_ptr().cast_mut()) };
    (ret == 0)
        .then_some(group)
        .and_then(|id| u32::try_from(id).ok())
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
