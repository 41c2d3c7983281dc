//! The preprocessor definitions with which a Kamailio was built, as its build system
//! has recorded them.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{Failure, Result, rerun_if_changed};

/// The `-D` and `-U` options that Kamailio's makefiles give to the compiler, from the
/// `config.mak` that `make cfg` writes.
pub(crate) fn of_make(config: &Path) -> Result<Vec<String>> {
    let config = text(config)?;
    let removed = shell_words(make_variable(&config, "DEFS_RM").unwrap_or_default());
    let words = ["C_DEFS", "CC_PMUTEX_OPTS"]
        .iter()
        .filter_map(|name| make_variable(&config, name))
        .flat_map(shell_words)
        .filter(|word| is_definition(word) && !removed.contains(word));
    Ok(words.collect())
}

/// The options that CMake gives to the compiler for the file with the server's `main`,
/// from `compile_commands.json`.
pub(crate) fn of_cmake(commands: &Path) -> Result<Vec<String>> {
    let fail = |what: &str| Failure::new(format!("{}: {what}", commands.display()));
    let entries: Vec<Value> =
        serde_json::from_str(&text(commands)?).map_err(|error| fail(&error.to_string()))?;
    let main = entries
        .iter()
        .find(|entry| entry["file"].as_str().is_some_and(is_main))
        .ok_or_else(|| fail("src/main.c is not among the files"))?;
    let words = match (&main["command"], &main["arguments"]) {
        (Value::String(command), _) => shell_words(command),
        (_, Value::Array(words)) => words
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect(),
        _ => return Err(fail("src/main.c has no command")),
    };
    Ok(words
        .into_iter()
        .filter(|word| is_definition(word))
        .collect())
}

/// The options in an environment variable, which are written as for a shell.
pub(crate) fn of_words(words: &str) -> Vec<String> {
    let mut words = shell_words(words);
    words.retain(|word| is_definition(word));
    words
}

/// The text that is the value of a definition such as `-DVERSION="5.6.3"`.
pub(crate) fn value<'a>(definitions: &'a [String], name: &str) -> Option<&'a str> {
    // The last definition of a name counts for the compiler.
    definitions.iter().rev().find_map(|word| {
        let value = word
            .strip_prefix("-D")?
            .strip_prefix(name)?
            .strip_prefix('=')?;
        Some(value.trim_matches('"'))
    })
}

fn text(file: &Path) -> Result<String> {
    rerun_if_changed(file);
    fs::read_to_string(file).map_err(|error| Failure::io("cannot read", file, &error))
}

fn is_definition(word: &str) -> bool {
    (word.starts_with("-D") || word.starts_with("-U")) && word.len() > 2
}

fn is_main(file: &str) -> bool {
    Path::new(file).ends_with("src/main.c")
}

/// The value of the first assignment `NAME= value`. Later ones in the file are
/// expressions that use it.
fn make_variable<'a>(config: &'a str, name: &str) -> Option<&'a str> {
    config
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(str::trim)
}

/// Splits a text as a shell would and removes the quotes. Both build systems write
/// values for a shell, `-DNAME='"kamailio"'` and `-DNAME=\"kamailio\"`.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(character),
            (_, '\\') => word.get_or_insert_default().extend(characters.next()),
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}
