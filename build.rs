//! The build script of `kamailio-core`.
//!
//! A module shares structures, inline functions and macros with the server that
//! loads it, so everything here hangs on the headers and the compile flags of
//! that very server:
//!
//! 1. `build/kamailio.rs` finds the headers, takes the flags from their
//!    configuration (`build/source.rs`) and compares them with what the server's
//!    load check wants (`build/server.rs`);
//! 2. bindgen turns the headers into `OUT_DIR/bindings.rs`;
//! 3. cc compiles the C glue with the same flags;
//! 4. `build/header.rs` checks that the C header of Rust's callbacks, which the
//!    glue includes, still says what the Rust sources say.
//!
//! For Rust code it sets the cfgs in [`FEATURES`] and [`BEHAVIOURS`] and the variables
//! `KSR_VERSION`, `KSR_FULL_VERSION` and `KSR_COMPILE_FLAGS`.

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

/// Functions of the core that Rust calls by their own name. Patterns are
/// regular expressions over the whole name, here and in the lists below. What
/// the glue's headers declare need not be named.
const FUNCTIONS: &[&str] = &[
    // processes, descriptors, runtime configuration
    "cfg_child_init",
    "cfg_register_child",
    "fork_process",
    "group2gid",
    "ksr_shutdown_phase",
    "log_prefix_set",
    "register_fds",
    "register_procs",
    "user2uid",
    // arguments of script functions
    "fixup_free_igp_null",
    "fixup_free_pvar_null",
    "fixup_free_spve_null",
    "fixup_igp_null",
    "fixup_pvar_null",
    "fixup_spve_null",
    "get_int_fparam",
    "get_str_fparam",
    // modules and commands
    "get_loaded_modules",
    "rpc_register_array",
    // messages and replies
    "del_nonshm_lump_rpl",
    "find_export",
    "get_body",
    // TCP connections
    "parse_uri",
    "receive_fd",
    "send_all",
    "sr_event_register_cb",
    "tcpconn_get",
    // variables
    "pv_cache_get",
    "pv_get_null",
    "pv_get_sintval",
    "pv_get_strval",
    // KEMI
    "sr_kemi_eng_get",
    "sr_kemi_modules_add",
    "sr_kemi_xval_null",
];

/// Structures and type names; whatever their fields need comes with them.
const TYPES: &[&str] = &[
    "str",
    "cmd_export_t",
    "cmd_function",
    "conn_cmds",
    "module_exports",
    "modparam_t",
    "param_export_t",
    "pv_export_t",
    "rpc_t",
    "rpc_export_t",
    "rpc_function_t",
    "send_flags",
    "sr_module_t",
    "sip_msg_t",
    "sr_event_param_t",
    "sr_kemi_t",
    "sr_kemi_xval_t",
    "tcp_closed_event_info_t",
    "tcp_connection_t",
    "xhttp_api_t",
];

/// Global variables of the core, and constants, be they macros or enumerators.
const VARS: &[&str] = &[
    "PROC_.*",
    "PARAM_.*",
    "PVT_OTHER",
    "PV_NAME_INTSTR",
    "SR_KEMIP_.*",
    "SR_KEMI_XVAL_.*",
    "(REQUEST|FAILURE|ONREPLY|TM_ONREPLY|CORE_ONREPLY|BRANCH|ONSEND|ERROR|LOCAL|EVENT|ANY)_ROUTE",
    "runtime_dir",
    "sock_uid",
    "sock_gid",
    "_ksr_is_main",
    // connections, and messages that came over them
    "CONN_(EOF|GET_FD)",
    "F_CONN_(CLOSE_EV|FD_CLOSED|FORCE_EOF|PENDING)",
    "FL_USE_OTCPID",
    "PROTO_(TCP|TLS|SCTP|WS|WSS)",
    "SND_F_CON_CLOSE",
    "SREV_TCP_CLOSED",
    "S_CONN_.*",
    "TCP_CLOSED_.*",
    "unix_tcp_sock",
    // values that are written to variables
    "EQ_T",
    "PV_(TYPE|VAL)_INT",
];

/// How the names of macros start that are of C's type `unsigned`.
const UNSIGNED: &[&str] = &["ANY_ROUTE", "PARAM_"];

/// What some versions of Kamailio have and others lack: the symbol to look for
/// in the headers of the core, the cfg that Rust sees and the macro that the
/// glue and the bindings see.
const FEATURES: &[Feature] = &[
    // Look-up that checks whether a command runs too often, from 5.7.
    Feature {
        symbol: "rpc_lookupx",
        cfg: "ksr_rpc_lookupx",
        define: "KSRRS_HAVE_RPC_LOOKUPX",
    },
    // Locks around a command's execution, in the development version only.
    Feature {
        symbol: "ksr_rpc_exec_locks_set_get",
        cfg: "ksr_rpc_exec_locks",
        define: "KSRRS_HAVE_RPC_EXEC_LOCKS",
    },
];

/// What some versions of Kamailio do in another way, though nothing in their
/// headers tells so.
const BEHAVIOURS: &[Behaviour] = &[
    // The pretty form of JSON has each value of an array on a line of its own.
    Behaviour {
        cfg: "ksr_json_arrays_on_lines",
        since: &[(6, 1, 0)],
    },
];

/// A number such as 5.6.3.
type Version = (u32, u32, u32);

struct Behaviour {
    /// What Rust sees.
    cfg: &'static str,
    /// The first version that has it of each series that got it, the oldest
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

/// The number in a version such as `6.2.0-dev0`; parts that are missing are 0.
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

/// Why the build cannot go on, in words for the person who started it.
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// For an operation on a file that went wrong.
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
            // Cargo shows all that a failed build script wrote, this last.
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

    // First, for it is the quickest to check and the likeliest to fail while
    // somebody is writing callbacks.
    header::check(&root)?;

    let kamailio = Kamailio::find(&root)?;
    let have: Vec<&Feature> = FEATURES
        .iter()
        .filter(|feature| kamailio.declares(feature.symbol))
        .collect();
    // The order of flags is the order in which the compiler sees them: ours last.
    let mut flags = kamailio.defines.clone();
    flags.extend(have.iter().map(|feature| format!("-D{}", feature.define)));

    write_bindings(&root, &kamailio, &flags, &out_dir)?;
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

fn write_bindings(
    root: &Path,
    kamailio: &Kamailio,
    flags: &[String],
    out_dir: &Path,
) -> Result<()> {
    let wrapper = root.join("kamailio-glue/bindings.h");
    if !wrapper.is_file() {
        return Err(Failure::new(format!("{} is missing", wrapper.display())));
    }

    let mut builder = bindgen::builder()
        .header(wrapper.to_string_lossy())
        .clang_args(flags)
        .clang_args(kamailio.include_flags())
        .clang_arg(format!("-I{}", root.join("include").display()))
        // All that the glue's own headers declare is there for Rust to use.
        .allowlist_file(format!("{}/.*", regex_escape(&root.join("kamailio-glue"))))
        .rust_target(rust_target()?)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .use_core()
        .wrap_unsafe_ops(true)
        .derive_default(true)
        // Constants stand beside C's `int` in comparisons and tables, all but few.
        .default_macro_constant_type(bindgen::MacroTypeVariation::Signed)
        .parse_callbacks(Box::new(UnsignedMacros))
        // Some macros have casts or sizeof in them, which only clang can work out.
        .clang_macro_fallback()
        .clang_macro_fallback_build_dir(out_dir)
        // An enumerator and a macro of the same name shall look the same.
        .prepend_enum_name(false)
        .layout_tests(false)
        .generate_comments(false)
        .formatter(bindgen::Formatter::Prettyplease);
    for name in FUNCTIONS {
        builder = builder.allowlist_function(name);
    }
    for name in TYPES {
        builder = builder.allowlist_type(name);
    }
    for name in VARS {
        builder = builder.allowlist_var(name);
    }

    let bindings = builder.generate().map_err(|error| {
        Failure::new(format!(
            "bindgen cannot read Kamailio's headers in {}: {error}\n\
             If libclang is missing, install it:\n\
             \n    make setup",
            kamailio.tree.display()
        ))
    })?;
    let file = out_dir.join("bindings.rs");
    bindings
        .write_to_file(&file)
        .map_err(|error| Failure::io("cannot write", &file, &error))
}

/// Gives the macros whose names start with one of [`UNSIGNED`] C's `unsigned`.
#[derive(Debug)]
struct UnsignedMacros;

impl bindgen::callbacks::ParseCallbacks for UnsignedMacros {
    fn int_macro(&self, name: &str, _value: i64) -> Option<bindgen::callbacks::IntKind> {
        let unsigned = UNSIGNED.iter().any(|start| name.starts_with(start));
        unsigned.then_some(bindgen::callbacks::IntKind::UInt)
    }
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
        // Callbacks have the parameters that the core hands over, used or not.
        .flag("-Wno-unused-parameter");
    for flag in kamailio.include_flags().iter().chain(flags) {
        build.flag(flag);
    }
    harden(&mut build);
    // Debugging information names files as they are called in either tree.
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

/// Checks that distributions compile the C modules with. Those of the C library
/// are made by the optimizer, and without it the compiler complains.
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

fn cargo_env(name: &str) -> Result<String> {
    env::var(name).map_err(|error| {
        Failure::new(format!(
            "{name}: {error}; this is a build script, cargo runs it"
        ))
    })
}

/// What bindgen may use of the language: whatever the workspace asks for.
fn rust_target() -> Result<bindgen::RustTarget> {
    let version = cargo_env("CARGO_PKG_RUST_VERSION")?;
    version
        .parse()
        .map_err(|error| Failure::new(format!("rust-version = \"{version}\": {error}")))
}

/// A path as a pattern that matches nothing else.
fn regex_escape(path: &Path) -> String {
    let mut pattern = String::new();
    for character in path.to_string_lossy().chars() {
        if !character.is_alphanumeric() && !matches!(character, '/' | '_' | '-') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// Files with this extension in a directory and below, in a stable order.
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
