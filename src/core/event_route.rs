//! Event routes of the script: `event_route[name]`.

use std::ffi::{CStr, CString, c_int};

use crate::{strings, sys};

/// What a script does when something happens.
#[derive(Clone, Debug)]
pub enum Action {
    /// The event route with the core's number for it.
    Route(EventRoute),
    /// A function of a KEMI script, which is told the event's name.
    Callback {
        /// The function.
        function: CString,
        /// The event.
        event: &'static CStr,
    },
}

/// An event route that the script has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRoute(c_int);

impl EventRoute {
    /// Finds one, in a module's `init` or later.
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
    // SAFETY: the core's answer is null or its engine.
    unsafe { !sys::sr_kemi_eng_get().is_null() }
}

impl Action {
    /// Runs it for something that came from `source`; whether it could.
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
        // SAFETY: the route is the script's; the texts end with a NUL, as the
        // engines want it, and outlive the call; the caller vouches for the
        // rest.
        let ret =
            unsafe { sys::ksrrs_tcp_run_event(route, &raw mut function, &raw mut event, source) };
        ret == 0
    }
}
