//! Event routes that run when a connection has ended.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

use kamailio::core::event_route::{Action, EventRoute, has_kemi_script};
use kamailio::core::tcp::Peer;
use kamailio::core::tcp_events::{self, Ended, Reason};
use kamailio::core::{Error, log, log_limited};
use parking_lot::{Mutex, RwLock};

/// The parameter `closed_event`: whether the routes run never, for all connections, or
/// for those that asked.
static MODE: AtomicI32 = AtomicI32::new(ALL);
const NEVER: i32 = 0;
const ALL: i32 = 1;
const ASKED: i32 = 2;

static CALLBACK: RwLock<Option<CString>> = RwLock::new(None);

/// The script's action for each reason.
static ACTIONS: RwLock<Actions> = RwLock::new(Actions {
    closed: None,
    timeout: None,
    reset: None,
});

#[derive(Debug)]
struct Actions {
    closed: Option<Action>,
    timeout: Option<Action>,
    reset: Option<Action>,
}

/// The connection whose event route runs. The core does not find it any more.
static ENDED: Mutex<Option<(i32, Peer)>> = Mutex::new(None);

/// Sets `modparam("tcpops", "closed_event", 2)`.
pub(crate) fn set_mode(mode: i32) -> Result<(), Error> {
    if !(NEVER..=ASKED).contains(&mode) {
        return Err(Error::new(format!(
            "{mode} is not 0 (event routes never run), 1 (they run for all connections) \
             or 2 (for those with tcp_enable_closed_event)"
        )));
    }
    MODE.store(mode, Relaxed);
    Ok(())
}

/// Sets `modparam("tcpops", "event_callback", "ksr_tcpops_event")`.
pub(crate) fn set_callback(function: &str) -> Result<(), Error> {
    let function = CString::new(function).map_err(|_| "it has a NUL in it")?;
    *CALLBACK.write() = (!function.is_empty()).then_some(function);
    Ok(())
}

/// Whether event routes run only for connections that asked for it.
pub(crate) fn only_where_asked() -> bool {
    MODE.load(Relaxed) == ASKED
}

/// Finds the script's actions for the ends of connections.
pub(crate) fn init() -> Result<(), Error> {
    if MODE.load(Relaxed) == NEVER {
        return Ok(());
    }
    let actions = Actions {
        closed: action(c"tcp:closed"),
        timeout: action(c"tcp:timeout"),
        reset: action(c"tcp:reset"),
    };
    if CALLBACK.read().is_some() && !has_kemi_script() {
        log!(
            Warning,
            "event_callback is set, but the script is not written for KEMI; \
             nothing runs when a connection ends"
        );
        return Ok(());
    }
    if [&actions.closed, &actions.timeout, &actions.reset]
        .iter()
        .all(|action| action.is_none())
    {
        return Ok(());
    }
    *ACTIONS.write() = actions;
    tcp_events::register(run)
}

/// The action for an event. The callback replaces all event routes.
fn action(event: &'static CStr) -> Option<Action> {
    match &*CALLBACK.read() {
        Some(function) => Some(Action::Callback {
            function: function.clone(),
            event,
        }),
        None => EventRoute::find(event).map(Action::Route),
    }
}

fn run(ended: &Ended<'_>) {
    if only_where_asked() && !ended.was_marked() {
        return;
    }
    let Some(action) = action_for(ended.reason()) else {
        return;
    };
    *ENDED.lock() = Some((ended.id(), ended.peer()));
    let ran = ended.run(&action);
    *ENDED.lock() = None;
    if !ran {
        log_limited!(
            Error,
            "what the script has for the end of connection {} did not run",
            ended.id()
        );
    }
}

fn action_for(reason: Reason) -> Option<Action> {
    let actions = ACTIONS.read();
    match reason {
        Reason::Closed => actions.closed.clone(),
        Reason::TimedOut => actions.timeout.clone(),
        Reason::Reset => actions.reset.clone(),
    }
}

/// The peer of the connection with this number, while its event route runs.
pub(crate) fn peer_of_ended(id: i32) -> Option<Peer> {
    let ended = ENDED.lock();
    ended
        .as_ref()
        .filter(|(ended, _)| *ended == id)
        .map(|(_, peer)| peer.clone())
}
