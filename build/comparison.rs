//! Checking whether a server will load what is built with some headers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::server::Server;

/// The two strings that every module contains, which the server's load check compares
/// with its own.
pub(crate) struct Strings {
    /// The name, version and platform, such as `kamailio 5.6.3 (x86_64/linux)`.
    pub(crate) version: String,
    /// The names of compile flags, separated by commas.
    pub(crate) flags: String,
}

/// The differences between the configured headers and the server.
pub(crate) struct Difference {
    /// Whether the versions differ. If they do, nothing else means much.
    pub(crate) is_of_version: bool,
    /// Both platforms, if the operating system or the architecture has another name.
    platforms: Option<(String, String)>,
    /// The flags with which the server was built and which the headers lack.
    missing: Vec<String>,
    /// The flags of the headers without which the server was built.
    surplus: Vec<String>,
    /// Both strings, if they differ although the flags are the same.
    order: Option<(String, String)>,
}

impl Difference {
    /// Compares the two. It returns `None` if the server accepts the strings.
    pub(crate) fn between(headers: &Strings, server: &Server) -> Option<Self> {
        let ours = flag_set(&headers.flags);
        let theirs = flag_set(&server.compile_flags);
        let names = |flags: Vec<&&str>| flags.into_iter().map(|flag| (*flag).to_owned()).collect();
        let differing = |ours: &str, theirs: &str| {
            (ours != theirs).then(|| (ours.to_owned(), theirs.to_owned()))
        };
        let mut difference = Self {
            is_of_version: name_and_version(&headers.version)
                != name_and_version(&server.full_version),
            platforms: differing(platform(&headers.version), platform(&server.full_version)),
            missing: names(theirs.difference(&ours).collect()),
            surplus: names(ours.difference(&theirs).collect()),
            order: None,
        };
        if difference.is_none() {
            difference.order = differing(headers.flags.trim(), &server.compile_flags);
        }
        (!difference.is_none()).then_some(difference)
    }

    fn is_none(&self) -> bool {
        self.size() == 0
    }

    /// The size of the difference, by which the nearest headers are chosen.
    pub(crate) fn size(&self) -> usize {
        let pairs = [&self.platforms, &self.order];
        let pairs = pairs.into_iter().flatten().count();
        let version = if self.is_of_version { 1000 } else { 0 };
        version + self.missing.len() + self.surplus.len() + pairs
    }

    /// Describes each difference in a line.
    pub(crate) fn lines(&self) -> String {
        let mut lines = String::new();
        for (what, pair) in [("platform", &self.platforms), ("flags", &self.order)] {
            if let Some((ours, theirs)) = pair {
                let _ = writeln!(
                    lines,
                    "    {what}: the server says {theirs}, the headers {ours}"
                );
            }
        }
        for flag in &self.missing {
            let _ = writeln!(lines, "    {flag}: the server has it, the headers have not");
        }
        for flag in &self.surplus {
            let _ = writeln!(lines, "    {flag}: the headers have it, the server has not");
        }
        lines
    }

    /// The definitions that would make the headers match, if definitions suffice.
    pub(crate) fn definitions(&self) -> Option<String> {
        if self.order.is_some() {
            return None;
        }
        let mut words: Vec<String> = Vec::new();
        for flag in &self.surplus {
            let names = macros(flag).into_iter();
            let names = names.map(|name| name.split('=').next().unwrap_or(name));
            words.extend(names.map(|name| format!("-U{name}")));
        }
        for flag in &self.missing {
            words.extend(macros(flag).iter().map(|name| format!("-D{name}")));
        }
        if let Some((ours, theirs)) = &self.platforms {
            let (architecture, system) = theirs.split_once('/')?;
            if !ours.starts_with(&format!("{architecture}/")) {
                return None;
            }
            words.push(format!(r#"-DOS_QUOTED='"{system}"'"#));
        }
        Some(words.join(" "))
    }
}

/// Takes `kamailio 5.6.3` from `kamailio 5.6.3 (x86_64/linux) 4f0a2b`.
fn name_and_version(full_version: &str) -> &str {
    full_version.split('(').next().unwrap_or_default().trim()
}

/// Takes `x86_64/linux` from `kamailio 5.6.3 (x86_64/linux) 4f0a2b`.
fn platform(full_version: &str) -> &str {
    let (_, rest) = full_version.split_once('(').unwrap_or_default();
    rest.split(')').next().unwrap_or_default()
}

/// The macros that put this flag into the string. For most flags it is the one of the
/// same name.
fn macros(flag: &str) -> Vec<&str> {
    match flag {
        "TLS_PTHREAD_MUTEX_SHARED" => vec!["KSR_PTHREAD_MUTEX_SHARED"],
        // The way of waiting also has a number, for which this is Kamailio's value.
        "FAST_LOCK-ADAPTIVE_WAIT" => vec!["FAST_LOCK", "ADAPTIVE_WAIT", "ADAPTIVE_WAIT_LOOPS=1024"],
        _ => flag.split('-').collect(),
    }
}

fn flag_set(flags: &str) -> BTreeSet<&str> {
    let mut set = BTreeSet::new();
    for flag in flags
        .split(',')
        .map(str::trim)
        .filter(|flag| !flag.is_empty())
    {
        // Kamailio writes no comma between these two flags.
        match flag.strip_prefix("EXTRA_DEBUG") {
            Some(next) if !next.is_empty() => set.extend(["EXTRA_DEBUG", next]),
            _ => {
                set.insert(flag);
            }
        }
    }
    set
}
