//! The printed table.

use crate::measure::{Cost, Memory};
use crate::report::{Row, Spread};

pub(crate) fn head() {
    println!(
        "{:<14} {:<16} {:>6}  {:^25} {:^25} {:^23}  {:>6}  {:>9} {:>9}",
        "transport", "request", "flight", "C", "ours", "echo", "ours/C", "C req/s", "ours req/s"
    );
}

/// Prints one line. If C has no such transport its columns are empty.
pub(crate) fn print(row: &Row) {
    let number = |number: Option<f64>, digits: usize| {
        number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}"))
    };
    println!(
        "{:<14} {:<16} {:>6}  {:>25} {:>25} {:>23}  {:>6}  {:>9} {:>9.0}",
        row.transport,
        row.request,
        row.in_flight,
        row.costs.c.as_ref().map_or_else(|| "-".to_owned(), shown),
        shown(&row.costs.ours),
        shown(&row.costs.echo),
        number(row.of_c().map(|ratio| ratio.median), 2),
        number(row.costs.c.as_ref().map(|c| Spread::of(&c.rate).median), 0),
        Spread::of(&row.costs.ours.rate).median
    );
    if !row.is_large() {
        return;
    }
    println!("{:>14} a reply of {} bytes", "", row.costs.ours.reply);
    for (name, cost) in [("C", row.costs.c.as_ref()), ("ours", Some(&row.costs.ours))] {
        let Some(cost) = cost else { continue };
        let Memory {
            before,
            peak,
            after,
        } = cost.memory;
        println!(
            "{:>14} private memory of {name}: {before} KiB before, {peak} KiB at most, {after} KiB after",
            ""
        );
    }
}

fn shown(cost: &Cost) -> String {
    let Spread { median, low, high } = Spread::of(&cost.cpu);
    format!("{median:.2} ({low:.2}-{high:.2})")
}
