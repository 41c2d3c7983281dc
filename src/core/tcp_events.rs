//! The ends of connections, as TCP main reports them.

use std::ffi::c_int;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::OnceLock;

use crate::event_route::Action;
use crate::tcp::Peer;
use crate::{Error, log, panic, sys};

/// The reason why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// One side closed it.
    Closed,
    /// The other side did not answer any more. From 6.1.4 on this is also the reason if
    /// the connection was idle for too long, or a request stayed incomplete.
    TimedOut,
    /// The other side reset it.
    Reset,
}

/// A connection that has just ended. It cannot be found by its number any more, except
/// one that was idle for too long: 6.1.4 and later report its end first.
///
/// # Invariants
/// The pointer is that of the core's current event, and the connection lives until the
/// event is over.
#[derive(Debug)]
pub struct Ended<'a> {
    event: NonNull<sys::tcp_closed_event_info_t>,
    held: PhantomData<&'a ()>,
}

impl Ended<'_> {
    fn connection(&self) -> &sys::tcp_connection_t {
        // SAFETY: the invariants hold. TCP main does no other work now, and other
        // processes do not change what we read.
        unsafe { &*(*self.event.as_ptr()).con }
    }

    /// The number of the connection.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.connection().id
    }

    /// The peer of the connection.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::of(self.connection())
    }

    /// The reason why it ended.
    #[must_use]
    pub fn reason(&self) -> Reason {
        // SAFETY: the invariants hold.
        match unsafe { (*self.event.as_ptr()).reason } {
            sys::TCP_CLOSED_TIMEOUT => Reason::TimedOut,
            sys::TCP_CLOSED_RESET => Reason::Reset,
            _ => Reason::Closed,
        }
    }

    /// Whether it was marked, see [`Connection::mark`](crate::tcp::Connection::mark).
    #[must_use]
    pub fn was_marked(&self) -> bool {
        self.connection().flags & sys::F_CONN_CLOSE_EV as u32 != 0
    }

    /// Runs what the script has for it, with a message that seems to come from the
    /// connection. It returns whether that was possible.
    #[must_use]
    pub fn run(&self, action: &Action) -> bool {
        // SAFETY: the invariants hold, and TCP main runs no other script at this time.
        unsafe { action.run(&raw const self.connection().rcv) }
    }
}

/// A function that is told of ended connections.
pub type Handler = fn(&Ended<'_>);

static HANDLER: OnceLock<Handler> = OnceLock::new();

/// Makes `handler` receive the ends of all connections, in the process TCP main. It
/// must be called once, in `init`.
///
/// # Errors
/// Another module has registered first; the core supports only one.
pub fn register(handler: Handler) -> Result<(), Error> {
    HANDLER.get_or_init(|| handler);
    // SAFETY: the core keeps the function, which lives as long as the module.
    let ret = unsafe { sys::sr_event_register_cb(sys::SREV_TCP_CLOSED as c_int, Some(closed)) };
    if ret != 0 {
        return Err("the core tells the ends of connections to another module".into());
    }
    Ok(())
}

/// The function that the core calls, with the event in `data`.
unsafe extern "C" fn closed(param: *mut sys::sr_event_param_t) -> c_int {
    // SAFETY: the core calls this for the event for which it was registered.
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
        // INVARIANT: this is the core's event, which is over when this returns.
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
