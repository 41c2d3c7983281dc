//! The script's event routes: `event_route[name]`.

use std::ffi::{CStr, CString, c_int};

use crate::{strings, sys};

/// What the script does when an event happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// It runs the event route to which the core gave this number.
    Route(EventRoute),
    /// It calls a function of a KEMI script, and passes the event's name to it.
    Callback {
        /// The function.
        function: CString,
        /// The event.
        event: &'static CStr,
    },
}

/// An event route of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRoute(c_int);

impl EventRoute {
    /// Finds an event route. It may be called from a module's `init` on.
    #[must_use]
    pub fn find(name: &CStr) -> Option<Self> {
        // SAFETY: the core compares the name with those of the script.
        let index = unsafe { sys::ksrrs_event_route(name.as_ptr()) };
        (index >= 0).then_some(EventRoute(index))
    }
}

/// Whether the script is written for KEMI.
#[must_use]
pub fn has_kemi_script() -> bool {
    // SAFETY: the core returns null or a pointer to its engine.
    unsafe { !sys::sr_kemi_eng_get().is_null() }
}

impl Action {
    /// Runs it for something that came from `source`, and returns whether that was
    /// possible.
    ///
    /// # Safety
    /// `source` is readable, and this is a process that runs no script now.
    pub(crate) unsafe fn run(&self, source: *const sys::receive_info_t) -> bool {
        let empty = strings::counted(b"");
        let (route, mut function, mut event) = match self {
            Action::Route(route) => (route.0, empty, empty),
            Action::Callback { function, event } => (
                -1,
                strings::counted(function.to_bytes()),
                strings::counted(event.to_bytes()),
            ),
        };
        // SAFETY: the route is the script's. The texts end with a NUL, as the engines
        // need it, and outlive the call. The caller vouches for the rest.
        let ret =
            unsafe { sys::ksrrs_tcp_run_event(route, &raw mut function, &raw mut event, source) };
        ret == 0
    }
}
