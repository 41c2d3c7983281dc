//! The C header of the Rust functions that the glue calls, and of the constants that
//! belong to them.

use std::env;
use std::fs;
use std::path::Path;

use crate::{Failure, Result, files_below, rerun_if_changed};

/// The prefix of everything that the glue may use, in small letters for functions and
/// in capitals for constants. It keeps our names apart from the core's, whose functions
/// win if both have a name.
const PREFIX: &str = "ksrrs_";

/// The directories whose sources may declare such functions.
const SOURCES: &[&str] = &["src/core", "src/rpc"];

/// Compares the checked-in header with the sources, or writes it if
/// KAMAILIO_RS_UPDATE_HEADER is set.
pub(crate) fn check(root: &Path) -> Result<()> {
    println!("cargo::rerun-if-env-changed=KAMAILIO_RS_UPDATE_HEADER");
    let config = root.join("cbindgen.toml");
    rerun_if_changed(&config);

    let header = root.join("include/kamailio_rs.h");
    let wanted = generate(root, &config)?;
    // A missing header counts as an empty one.
    let present = fs::read_to_string(&header).unwrap_or_default();
    if present == wanted {
        return Ok(());
    }
    if env::var_os("KAMAILIO_RS_UPDATE_HEADER").is_none_or(|value| value.is_empty()) {
        return Err(Failure::new(format!(
            "{} does not say what the callbacks in Rust ({}) say.\n\
             Write it anew, and check it in with them:\n\
             \n    make header",
            header.display(),
            SOURCES.join(", "),
        )));
    }
    fs::write(&header, wanted).map_err(|error| Failure::io("cannot write", &header, &error))
}

fn generate(root: &Path, config: &Path) -> Result<String> {
    let mut config = cbindgen::Config::from_file(config)
        .map_err(|error| Failure::new(format!("{}: {error}", config.display())))?;

    let mut sources = Vec::new();
    for directory in SOURCES.iter().map(|name| root.join(name)) {
        rerun_if_changed(&directory);
        if !directory.is_dir() {
            continue;
        }
        for file in files_below(&directory, "rs")? {
            let text = fs::read_to_string(&file)
                .map_err(|error| Failure::io("cannot read", &file, &error))?;
            let (ours, others): (Vec<_>, Vec<_>) = declared_names(&text)
                .partition(|name| name.to_ascii_lowercase().starts_with(PREFIX));
            if !ours.is_empty() {
                // Otherwise cbindgen would also write what such a file imports from C,
                // and all its constants.
                config
                    .export
                    .exclude
                    .extend(others.into_iter().map(str::to_owned));
                sources.push(file);
            }
        }
    }

    // The configuration must come first, because later it would undo what the builder
    // was told before.
    let mut builder = cbindgen::Builder::new().with_config(config);
    for file in sources {
        builder = builder.with_src(file);
    }
    let bindings = builder
        .generate()
        .map_err(|error| Failure::new(format!("cbindgen: {error}")))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    String::from_utf8(text).map_err(|error| Failure::new(format!("cbindgen: {error}")))
}

/// The words behind `fn` and `const` in a Rust source: the names of its functions and
/// constants, and a few other words, which do no harm.
fn declared_names(source: &str) -> impl Iterator<Item = &str> {
    let in_name = |character: char| character.is_alphanumeric() || character == '_';
    ["fn ", "const "]
        .into_iter()
        .flat_map(|keyword| source.split(keyword).skip(1))
        .map(move |rest| {
            rest.split(|character| !in_name(character))
                .next()
                .unwrap_or_default()
        })
        .filter(|name| !name.is_empty())
}
