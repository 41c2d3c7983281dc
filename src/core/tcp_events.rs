//! The ends of connections, which TCP main tells.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::OnceLock;

use crate::event_route::Action;
use crate::tcp::Peer;
use crate::{Error, log, panic, sys};

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// One side closed it.
    Closed,
    /// The other side did not answer any more; from 6.1.4 on also one that was idle
    /// for too long, or whose request stayed incomplete.
    TimedOut,
    /// The other side reset it.
    Reset,
}

/// A connection that has just ended. It is not found by its number any more, but
/// for one that was idle for too long: 6.1.4 and later tell of it first.
///
/// # Invariants
/// The pointer is that of the core's event in progress, and its connection
/// lives until the event is over.
#[derive(Debug)]
pub struct Ended<'a> {
    event: NonNull<sys::tcp_closed_event_info_t>,
    held: PhantomData<&'a ()>,
}

impl Ended<'_> {
    fn connection(&self) -> &sys::tcp_connection_t {
        // SAFETY: by the invariants; TCP main has no other work now, and others
        // do not change what we read.
        unsafe { &*(*self.event.as_ptr()).con }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.connection().id
    }

    /// Who was at its other end.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::of(self.connection())
    }

    /// Why it ended.
    #[must_use]
    pub fn reason(&self) -> Reason {
        // SAFETY: by the invariants.
        match unsafe { (*self.event.as_ptr()).reason } {
            sys::TCP_CLOSED_TIMEOUT => Reason::TimedOut,
            sys::TCP_CLOSED_RESET => Reason::Reset,
            _ => Reason::Closed,
        }
    }

    /// Whether somebody marked it, see
    /// [`Connection::mark`](crate::tcp::Connection::mark).
    #[must_use]
    pub fn was_marked(&self) -> bool {
        self.connection().flags & sys::F_CONN_CLOSE_EV as u32 != 0
    }

    /// Runs what the script has for it, with a message that seems to come from
    /// the connection; whether it could.
    #[must_use]
    pub fn run(&self, action: &Action) -> bool {
        // SAFETY: by the invariants; TCP main runs no script but this.
        unsafe { action.run(&raw const self.connection().rcv) }
    }
}

/// Learns of ends.
pub type Handler = fn(&Ended<'_>);

static HANDLER: OnceLock<Handler> = OnceLock::new();

/// Has the ends of all connections told to `handler`, in the process TCP main;
/// to be called once, in `init`.
///
/// # Errors
/// Another module has asked first; the core tells one only.
pub fn register(handler: Handler) -> Result<(), Error> {
    HANDLER.get_or_init(|| handler);
    // SAFETY: the core keeps the function, which lives as long as the module.
    let ret = unsafe { sys::sr_event_register_cb(sys::SREV_TCP_CLOSED as c_int, Some(closed)) };
    if ret != 0 {
        return Err("the core tells the ends of connections to another module".into());
    }
    Ok(())
}

/// The core's call, with the event in `data`.
unsafe extern "C" fn closed(param: *mut sys::sr_event_param_t) -> c_int {
    // SAFETY: the core's call for the event that this was registered for.
    let event = unsafe {
        param
            .as_ref()
            .and_then(|param| NonNull::new(param.data.cast::<sys::tcp_closed_event_info_t>()))
            .filter(|event| !(*event.as_ptr()).con.is_null())
    };
    let Some(event) = event else {
        log!(Bug, "the core told the end of no connection");
        return -1;
    };
    panic::stop(-1, || {
        // INVARIANT: the core's event, which is over when this returns.
        let ended = Ended {
            event,
            held: PhantomData,
        };
        if let Some(handler) = HANDLER.get() {
            handler(&ended);
        }
        0
    })
}
