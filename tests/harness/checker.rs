//! A memory checker that watches the servers with our modules.
//!
//! `scripts/memory.sh` runs the tests under one and judges what it found; the
//! tests know no more of it than how a server is started and that it is slow.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

/// What starts a server under the checker, to be put before its name.
///
/// The words are in `KAMAILIO_RS_CHECKER`.
pub(crate) fn launcher() -> Vec<OsString> {
    let words = env::var("KAMAILIO_RS_CHECKER").unwrap_or_default();
    words.split_whitespace().map(OsString::from).collect()
}

/// As many times this as `KAMAILIO_RS_SLOWNESS` says that a watched server needs.
pub(crate) fn patience(usual: Duration) -> Duration {
    let slowness = env::var("KAMAILIO_RS_SLOWNESS").ok();
    usual * slowness.and_then(|text| text.parse().ok()).unwrap_or(1)
}
