//! The Rust bindings of the core, which bindgen makes from its headers.

use std::path::Path;

use crate::kamailio::Kamailio;
use crate::{Failure, Result, cargo_env};

/// Functions of the core that Rust calls by their own names. Patterns are regular
/// expressions for the whole name, here and in the lists below. What the glue's headers
/// declare need not be listed.
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

/// Structures and type names. The types of their fields come with them.
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

/// Global variables of the core, and constants, which may be macros or enumerators.
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

/// The beginnings of the names of macros that have C's type `unsigned`.
const UNSIGNED: &[&str] = &["ANY_ROUTE", "PARAM_"];

/// Writes the bindings of the core and of the glue into `out_dir`.
pub(crate) fn write(
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
        // Rust may use everything that the glue's own headers declare.
        .allowlist_file(format!("{}/.*", regex_escape(&root.join("kamailio-glue"))))
        .rust_target(rust_target()?)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .use_core()
        .wrap_unsafe_ops(true)
        .derive_default(true)
        // Nearly all constants meet C's `int` in comparisons and tables.
        .default_macro_constant_type(bindgen::MacroTypeVariation::Signed)
        .parse_callbacks(Box::new(UnsignedMacros))
        // Some macros contain casts or sizeof, which only clang can evaluate.
        .clang_macro_fallback()
        .clang_macro_fallback_build_dir(out_dir)
        // An enumerator and a macro of the same name must look the same.
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

/// Gives C's type `unsigned` to the macros whose names start with one of [`UNSIGNED`].
#[derive(Debug)]
struct UnsignedMacros;

impl bindgen::callbacks::ParseCallbacks for UnsignedMacros {
    fn int_macro(&self, name: &str, _value: i64) -> Option<bindgen::callbacks::IntKind> {
        let unsigned = UNSIGNED.iter().any(|start| name.starts_with(start));
        unsigned.then_some(bindgen::callbacks::IntKind::UInt)
    }
}

/// The Rust version for which bindgen writes code, which is that of the workspace.
fn rust_target() -> Result<bindgen::RustTarget> {
    let version = cargo_env("CARGO_PKG_RUST_VERSION")?;
    version
        .parse()
        .map_err(|error| Failure::new(format!("rust-version = \"{version}\": {error}")))
}

/// A pattern that matches exactly this path.
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
