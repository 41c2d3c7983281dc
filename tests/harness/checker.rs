//! Running servers with our modules under a memory checker.
//!
//! `scripts/memory.sh` runs the tests under one and judges what it found. The tests
//! only know how a server is started under it, and that this makes it slow.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

/// The command that starts a server under the checker. The name of the server follows
/// it.
///
/// The environment variable `KAMAILIO_RS_CHECKER` has its words.
pub(crate) fn launcher() -> Vec<OsString> {
    let words = env::var("KAMAILIO_RS_CHECKER").unwrap_or_default();
    words.split_whitespace().map(OsString::from).collect()
}

/// A time limit for a watched server, which is the usual one times
/// `KAMAILIO_RS_SLOWNESS`.
pub(crate) fn patience(usual: Duration) -> Duration {
    let slowness = env::var("KAMAILIO_RS_SLOWNESS").ok();
    usual * slowness.and_then(|text| text.parse().ok()).unwrap_or(1)
}
