//! The results of the runs, and the file that keeps them.

use harness::machine::Machine;
use harness::report::{file, read, write};
use serde::{Deserialize, Serialize};

use crate::{hostile, million, page};

/// The name of the file among the documents.
const FILE: &str = "proof.json";

/// The last run of each kind that was to be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) hostile: Option<Hostile>,
    pub(crate) million: Option<Million>,
}

/// A run with mutated requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hostile {
    pub(crate) machine: Machine,
    pub(crate) seconds: u64,
    pub(crate) seed: u64,
    pub(crate) outcomes: Vec<hostile::Outcome>,
}

/// A run with many requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Million {
    pub(crate) machine: Machine,
    pub(crate) requests: u64,
    pub(crate) outcomes: Vec<million::Outcome>,
}

impl Results {
    /// The results in the file.
    ///
    /// # Panics
    ///
    /// The file is there, but is not one of ours.
    pub(crate) fn kept() -> Self {
        if !file(FILE).exists() {
            return Self::default();
        }
        serde_json::from_str(&read(FILE)).unwrap_or_else(|error| panic!("{FILE}: {error}"))
    }

    /// Writes the results into the file and the page.
    pub(crate) fn keep(&self) {
        write(FILE, &self.json());
        self.write_page();
    }

    pub(crate) fn write_page(&self) {
        let name = "proof.md";
        write(name, &page::with_results(&read(name), self));
    }

    pub(crate) fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("numbers and names");
        format!("{text}\n")
    }
}
