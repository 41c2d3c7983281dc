//! A check for what clippy does not report about the oldest compiler that the manifest
//! promises: Rust 1.85 has neither chains of `let` in conditions nor `let` in guards.

use std::fs;
use std::path::{Path, PathBuf};

use harness::modules::workspace;
use syn::visit::{self, Visit};
use syn::{Arm, Expr, ExprBinary};

/// Counts the constructs in a source that are too new.
#[derive(Default)]
struct TooNew {
    chains: usize,
    guards: usize,
}

impl<'ast> Visit<'ast> for TooNew {
    fn visit_expr_binary(&mut self, expression: &'ast ExprBinary) {
        let sides = [&expression.left, &expression.right];
        self.chains += sides.into_iter().filter(|side| is_let(side)).count();
        visit::visit_expr_binary(self, expression);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.guards += arm.guard.iter().filter(|(_, guard)| is_let(guard)).count();
        visit::visit_arm(self, arm);
    }
}

fn is_let(expression: &Expr) -> bool {
    matches!(expression, Expr::Let(_))
}

fn too_new(text: &str) -> TooNew {
    let file = syn::parse_file(text).expect("a source that compiles");
    let mut found = TooNew::default();
    found.visit_file(&file);
    found
}

/// All Rust sources in a directory and below.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("a directory of ours");
    let paths = entries.map(|entry| entry.expect("a name").path());
    let mut found = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(sources(&path));
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_source_is_written_for_a_newer_one() {
    for file in sources(workspace()) {
        let text = fs::read_to_string(&file).expect("a source of ours");
        let found = too_new(&text);
        assert_eq!(
            (found.chains, found.guards),
            (0, 0),
            "chains of let and let in guards in {}",
            file.display()
        );
    }
}

#[test]
fn what_is_too_new_is_seen() {
    let found = too_new(
        "fn f() { if a && let Some(b) = c && d { e() } match g { h if let Some(i) = j => k, _ => l } }",
    );
    assert_eq!((found.chains, found.guards), (1, 1));
}
