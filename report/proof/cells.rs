//! The cells that the tables of both kinds of runs have in common.

use super::usage::Usage;
use crate::page::grouped;

pub(super) fn whose(ours: bool) -> &'static str {
    if ours { "ours" } else { "C" }
}

/// The descriptors, the private and the shared memory before and after.
pub(super) fn usage(before: Option<&Usage>, after: Option<&Usage>) -> String {
    let (Some(before), Some(after)) = (before, after) else {
        let started = "started again";
        return [started; 3].join(" | ");
    };
    let kib = |bytes: i64| grouped(u64::try_from(bytes).unwrap_or(0) / 1024);
    format!(
        "{} → {} | {} → {} | {} → {}",
        before.descriptors,
        after.descriptors,
        grouped(before.private_kib),
        grouped(after.private_kib),
        kib(before.shared_bytes),
        kib(after.shared_bytes)
    )
}

pub(super) fn failures<'a>(of: impl Iterator<Item = (&'a String, &'a Vec<String>)>) -> String {
    let lines: String = of
        .flat_map(|(module, failures)| failures.iter().map(move |it| format!("- {module}: {it}\n")))
        .collect();
    match lines.as_str() {
        "" => String::new(),
        _ => format!("\nOurs failed:\n\n{lines}"),
    }
}
