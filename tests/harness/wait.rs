//! Waiting for something to become true, with a deadline and never for a fixed time.

use std::time::{Duration, Instant};

use crate::checker;

const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(5);

/// The time that anything may take which is expected to happen.
///
/// It is far more than is needed on an idle machine, so reaching it is a failure and
/// not a measurement.
#[must_use]
pub fn patience() -> Duration {
    checker::patience(PATIENCE)
}

/// The value that `probe` finds, or `None` if it finds nothing within [`patience`].
pub fn for_some<T>(probe: impl FnMut() -> Option<T>) -> Option<T> {
    for_some_within(PATIENCE, probe)
}

/// As [`for_some`], with another deadline. A checker that slows the servers down delays
/// both deadlines by the same factor.
pub fn for_some_within<T>(patience: Duration, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + checker::patience(patience);
    loop {
        let found = probe();
        if found.is_some() || Instant::now() >= deadline {
            return found;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Waits until `probe` holds.
///
/// # Panics
///
/// It did not hold within [`patience`]; the message names `what`.
pub fn until(what: &str, mut probe: impl FnMut() -> bool) {
    let held = for_some(|| probe().then_some(()));
    assert!(held.is_some(), "waited in vain for this: {what}");
}
