//! What a server has in use once its clients have left.

use std::time::{Duration, Instant};

use harness::modules::Flavor;
use harness::wait;

use crate::subject::{Subject, Usage};

/// How long a server may take to close what its clients have left: ours keep
/// half a request for 30 seconds.
const SETTLING: Duration = Duration::from_secs(45);
const SETTLING_C: Duration = Duration::from_secs(5);

/// How long the number of descriptors has to stay as it is.
const STEADY: Duration = Duration::from_secs(1);

/// What is in use. With `before` it is waited for that there are no more
/// descriptors than then, without it that their number stays.
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
