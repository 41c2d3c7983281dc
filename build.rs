//! The build script of `kamailio-core`.
//!
//! A module shares structures, inline functions and macros with the server that loads
//! it, so everything here depends on the headers and the compile flags of that very
//! server:
//!
//! 1. `build/kamailio.rs` finds the headers, takes the flags from their
//!    configuration (`build/source.rs`) and compares them with what the server's
//!    load check wants (`build/server.rs`);
//! 2. `build/bindings.rs` has bindgen turn the headers into `OUT_DIR/bindings.rs`;
//! 3. cc compiles the C glue with the same flags;
//! 4. `build/header.rs` checks that the C header of Rust's callbacks, which the
//!    glue includes, still says what the Rust sources say.
//!
//! For Rust code it sets the cfgs in [`FEATURES`] and [`BEHAVIOURS`] and the variables
//! `KSR_VERSION`, `KSR_FULL_VERSION` and `KSR_COMPILE_FLAGS`.

#[path = "build/bindings.rs"]
mod bindings;
#[path = "build/comparison.rs"]
mod comparison;
#[path = "build/configure.rs"]
mod configure;
#[path = "build/definitions.rs"]
mod definitions;
#[path = "build/header.rs"]
mod header;
#[path = "build/kamailio.rs"]
mod kamailio;
#[path = "build/server.rs"]
mod server;
#[path = "build/source.rs"]
mod source;

use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use kamailio::Kamailio;

/// Features that only some versions of Kamailio have. Each has a symbol to look for in
/// the headers of the core, the cfg that Rust sees and the macro that the glue and the
/// bindings see.
const FEATURES: &[Feature] = &[
    // The look-up that checks whether a command runs too often exists from 5.7 on.
    Feature {
        symbol: "rpc_lookupx",
        cfg: "ksr_rpc_lookupx",
        define: "KSRRS_HAVE_RPC_LOOKUPX",
    },
    // The locks around a command's execution are only in the development version.
    Feature {
        symbol: "ksr_rpc_exec_locks_set_get",
        cfg: "ksr_rpc_exec_locks",
        define: "KSRRS_HAVE_RPC_EXEC_LOCKS",
    },
];

/// Behaviours that differ between versions of Kamailio, although nothing in the headers
/// shows it.
const BEHAVIOURS: &[Behaviour] = &[
    // The pretty form of JSON puts each value of an array on a line of its own.
    Behaviour {
        cfg: "ksr_json_arrays_on_lines",
        since: &[(6, 1, 0)],
    },
];

/// A version number such as 5.6.3.
type Version = (u32, u32, u32);

struct Behaviour {
    /// The cfg that Rust sees.
    cfg: &'static str,
    /// For each series that got the behaviour its first version that has it, the oldest
    /// series first. All series after the last one have it.
    since: &'static [Version],
}

impl Behaviour {
    fn is_in(&self, version: Version) -> bool {
        let series = |version: Version| (version.0, version.1);
        let own = self
            .since
            .iter()
            .find(|first| series(**first) == series(version));
        match (own, self.since.last()) {
            (Some(first), _) => version >= *first,
            (None, Some(last)) => version > *last,
            (None, None) => false,
        }
    }
}

/// The numbers in a version such as `6.2.0-dev0`. Missing parts are 0.
fn version_number(version: &str) -> Version {
    let mut parts = version
        .split(|character: char| !character.is_ascii_digit())
        .map(|part| part.parse().unwrap_or(0));
    let mut part = || parts.next().unwrap_or(0);
    (part(), part(), part())
}

struct Feature {
    symbol: &'static str,
    cfg: &'static str,
    define: &'static str,
}

/// The reason why the build cannot go on, in words for the person who started it.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The failure of an operation on a file.
    pub(crate) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self(format!("{what} {}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Cargo shows everything that a failed build script wrote; this comes last.
            eprintln!("\nerror: {failure}\n");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let root = workspace_root()?;
    let out_dir = PathBuf::from(cargo_env("OUT_DIR")?);
    for part in ["build.rs", "build", "kamailio-glue", "include"] {
        rerun_if_changed(&root.join(part));
    }

    // This comes first because it is the quickest check, and the likeliest to fail
    // while somebody is writing callbacks.
    header::check(&root)?;

    let kamailio = Kamailio::find(&root)?;
    let have: Vec<&Feature> = FEATURES
        .iter()
        .filter(|feature| kamailio.declares(feature.symbol))
        .collect();
    // The compiler sees the flags in this order, so ours come last.
    let mut flags = kamailio.defines.clone();
    flags.extend(have.iter().map(|feature| format!("-D{}", feature.define)));

    bindings::write(&root, &kamailio, &flags, &out_dir)?;
    compile_glue(&root, &kamailio, &flags)?;

    let version = version_number(&kamailio.version);
    let does = BEHAVIOURS
        .iter()
        .filter(|behaviour| behaviour.is_in(version));
    let known = FEATURES.iter().map(|feature| feature.cfg);
    for cfg in known.chain(BEHAVIOURS.iter().map(|behaviour| behaviour.cfg)) {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
    }
    for cfg in have
        .iter()
        .map(|feature| feature.cfg)
        .chain(does.map(|behaviour| behaviour.cfg))
    {
        println!("cargo::rustc-cfg={cfg}");
    }
    println!("cargo::rustc-env=KSR_VERSION={}", kamailio.version);
    println!(
        "cargo::rustc-env=KSR_FULL_VERSION={}",
        kamailio.strings.version
    );
    println!(
        "cargo::rustc-env=KSR_COMPILE_FLAGS={}",
        kamailio.strings.flags
    );
    Ok(())
}

fn compile_glue(root: &Path, kamailio: &Kamailio, flags: &[String]) -> Result<()> {
    let glue = root.join("kamailio-glue");
    let sources = files_below(&glue, "c")?;
    if sources.is_empty() {
        return Err(Failure::new(format!("no C source in {}", glue.display())));
    }

    let mut build = cc::Build::new();
    build
        .files(sources)
        .include(root.join("include"))
        .include(&glue)
        .pic(true)
        .warnings(true)
        .extra_warnings(true)
        // Callbacks have all parameters that the core passes, whether they use them or
        // not.
        .flag("-Wno-unused-parameter");
    for flag in kamailio.include_flags().iter().chain(flags) {
        build.flag(flag);
    }
    harden(&mut build);
    // The debugging information names files by their paths within either tree.
    for (tree, name) in [(root, "."), (&kamailio.tree, "kamailio")] {
        build.flag(format!("-ffile-prefix-map={}={name}", tree.display()));
    }
    build.try_compile("kamailio_glue").map_err(|error| {
        Failure::new(format!(
            "the C glue in {} does not compile: {error}",
            glue.display()
        ))
    })
}

/// Adds the checks with which distributions compile the C modules. Those of the C
/// library need the optimizer; without it the compiler warns.
fn harden(build: &mut cc::Build) {
    build.flag("-fstack-protector-strong");
    if env::var("OPT_LEVEL").is_ok_and(|level| level != "0") {
        build.flags(["-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]);
    }
}

/// The top of the workspace. Cargo runs this script in `src/core`.
fn workspace_root() -> Result<PathBuf> {
    let package = PathBuf::from(cargo_env("CARGO_MANIFEST_DIR")?);
    let root = package.join("../..");
    root.canonicalize()
        .map_err(|error| Failure::io("cannot find", &root, &error))
}

pub(crate) fn cargo_env(name: &str) -> Result<String> {
    env::var(name).map_err(|error| {
        Failure::new(format!(
            "{name}: {error}; this is a build script, cargo runs it"
        ))
    })
}

/// Finds the files with this extension in a directory and below, in a stable order.
pub(crate) fn files_below(directory: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let fail = |error| Failure::io("cannot read", directory, &error);
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() {
            found.append(&mut files_below(&path, extension)?);
        } else if path.extension().is_some_and(|has| has == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn rerun_if_changed(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
