//! The tests that make no sense with some Kamailio, and the reasons.

use crate::results::Build;

/// A line of `tests/left_out.txt`.
pub(crate) struct LeftOut {
    version: &'static str,
    with: &'static str,
    /// A part of the test's name.
    pub(crate) test: &'static str,
    pub(crate) reason: &'static str,
}

impl LeftOut {
    pub(crate) fn all() -> Vec<Self> {
        include_str!("../left_out.txt")
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(Self::read)
            .collect()
    }

    fn read(line: &'static str) -> Self {
        let mut words = line.splitn(4, ' ');
        let mut next = || words.next().unwrap_or_else(|| panic!("incomplete: {line}"));
        Self {
            version: next(),
            with: next(),
            test: next(),
            reason: next(),
        }
    }

    /// Whether it is for this version, or its series, and for the way in which it was
    /// built.
    pub(crate) fn is_for(&self, build: &Build) -> bool {
        let rest = build.version.strip_prefix(self.version);
        let is_version = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        (self.version == "*" || is_version) && (self.with == "*" || self.with == build.with)
    }
}
