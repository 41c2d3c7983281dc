//! The printed table.

use crate::measure::{Cost, Load, Spread};
use crate::servers::Kind;

pub(crate) fn head() {
    println!(
        "{:<14} {:<13} {:>6}  {:^23} {:^23} {:^23}  {:>6}  {:>9} {:>9}",
        "transport", "command", "flight", "C", "ours", "echo", "ours/C", "C req/s", "ours req/s"
    );
}

pub(crate) fn row(kind: Kind, load: &Load, theirs: &Cost, ours: &Cost, floor: &Cost) {
    println!(
        "{:<14} {:<13} {:>6}  {} {} {}  {:>6.2}  {:>9.0} {:>9.0}",
        kind.name(),
        load.name,
        load.in_flight,
        shown(&theirs.cpu),
        shown(&ours.cpu),
        shown(&floor.cpu),
        ours.cpu.median / theirs.cpu.median,
        theirs.rate,
        ours.rate
    );
}

fn shown(spread: &Spread) -> String {
    format!(
        "{:>7.2} ({:>6.2}-{:>6.2})",
        spread.median, spread.low, spread.high
    )
}
