//! The results of a run.

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// The results of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The machine on which it was measured.
    pub machine: Machine,
    /// The loads, in the order in which they were measured.
    pub rows: Vec<Row>,
}

/// The cost of one request over one transport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The transport, such as `unix stream` or `json tcp`.
    pub transport: String,
    /// The request, such as `core.version`.
    pub request: String,
    /// The number of requests that a client sends before it takes the replies.
    pub in_flight: usize,
    /// The cost for each side.
    pub costs: Sides<Cost>,
}

/// The median of several values, and the lowest and the highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The lowest value.
    pub low: f64,
    /// The highest value.
    pub high: f64,
}

impl Spread {
    /// The spread of at least one value.
    ///
    /// # Panics
    ///
    /// There is no value.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
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
    #[must_use]
    pub fn of_c(&self) -> Option<Spread> {
        Some(ratio(&self.costs.ours, self.costs.c.as_ref()?))
    }

    /// Our CPU time divided by the bare echo's.
    #[must_use]
    pub fn of_echo(&self) -> Spread {
        ratio(&self.costs.ours, &self.costs.echo)
    }

    /// Our CPU time divided by that of the echo which waits as a server with several
    /// sockets must, if that was measured.
    #[must_use]
    pub fn of_polling_echo(&self) -> Option<Spread> {
        Some(ratio(&self.costs.ours, self.costs.polling_echo.as_ref()?))
    }

    /// The bare echo's CPU time divided by the C module's.
    #[must_use]
    pub fn echo_of_c(&self) -> Option<Spread> {
        Some(ratio(&self.costs.echo, self.costs.c.as_ref()?))
    }

    /// Whether a single reply takes so much memory that it is worth showing.
    #[must_use]
    pub fn is_large(&self) -> bool {
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

/// The sides of a comparison, or something about each of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sides<T> {
    /// The C module, if it has this transport.
    pub c: Option<T>,
    /// Our module.
    pub ours: T,
    /// A process that sends each request back as it came, and waits for it in its read.
    pub echo: T,
    /// An echo that waits as a server with several sockets must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polling_echo: Option<T>,
}

impl<T> Sides<T> {
    /// All sides that there are, always in the same order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let echoes = std::iter::once(&mut self.echo).chain(&mut self.polling_echo);
        self.c.iter_mut().chain([&mut self.ours]).chain(echoes)
    }

    /// The same sides, with `change` applied to what is known about each.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Sides<U> {
        Sides {
            c: self.c.map(&change),
            ours: change(self.ours),
            echo: change(self.echo),
            polling_echo: self.polling_echo.map(&change),
        }
    }
}

/// The cost of a side's requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The microseconds of CPU time per request, round by round.
    pub cpu: Vec<f64>,
    /// The requests per second, round by round.
    pub rate: Vec<f64>,
    /// The bytes of a reply.
    pub reply: usize,
    /// The memory of the process that answers.
    pub memory: Memory,
}

impl Cost {
    /// Adds the cost of later requests.
    fn add(&mut self, later: Cost) {
        self.cpu.extend(later.cpu);
        self.rate.extend(later.rate);
        self.reply = later.reply;
        self.memory.peak = self.memory.peak.max(later.memory.peak);
        self.memory.after = later.memory.after;
    }
}

impl Sides<Cost> {
    /// Adds the costs of another pass on the same sides.
    pub(super) fn add(&mut self, mut later: Sides<Cost>) {
        for (cost, later) in self.iter_mut().zip(later.iter_mut()) {
            cost.add(std::mem::take(later));
        }
    }
}

/// The RAM of a process in KiB, without files and shared memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The memory before the first request.
    pub before: u64,
    /// The largest memory meanwhile.
    pub peak: u64,
    /// The memory after the last request.
    pub after: u64,
}

impl Results {
    /// Adds a load, or the costs of another pass to a load that is there, and returns
    /// the row with all its passes.
    pub fn add(&mut self, row: Row) -> &Row {
        let known = self.rows.iter().position(|kept| kept.is_same_load(&row));
        let index = known.unwrap_or(self.rows.len());
        match known {
            Some(index) => self.rows[index].costs.add(row.costs),
            None => self.rows.push(row),
        }
        &self.rows[index]
    }

    /// These results with the loads of `newer` in place of their own.
    pub(super) fn with(mut self, newer: Results) -> Results {
        self.rows
            .retain(|row| !newer.rows.iter().any(|new| new.is_same_load(row)));
        self.rows.extend(newer.rows);
        self.machine = newer.machine;
        self
    }

    /// The results in JSON with a line for each row, so that a changed row is a changed
    /// line.
    pub(super) fn json(&self) -> String {
        let line = |row| serde_json::to_string(row).expect("numbers and names");
        let rows: Vec<String> = self.rows.iter().map(line).collect();
        let machine = serde_json::to_string_pretty(&self.machine).expect("names");
        format!(
            "{{\n\"machine\": {machine},\n\"rows\": [\n{}\n]\n}}\n",
            rows.join(",\n")
        )
    }
}
