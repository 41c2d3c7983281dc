//! The chart. Each load has a bar, whose length compares ours with the C module.

use super::groups::{Group, by_transport};
use super::results::{Results, Row};

const WIDTH: usize = 940;
/// The left edges of the two columns, which are for BINRPC and JSON-RPC.
const COLUMNS: [usize; 2] = [24, 494];
/// The distance from the edge of a column to its bars.
const LABEL: usize = 124;
/// The length of a bar whose load costs what it costs in C.
const UNIT: f64 = 210.0;
/// Longer bars are cut, and only their numbers tell how long they are.
const LONGEST: f64 = 1.25;
const BAR: usize = 11;
const BAR_STEP: usize = 13;
const LOAD_GAP: usize = 5;
const HEAD: usize = 112;

/// The colours for a light page and for a dark one. The chart has a background of its
/// own, so that it can be read wherever it is shown.
const STYLE: &str = "\
text { font: 12px system-ui, 'DejaVu Sans', sans-serif; fill: #1f2328 }
.title { font-size: 18px; font-weight: 600 }
.group { font-size: 13px; font-weight: 600 }
.quiet { fill: #59636e }
.ground { fill: #ffffff }
.one { fill: #f2b28c }
.many { fill: #c8501a }
.c { stroke: #1f2328; stroke-width: 1.5 }
.floor { stroke: #0969da; stroke-width: 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
.quiet { fill: #9198a1 }
.ground { fill: #0d1117 }
.one { fill: #8a4a2a }
.many { fill: #f0824a }
.c { stroke: #e6edf3 }
.floor { stroke: #58a6ff }
}";

/// Draws all loads that the C module has as well.
pub(super) fn draw(results: &Results) -> String {
    let groups: Vec<Group<'_>> = by_transport(results)
        .into_iter()
        .map(|(title, mut rows)| {
            rows.retain(|row| row.costs.c.is_some());
            (title, rows)
        })
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    let is_json = |group: &Group<'_>| group.0.starts_with("JSON");
    let (json, binrpc): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_json);
    let mut bars = String::new();
    let bottoms = COLUMNS
        .iter()
        .zip([&binrpc, &json])
        .map(|(left, groups)| column(*left, groups, &mut bars));
    let height = bottoms.max().unwrap_or(HEAD) + 12;
    let machine = &results.machine;
    let title = "CPU time per request, ours beside the C modules";
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title about\">\n\
         <title id=\"title\">{title}</title>\n\
         <desc id=\"about\">A bar for each load; a bar of length 1.0 costs what it costs in the C \
         module, a shorter one less. The numbers are in benchmarks.md.</desc>\n\
         <style>\n{STYLE}\n</style>\n\
         <rect class=\"ground\" width=\"100%\" height=\"100%\" rx=\"8\"/>\n{head}{bars}</svg>\n",
        head = head(
            title,
            &format!(
                "Kamailio {}, {} cores, {}",
                machine.kamailio, machine.cores, machine.date
            )
        ),
    )
}

fn head(title: &str, about: &str) -> String {
    let left = COLUMNS[0];
    let about = escaped(about);
    format!(
        "<text class=\"title\" x=\"{left}\" y=\"34\">{title}</text>\n\
         <text class=\"quiet\" x=\"{left}\" y=\"54\">Shorter is better; 1.0 is the C module. {about}</text>\n\
         <rect class=\"one\" x=\"{left}\" y=\"68\" width=\"22\" height=\"{BAR}\"/>\n\
         <text x=\"{}\" y=\"78\">one request at a time</text>\n\
         <rect class=\"many\" x=\"{}\" y=\"68\" width=\"22\" height=\"{BAR}\"/>\n\
         <text x=\"{}\" y=\"78\">many at a time: 32 on streams, 8 elsewhere</text>\n\
         {}\
         <text x=\"{}\" y=\"78\">a bare echo of the request: the floor</text>\n",
        left + 30,
        left + 180,
        left + 210,
        line("floor", left as f64 + 502.0, 66, 81),
        left + 510,
    )
}

/// Draws the groups of a column, one below the other, and returns where it ends.
fn column(left: usize, groups: &[Group<'_>], drawn: &mut String) -> usize {
    let mut top = HEAD;
    for (title, rows) in groups {
        *drawn += &format!("<text class=\"group\" x=\"{left}\" y=\"{top}\">{title}</text>\n");
        let first = top + 8;
        top = first;
        for load in by_request(rows) {
            *drawn += &load_at(left, top, &load);
            top += load.len() * BAR_STEP + LOAD_GAP;
        }
        let c = (left + LABEL) as f64 + UNIT;
        *drawn += &line("c", c, first - 3, top - LOAD_GAP + 2);
        *drawn += &format!(
            "<text class=\"quiet\" x=\"{c:.1}\" y=\"{}\" text-anchor=\"middle\">1.0</text>\n",
            first - 7
        );
        top += 22;
    }
    top - 22
}

/// The rows of each request, which differ in how many are in flight.
fn by_request<'a>(rows: &[&'a Row]) -> Vec<Vec<&'a Row>> {
    let mut loads: Vec<Vec<&Row>> = Vec::new();
    for row in rows {
        let same = loads.iter_mut().find(|load| load[0].request == row.request);
        match same {
            Some(load) => load.push(row),
            None => loads.push(vec![row]),
        }
    }
    loads
}

fn load_at(left: usize, top: usize, load: &[&Row]) -> String {
    let bars = left + LABEL;
    let middle = top + (load.len() * BAR_STEP) / 2 + 3;
    let mut text = format!(
        "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>\n",
        bars - 8,
        escaped(&load[0].request)
    );
    for (index, row) in load.iter().enumerate() {
        let top = top + index * BAR_STEP;
        let (Some(ours), Some(floor)) = (row.of_c(), row.echo_of_c()) else {
            continue;
        };
        let class = if row.in_flight == 1 { "one" } else { "many" };
        let end = length(ours.median);
        let floor = length(floor.median);
        text += &format!(
            "<rect class=\"{class}\" x=\"{bars}\" y=\"{top}\" width=\"{end:.1}\" height=\"{BAR}\"/>\n\
             {}<text x=\"{:.1}\" y=\"{}\">{:.2}</text>\n",
            line("floor", bars as f64 + floor, top - 1, top + BAR + 1),
            // The number is beside the bar, and beside whatever else is drawn there.
            bars as f64 + number_at(end, floor),
            top + BAR - 1,
            ours.median,
        );
    }
    text
}

fn length(ratio: f64) -> f64 {
    UNIT * ratio.min(LONGEST)
}

/// The position at which a bar's number begins. It covers neither the echo's line nor
/// the line of the C module.
fn number_at(end: f64, floor: f64) -> f64 {
    const NUMBER: f64 = 30.0;
    let mut at = end + 6.0;
    for mark in [floor, UNIT] {
        if (at - 4.0..at + NUMBER).contains(&mark) {
            at = mark + 6.0;
        }
    }
    at
}

fn line(class: &str, x: f64, top: usize, bottom: usize) -> String {
    format!("<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top}\" y2=\"{bottom}\"/>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
