//! What a server uses once its clients have left.

use std::time::{Duration, Instant};

use harness::modules::Flavor;
use harness::wait;
use report::proof::Usage;

use crate::subject::Subject;

/// The time that a server may take to close what its clients have left. Ours keep half
/// a request for 30 seconds.
const SETTLING: Duration = Duration::from_secs(45);
const SETTLING_C: Duration = Duration::from_secs(5);

/// The time for which the number of descriptors must stay the same.
const STEADY: Duration = Duration::from_secs(1);

/// The usage once it has settled. With `before` it has settled when there are no more
/// descriptors than then, without it when their number stays the same.
pub(crate) fn settled(subject: &Subject, before: Option<Usage>) -> Option<Usage> {
    let patience = match subject.flavor {
        Flavor::C => SETTLING_C,
        Flavor::Rust => SETTLING,
    };
    let mut last = subject.usage()?;
    let mut since = Instant::now();
    wait::for_some_within(patience, || {
        let now = subject.usage()?;
        if now.descriptors != last.descriptors {
            since = Instant::now();
        }
        last = now;
        let is_settled = match before {
            Some(before) => now.descriptors <= before.descriptors,
            None => since.elapsed() > STEADY,
        };
        is_settled.then_some(())
    });
    Some(last)
}
