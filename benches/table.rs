//! The printed table.

use report::benchmarks::{Cost, Memory, Results, Row, Sides, Spread};

use crate::measure::Load;

pub(crate) fn head() {
    println!(
        "{:<14} {:<16} {:>6}  {:^25} {:^25} {:^23}  {:>6}  {:>9} {:>9}",
        "transport", "request", "flight", "C", "ours", "echo", "ours/C", "C req/s", "ours req/s"
    );
}

/// Adds the costs of a pass, and prints the row after the last pass.
pub(crate) fn add(results: &mut Results, transport: &str, load: &Load, costs: Sides<Cost>) {
    let row = results.add(Row {
        transport: transport.to_owned(),
        request: load.name.to_owned(),
        in_flight: load.in_flight,
        costs,
    });
    if row.costs.ours.cpu.len() == load.all_rounds() {
        print(row);
    }
}

/// Prints one line. If C has no such transport its columns are empty.
fn print(row: &Row) {
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
