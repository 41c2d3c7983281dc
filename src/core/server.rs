//! What the server tells about itself.

use std::ffi::{CStr, CString, OsStr, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::sys;

/// Whether the pretty JSON of this version of the server has each value of an array on
/// a line of its own.
pub const PUTS_ARRAYS_ON_LINES: bool = cfg!(ksr_json_arrays_on_lines);

/// The directory in which the server keeps its sockets and named pipes (`runtime_dir`).
#[must_use]
pub fn runtime_dir() -> PathBuf {
    // SAFETY: the core sets the variable before it loads modules and never
    // frees it; it is null or a C string.
    let dir = unsafe { sys::runtime_dir };
    if dir.is_null() {
        return PathBuf::new();
    }
    // SAFETY: the pointer is not null, so it is a C string that is never freed.
    PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(dir) }.to_bytes()))
}

/// The user and the group that the core gives to its own Unix sockets, if the
/// configuration sets them.
#[must_use]
pub fn socket_owner() -> (Option<u32>, Option<u32>) {
    // SAFETY: plain numbers that the core sets before it initializes modules.
    let (user, group) = unsafe { (sys::sock_uid, sys::sock_gid) };
    (u32::try_from(user).ok(), u32::try_from(group).ok())
}

/// The number of a user, who is given by name or by number.
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

/// The number of a user. If the user is given by name, it comes with the number of the
/// user's primary group.
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

/// A name for the core. An empty one is refused, because the core would take it for the
/// number 0.
fn id_name(name: &str) -> Option<CString> {
    CString::new(name).ok().filter(|name| !name.is_empty())
}

/// The number of a group, which is given by name or by number.
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

/// Whether the server is ending, so that no command may run any more.
#[must_use]
pub fn is_ending() -> bool {
    // SAFETY: the function has no argument, and only reads a flag in shared memory.
    unsafe { sys::ksr_shutdown_phase() != 0 }
}

/// The name of the server, such as `kamailio`, which is part of its default sockets'
/// names.
#[must_use]
pub fn name() -> &'static str {
    // SAFETY: this is a constant of the glue, and a C string.
    unsafe { CStr::from_ptr(sys::ksrrs_server_name.as_ptr()) }
        .to_str()
        .unwrap_or_default()
}
