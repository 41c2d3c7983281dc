//! The machine and the programs of a measurement.

use serde::{Deserialize, Serialize};

/// A machine, and the programs on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The date of the last part, such as 2026-11-21.
    pub date: String,
    /// The commit of this project.
    pub commit: String,
    /// The server's version.
    pub kamailio: String,
    /// The version of the compiler.
    pub rustc: String,
    /// The distribution.
    pub system: String,
    /// The name, version and architecture of the kernel.
    pub kernel: String,
    /// The model of the processor.
    pub processor: String,
    /// The number of cores that this program may use.
    pub cores: usize,
}

impl Machine {
    /// The lines of a table about it.
    #[must_use]
    pub fn table(&self) -> String {
        let Machine {
            date,
            commit,
            kamailio,
            rustc,
            system,
            kernel,
            processor,
            cores,
        } = self;
        format!(
            "| | |\n| --- | --- |\n\
             | date | {date} |\n\
             | this project | commit {commit} |\n\
             | Kamailio and its C modules | {kamailio} |\n\
             | Rust | {rustc} |\n\
             | system | {system}, {kernel} |\n\
             | processor | {processor}, {cores} cores |\n"
        )
    }

    /// Whether the two differ in nothing but the date.
    #[must_use]
    pub fn is_same_but_for_date(&self, other: &Machine) -> bool {
        let dated = Machine {
            date: other.date.clone(),
            ..self.clone()
        };
        dated == *other
    }
}

#[cfg(test)]
impl Machine {
    /// One that nobody has.
    pub(crate) fn example() -> Self {
        let text = str::to_owned;
        Machine {
            date: text("2026-01-02"),
            commit: text("0123456789ab"),
            kamailio: text("5.6.3"),
            rustc: text("1.95.0"),
            system: text("Debian"),
            kernel: text("Linux"),
            processor: text("fast"),
            cores: 2,
        }
    }
}
