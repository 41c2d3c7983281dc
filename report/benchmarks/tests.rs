use super::aims::Aim;
use super::{
    CHART, Cost, FILE, Memory, PAGE as KEPT_PAGE, Results, Row, Sides, Spread, chart, document,
    kept,
};
use crate::machine::Machine;
use crate::page::read;

fn cost(cpu: &[f64]) -> Cost {
    Cost {
        cpu: cpu.to_vec(),
        rate: cpu.iter().map(|cpu| 1e6 / cpu).collect(),
        reply: 100,
        memory: Memory {
            before: 2048,
            peak: 4096,
            after: 3072,
        },
    }
}

fn row(transport: &str, request: &str, in_flight: usize) -> Row {
    Row {
        transport: transport.to_owned(),
        request: request.to_owned(),
        in_flight,
        costs: Sides {
            c: Some(cost(&[4.0, 2.0, 3.0])),
            ours: cost(&[1.0, 1.5, 1.5]),
            echo: cost(&[1.0, 1.0, 1.0]),
            polling_echo: None,
        },
    }
}

fn results(rows: &[Row]) -> Results {
    Results {
        machine: Machine::example(),
        rows: rows.to_vec(),
    }
}

const PAGE: &str = "by hand\n<!-- written by make bench from here -->\nold\n\
                    <!-- written by make bench up to here -->\nby hand, too\n";

#[test]
fn a_spread_has_its_ends_and_its_middle() {
    let spread = Spread::of(&[3.0, 1.0, 2.0]);
    assert_eq!((spread.low, spread.median, spread.high), (1.0, 2.0, 3.0));
}

#[test]
fn sides_are_compared_round_by_round() {
    let ratio = row("udp", "core.version", 8).of_c().expect("C has it");
    assert_eq!((ratio.low, ratio.median, ratio.high), (0.25, 0.5, 0.75));
}

#[test]
fn results_come_back_from_their_file_as_they_were() {
    let results = results(&[
        row("udp", "core.version", 8),
        row("json tcp", "core.psx", 1),
    ]);
    let read: Results = serde_json::from_str(&results.json()).expect("it is JSON");
    assert_eq!(read, results);
}

#[test]
fn the_page_keeps_its_text_and_shows_new_results() {
    let page = document::with_results(PAGE, &results(&[row("udp", "core.version", 8)]));
    let (before, after) = ("by hand\n<!--", "up to here -->\nby hand, too\n");
    assert!(page.starts_with(before) && page.ends_with(after), "{page}");
    assert!(!page.contains("old"), "{page}");
    for shown in [
        "### BINRPC, UDP",
        "| 3.00 µs (2.00–4.00) | 1.50 µs (1.00–1.50) | **0.50** (0.25–0.75) |",
        "333,333 (250,000–500,000)",
        "at most 0.85 of C: met |",
        "1 of 1 aims are met.",
        "| BINRPC, UDP | all with smaller replies | 2.0 | 4.0 | 3.0 | 2.0 | 4.0 | 3.0 |",
        "commit 0123456789ab",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    let again = document::with_results(&page, &results(&[row("udp", "core.version", 8)]));
    assert_eq!(again, page);
}

#[test]
fn another_pass_adds_its_rounds() {
    let mut costs = row("udp", "core.version", 1).costs;
    costs.polling_echo = Some(cost(&[2.0]));
    costs.add(costs.clone());
    let rounds = |cost: &Cost| (cost.cpu.len(), cost.rate.len());
    let polling = costs.polling_echo.as_ref().map(rounds);
    assert_eq!(costs.c.as_ref().map(rounds), Some((6, 6)));
    assert_eq!((rounds(&costs.ours), rounds(&costs.echo)), ((6, 6), (6, 6)));
    assert_eq!(polling, Some((2, 2)));
}

#[test]
fn the_echo_that_polls_stands_beside_the_other() {
    let mut row = row("udp", "core.version", 1);
    row.costs.polling_echo = Some(cost(&[2.0, 2.0, 2.0]));
    let page = document::with_results(PAGE, &results(&[row]));
    assert!(page.contains("| 1.50 | 0.75 | 333,333"), "{page}");
}

#[test]
fn a_missed_aim_is_named() {
    let page = document::with_results(PAGE, &results(&[row("tcp", "core.version", 1)]));
    for shown in [
        "0 of 1 aims are met; missed:",
        "- BINRPC, TCP, `core.version`, 1 in flight: 1.50, not at most 1.10 of the echo",
        "at most 1.10 of the echo: **missed** |",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
}

#[test]
fn where_c_has_no_such_transport_nothing_is_compared_with_it() {
    let mut row = row("json tcp", "dump of 100000", 1);
    row.costs.c = None;
    assert_eq!(Aim::of(&row), None);
    let page = document::with_results(PAGE, &results(&[row.clone()]));
    assert!(page.contains("| `dump of 100000` | 1 | none | "), "{page}");
    assert!(!chart::draw(&results(&[row])).contains("JSON"));
}

#[test]
fn a_bar_is_as_long_as_its_ratio() {
    let mut long = row("json http", "core.psx", 1);
    long.costs.ours = cost(&[30.0, 30.0, 30.0]);
    let chart = chart::draw(&results(&[row("udp", "core.version", 8), long]));
    // The length of 210 pixels stands for the C module.
    assert!(
        chart.contains("class=\"many\" x=\"148\" y=\"120\" width=\"105.0\""),
        "{chart}"
    );
    assert!(chart.contains(">0.50</text>"), "{chart}");
    // A bar that is too long for the picture is cut, but its number is not.
    assert!(chart.contains("width=\"262.5\""), "{chart}");
    assert!(chart.contains(">10.00</text>"), "{chart}");
}

#[test]
fn the_documents_show_what_the_file_says() {
    let kept = kept();
    let page = read(KEPT_PAGE);
    let advice = "make bench-report writes it anew";
    assert!(
        page == document::with_results(&page, &kept),
        "{KEPT_PAGE}: {advice}"
    );
    assert!(read(CHART) == chart::draw(&kept), "{CHART}: {advice}");
    assert_eq!(read(FILE), kept.json());
}
