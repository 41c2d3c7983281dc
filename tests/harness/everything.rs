//! A server with every module whose commands work without an outside service.

use crate::builder::Builder;

/// The modules, in an order in which they can be loaded.
const MODULES: &[&str] = &[
    "ctl",
    "db_text",
    "kex",
    "corex",
    "tm",
    "tmx",
    "sl",
    "rr",
    "pv",
    "maxfwd",
    "textops",
    "siputils",
    "xlog",
    "sanity",
    "cfg_rpc",
    "counters",
    "statistics",
    "usrloc",
    "registrar",
    "htable",
    "dispatcher",
    "dialog",
    "permissions",
    "pike",
    "ratelimit",
    "pipelimit",
    "uac",
    "mqueue",
    "mtree",
    "dialplan",
    "domain",
    "pdt",
    "rtpengine",
    "nathelper",
    "cfgutils",
    "debugger",
    "benchmark",
    "tsilo",
    "auth_xkeys",
    "xhttp",
    "xhttp_prom",
    "evrexec",
];

/// Commands may come as fast as they like here. Usually a second reload within 5 s is
/// refused, so the answer would depend on the speed of the tests.
const CONFIG: &str = r#"
use_dst_blocklist=on
modparam("dialog", "db_mode", 0)
modparam("htable", "htable", "a=>size=4;")
modparam("htable", "htable", "b=>size=2;autoexpire=3600")
modparam("usrloc", "preload", "location")
modparam("auth_xkeys", "xkey", "id=keys;name=first;value=secret;expires=72000")
modparam("dispatcher", "list_file", "{dir}/dispatcher.list")
modparam("dispatcher", "reload_delta", 0)
modparam("mtree", "db_url", "text://{dir}/dbtext")
modparam("mtree", "mtree", "name=prefixes;dbtable=mtree;type=0")
modparam("mtree", "char_list", "0123456789")
modparam("dialplan", "db_url", "text://{dir}/dbtext")
modparam("dialplan", "reload_delta", 0)
modparam("domain", "db_url", "text://{dir}/dbtext")
modparam("pdt", "db_url", "text://{dir}/dbtext")
modparam("permissions", "db_url", "text://{dir}/dbtext")
modparam("permissions", "db_mode", 1)
modparam("permissions", "reload_delta", 0)
modparam("uac", "reg_db_url", "text://{dir}/dbtext")
modparam("uac", "reg_contact_addr", "127.0.0.1:5060")
modparam("pv", "shvset", "number=i:7")
modparam("pv", "shvset", "text=s:some text")
modparam("mqueue", "mqueue", "name=q;size=8")
modparam("ratelimit", "queue", "0:INVITE")
modparam("ratelimit", "pipe", "0:RED:10")
modparam("xhttp_prom", "prom_counter", "name=calls;")
modparam("xhttp_prom", "prom_gauge", "name=load;label=host")

request_route { exit; }
event_route[xhttp:request] {
#!ifdef WITH_JSONRPC
    jsonrpc_dispatch();
#!endif
    exit;
}
event_route[test:nothing] { exit; }
"#;

/// The files that the configuration names.
const FILES: &[(&str, &str)] = &[
    (
        "dispatcher.list",
        include_str!("../fixtures/dispatcher.list"),
    ),
    ("dbtext/version", include_str!("../fixtures/dbtext/version")),
    ("dbtext/mtree", include_str!("../fixtures/dbtext/mtree")),
    (
        "dbtext/dialplan",
        include_str!("../fixtures/dbtext/dialplan"),
    ),
    ("dbtext/domain", include_str!("../fixtures/dbtext/domain")),
    (
        "dbtext/domain_attrs",
        include_str!("../fixtures/dbtext/domain_attrs"),
    ),
    ("dbtext/address", include_str!("../fixtures/dbtext/address")),
    ("dbtext/trusted", include_str!("../fixtures/dbtext/trusted")),
    ("dbtext/pdt", include_str!("../fixtures/dbtext/pdt")),
    ("dbtext/uacreg", include_str!("../fixtures/dbtext/uacreg")),
];

/// Adds all modules, with what they need, to `server`.
#[must_use]
pub fn load_into(server: Builder) -> Builder {
    // shm.report and others write into files that a parameter names.
    let server = server
        .tcp()
        .at_home()
        .modules(MODULES.iter().copied())
        .config(CONFIG);
    FILES
        .iter()
        .fold(server, |server, (name, content)| server.file(name, content))
}
