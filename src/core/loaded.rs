//! The command that tells an operator which builds of our modules the server has
//! loaded.
//!
//! Each module exports a record of its build. The modules share nothing else, so the
//! first one that is loaded adds the command, which finds all records through the
//! server's list of modules.

use std::ffi::{CStr, CString, c_char, c_int};
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::command::{Call, Fault};
use crate::sys::{self, Table};
use crate::{last, log};

/// A record of what a module was built from.
///
/// Our modules of different versions read each other's records. So no field is ever
/// moved or given another type; a later version adds fields at the end and increments
/// the format. The texts end with a NUL.
#[doc(hidden)]
#[derive(Debug)]
#[repr(C)]
pub struct Build {
    format: u32,
    version: *const c_char,
    commit: *const c_char,
    kamailio: *const c_char,
    /// The module's file. It is null until it is known.
    path: AtomicPtr<c_char>,
}

/// The number of the first format, whose fields end with the path.
const FORMAT: u32 = 1;

/// The name under which a pointer to a [`Build`] is exported.
/// [`module!`](crate::module!) repeats it.
const SYMBOL: &CStr = c"ksrrs_build";

// SAFETY: the pointers lead to constants, except for the path, which is atomic.
unsafe impl Sync for Build {}

impl Build {
    /// A record with these texts, each of which must end with a NUL.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(version: &'static str, commit: &'static str) -> Self {
        Build {
            format: FORMAT,
            version: constant(version),
            commit: constant(commit),
            kamailio: constant(concat!(env!("KSR_VERSION"), "\0")),
            path: AtomicPtr::new(null_mut()),
        }
    }

    /// Notes the module's file with links resolved, because the path that the server
    /// knows may lead through a link that points elsewhere once another build is
    /// installed.
    fn note_path(&self, path: &CStr) {
        let path = Path::new(std::ffi::OsStr::from_bytes(path.to_bytes()));
        let real = path.canonicalize().ok();
        if let Some(real) = real.and_then(|real| CString::new(real.as_os_str().as_bytes()).ok()) {
            self.path.store(real.into_raw(), Ordering::Relaxed);
        }
    }
}

const fn constant(text: &'static str) -> *const c_char {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text.as_ptr(),
        Err(_) => panic!("the text has no NUL at its end, or one before"),
    }
}

const COMMAND: &str = "rust.modules";

static COMMANDS: Table<[sys::rpc_export_t; 2]> = Table::new([
    crate::__command!(
        "rust.modules",
        tell,
        "List the modules in Rust that are loaded: version, commit, Kamailio, path",
        returns_array
    ),
    last::COMMAND,
]);

/// Publishes the build of a module that is being loaded.
///
/// # Safety
/// `path` is null or a C string.
pub(crate) unsafe fn register(build: &Build, path: *const c_char) {
    if !path.is_null() {
        // SAFETY: the path is not null, and the caller vouches for it.
        build.note_path(unsafe { CStr::from_ptr(path) });
    }
    // SAFETY: the core reads the name by its length.
    let taken =
        unsafe { sys::ksrrs_rpc_exists(COMMAND.as_ptr().cast(), COMMAND.len() as c_int) } != 0;
    // SAFETY: the table is a static with the end that the core expects.
    if !taken && unsafe { sys::rpc_register_array(COMMANDS.as_ptr()) } != 0 {
        log!(Warning, "the command {COMMAND} cannot be added");
    }
}

/// Answers `rust.modules` with a structure for each of our modules. The last one that
/// was loaded comes first, as in `core.modules`.
fn tell(call: &mut Call<'_>) -> Result<(), Fault> {
    for loaded in modules().filter_map(Loaded::of) {
        let mut entry = call.add_struct()?;
        entry.add_text(c"module", loaded.name)?;
        entry.add_text(c"version", loaded.version)?;
        entry.add_text(c"commit", loaded.commit)?;
        entry.add_text(c"kamailio", loaded.kamailio)?;
        entry.add_text(c"path", loaded.path)?;
    }
    Ok(())
}

/// All modules that the server has loaded, including those that are not ours.
fn modules() -> impl Iterator<Item = &'static sys::sr_module_t> {
    // SAFETY: the core fills its list while it reads the configuration, before
    // anybody can call a command, and keeps it as long as commands run.
    let first = unsafe { sys::get_loaded_modules().as_ref() };
    // SAFETY: it is the same list, which ends with null.
    iter::successors(first, |module| unsafe { module.next.as_ref() })
}

/// What the command tells about one of our modules.
struct Loaded {
    name: &'static [u8],
    version: &'static [u8],
    commit: &'static [u8],
    kamailio: &'static [u8],
    path: &'static [u8],
}

impl Loaded {
    fn of(module: &'static sys::sr_module_t) -> Option<Self> {
        // Modules that are linked into the server have no handle, and for a null handle
        // dlsym would search all files.
        if module.handle.is_null() {
            return None;
        }
        // SAFETY: the handle comes from dlopen, and the core closes it only when it
        // ends.
        let symbol = unsafe { libc::dlsym(module.handle, SYMBOL.as_ptr()) };
        // SAFETY: the name is ours, and every build of ours exports under it a
        // constant pointer to a record in the layout of `Build`, or in a later one
        // that begins alike.
        let build = unsafe { symbol.cast::<*const Build>().as_ref()?.as_ref()? };
        let own_path = build.path.load(Ordering::Relaxed).cast_const();
        let path = if own_path.is_null() {
            module.path.cast_const()
        } else {
            own_path
        };
        Some(Loaded {
            // SAFETY: these are C strings or null, and live as long as their module.
            name: unsafe { text(module.exports.name) },
            // SAFETY: the text is a constant of the module, as its name is.
            version: unsafe { text(build.version) },
            // SAFETY: the text is a constant of the module, as its name is.
            commit: unsafe { text(build.commit) },
            // SAFETY: the text is a constant of the module, as its name is.
            kamailio: unsafe { text(build.kamailio) },
            // SAFETY: the path is null or a C string that is never freed.
            path: unsafe { text(path) },
        })
    }
}

/// The bytes of a C string. A null pointer gives none.
///
/// # Safety
/// The string lives as long as the server.
unsafe fn text(start: *const c_char) -> &'static [u8] {
    if start.is_null() {
        return b"";
    }
    // SAFETY: the pointer is not null, and the caller vouches for it.
    unsafe { CStr::from_ptr(start) }.to_bytes()
}
