//! The printed table.

use crate::measure::{Cost, Load, Spread};

pub(crate) fn head() {
    println!(
        "{:<14} {:<16} {:>6}  {:^25} {:^25} {:^23}  {:>6}  {:>9} {:>9}",
        "transport", "command", "flight", "C", "ours", "echo", "ours/C", "C req/s", "ours req/s"
    );
}

/// One line; where C has no such transport its columns are empty.
pub(crate) fn row(
    transport: &str,
    load: &Load,
    theirs: Option<&Cost>,
    ours: &Cost,
    floor: Option<&Cost>,
) {
    let median = |cost: &Cost| cost.cpu.median;
    let number = |number: Option<f64>, digits: usize| {
        number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}"))
    };
    println!(
        "{:<14} {:<16} {:>6}  {:>25} {:>25} {:>23}  {:>6}  {:>9} {:>9.0}",
        transport,
        load.name,
        load.in_flight,
        shown(theirs),
        shown(Some(ours)),
        shown(floor),
        number(theirs.map(|theirs| median(ours) / median(theirs)), 2),
        number(theirs.map(|theirs| theirs.rate), 0),
        ours.rate
    );
}

fn shown(cost: Option<&Cost>) -> String {
    cost.map_or_else(
        || "-".to_owned(),
        |cost| {
            let Spread { median, low, high } = cost.cpu;
            format!("{median:.2} ({low:.2}-{high:.2})")
        },
    )
}
