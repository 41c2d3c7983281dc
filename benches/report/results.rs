//! The results of a run, and the file that keeps them.

use std::fs;

use harness::machine::Machine;
use harness::report::{file, read, write};
use serde::{Deserialize, Serialize};

use super::{chart, document};
use crate::measure::{Cost, Load, Sides};
use crate::table;

/// The results of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) rows: Vec<Row>,
}

/// The cost of one request over one transport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) transport: String,
    pub(crate) request: String,
    /// The number of requests that a client sends before it takes the replies.
    pub(crate) in_flight: usize,
    pub(crate) costs: Sides<Cost>,
}

/// The median of several values, and the lowest and the highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// The spread of at least one value.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        Spread {
            median: values[values.len() / 2],
            low: values[0],
            high: values[values.len() - 1],
        }
    }
}

impl Row {
    /// Our CPU time divided by the C module's. The two are asked right after one
    /// another in each round, so the rounds are compared and not the medians.
    pub(crate) fn of_c(&self) -> Option<Spread> {
        Some(ratio(&self.costs.ours, self.costs.c.as_ref()?))
    }

    /// Our CPU time divided by the bare echo's.
    pub(crate) fn of_echo(&self) -> Spread {
        ratio(&self.costs.ours, &self.costs.echo)
    }

    /// Our CPU time divided by that of the echo which waits as a server with several
    /// sockets must, if that was measured.
    pub(crate) fn of_polling_echo(&self) -> Option<Spread> {
        Some(ratio(&self.costs.ours, self.costs.polling_echo.as_ref()?))
    }

    /// The bare echo's CPU time divided by the C module's.
    pub(crate) fn echo_of_c(&self) -> Option<Spread> {
        Some(ratio(&self.costs.echo, self.costs.c.as_ref()?))
    }

    /// Whether a single reply takes so much memory that it is worth showing.
    pub(crate) fn is_large(&self) -> bool {
        self.costs.ours.reply > 1 << 20
    }

    fn is_same_load(&self, other: &Row) -> bool {
        let load = |row: &Row| (row.transport.clone(), row.request.clone(), row.in_flight);
        load(self) == load(other)
    }
}

fn ratio(cost: &Cost, base: &Cost) -> Spread {
    let rounds = cost.cpu.iter().zip(&base.cpu);
    Spread::of(&rounds.map(|(cost, base)| cost / base).collect::<Vec<_>>())
}

impl Results {
    /// Results without any rows, on this machine.
    pub(crate) fn new() -> Self {
        Results {
            machine: Machine::this(),
            rows: Vec::new(),
        }
    }

    /// Adds the costs of a pass, and prints the row after the last pass.
    pub(crate) fn add(&mut self, transport: &str, load: &Load, costs: Sides<Cost>) {
        let new = Row {
            transport: transport.to_owned(),
            request: load.name.to_owned(),
            in_flight: load.in_flight,
            costs,
        };
        let index = match self.rows.iter().position(|row| row.is_same_load(&new)) {
            Some(index) => {
                self.rows[index].costs.add(new.costs);
                index
            }
            None => {
                self.rows.push(new);
                self.rows.len() - 1
            }
        };
        let row = &self.rows[index];
        if row.costs.ours.cpu.len() == load.all_rounds() {
            table::print(row);
        }
    }

    /// The results in the file.
    pub(crate) fn kept() -> Self {
        let text = read("benchmarks.json");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("benchmarks.json: {error}"))
    }

    /// Writes these results into the file and the documents. Parts of one commit on one
    /// machine are put together; those of another one are dropped.
    pub(crate) fn keep(self) {
        let kept = fs::read_to_string(file("benchmarks.json")).ok();
        let kept = kept.and_then(|text| serde_json::from_str::<Results>(&text).ok());
        let results = match kept {
            Some(kept) if kept.machine.is_same_but_for_date(&self.machine) => kept.with(self),
            _ => self,
        };
        write("benchmarks.json", &results.json());
        results.write_documents();
    }

    /// These results with the loads of `newer` in place of their own.
    fn with(mut self, newer: Results) -> Results {
        self.rows
            .retain(|row| !newer.rows.iter().any(|new| new.is_same_load(row)));
        self.rows.extend(newer.rows);
        self.machine = newer.machine;
        self
    }

    /// Writes the document and the chart.
    pub(crate) fn write_documents(&self) {
        let name = "benchmarks.md";
        write(name, &document::with_results(&read(name), self));
        write("benchmarks.svg", &chart::draw(self));
    }

    /// The results in JSON with a line for each row, so that a changed row is a changed
    /// line.
    pub(crate) fn json(&self) -> String {
        let line = |row| serde_json::to_string(row).expect("numbers and names");
        let rows: Vec<String> = self.rows.iter().map(line).collect();
        let machine = serde_json::to_string_pretty(&self.machine).expect("names");
        format!(
            "{{\n\"machine\": {machine},\n\"rows\": [\n{}\n]\n}}\n",
            rows.join(",\n")
        )
    }
}
