//! The commands that our modules add to a server. Where answers are compared, they are
//! taken out of the list of commands.

use rpc_wire::binrpc::client::Node;

/// Commands that a server has only with our modules, and the reason for each.
pub const ADDED: &[(&str, &str)] = &[(
    "rust.modules",
    "it tells the builds of our modules that are loaded",
)];

/// The command that lists all commands.
pub const LIST: &str = "system.listMethods";

/// Whether our modules add this command.
#[must_use]
pub fn is_added(name: &str) -> bool {
    ADDED.iter().any(|(added, _)| *added == name)
}

/// Removes the added commands from the values of an answer to [`LIST`].
pub fn take_out(values: &mut Vec<Node>) {
    values.retain(|value| !value.as_str().is_some_and(is_added));
}

/// An answer to [`LIST`] in JSON without the added commands and the commas behind them.
/// The list is sorted, and none of them is the last.
#[must_use]
pub fn without_in_json(answer: &str) -> String {
    let mut rest = answer.to_owned();
    for (name, _) in ADDED {
        let entry = format!("\"{name}\",");
        if let Some((before, after)) = rest.split_once(&entry) {
            rest = before.to_owned() + after.trim_start();
        }
    }
    rest
}

/// The output of a program without the lines that only name an added command.
#[must_use]
pub fn without_lines(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| !is_added(line.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_added_command_is_taken_out() {
        let list = r#"["pv.shvSet", "rust.modules", "system.listMethods"]"#;
        assert_eq!(
            without_in_json(list),
            r#"["pv.shvSet", "system.listMethods"]"#
        );
        assert_eq!(without_in_json("[\"a\"]"), "[\"a\"]");
        assert_eq!(without_lines("a\nrust.modules\nb\n"), "a\nb\n");
    }
}
