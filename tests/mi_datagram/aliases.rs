//! The commands that run for old names, on a server with their modules.

use std::collections::{BTreeMap, BTreeSet};

use harness::datagram;
use harness::everything;
use harness::modules::{Flavor, c_modules};
use harness::server::Server;

const DOCUMENT: &str = include_str!("../../docs/mi_datagram-commands.md");
const NAMES: &str = include_str!("../fixtures/command-names.json");

/// Modules beside those of `everything`.
const MODULES: &[&str] = &[
    "imc",
    "matrix",
    "pdb",
    "sipcapture",
    "siptrace",
    "userblocklist",
    "websocket",
];

/// The files of modules that need libraries which a Kamailio built for the tests may
/// lack, and their configuration. They are loaded from where they are. These are names
/// of files, because `scripts/server.sh` builds every module whose bare name is in
/// quotes here.
const WHERE_THEY_ARE: &[(&str, &str)] = &[
    (
        "carrierroute.so",
        "modparam(\"MODULE\", \"config_source\", \"file\")\n\
        modparam(\"MODULE\", \"config_file\", \"{dir}/routes\")\n",
    ),
    ("regex.so", ""),
];

/// Modules that are not in Debian's package of Kamailio itself, and rtpproxy, which 6.0
/// does not load beside rtpengine, with mohqueue, which needs it. It is one text for
/// the same reason.
const NOT_LOADED: &str = "auth_ephemeral cnxcc cplc db_berkeley ims_dialog mohqueue presence pua pua_rpc \
    rls rtpproxy xcap_client";

const CONFIG: &str = r#"
modparam("imc|matrix|sipcapture|userblocklist", "db_url", "text://{dir}/more")
modparam("imc", "outbound_proxy", "sip:127.0.0.1:9")
modparam("tm", "fr_timer", 200)
modparam("pdb", "server", "127.0.0.1:9")
modparam("siptrace", "trace_to_database", 0)
modparam("mi_datagram", "socket_name", "{dir}/mi")
"#;

const TABLES: &[(&str, &str)] = &[
    (
        "more/version",
        "table_name(string) table_version(int)\n\
        globalblocklist:1\nimc_members:1\nimc_rooms:1\nmatrix:1\nmohqcalls:1\nmohqueues:1\nuserblocklist:1\n",
    ),
    (
        "more/globalblocklist",
        "id(int,auto) prefix(string) allowlist(int) description(string,null)\n",
    ),
    (
        "more/imc_members",
        "id(int,auto) username(string) domain(string) room(string) flag(int)\n",
    ),
    (
        "more/imc_rooms",
        "id(int,auto) name(string) domain(string) flag(int)\n",
    ),
    (
        "more/matrix",
        "id(int,auto) first(int) second(int) res(int)\n",
    ),
    (
        "more/mohqcalls",
        "id(int,auto) mohq_id(int) call_id(string) call_status(int) call_from(string) \
        call_contact(string,null) call_time(int)\n",
    ),
    (
        "more/mohqueues",
        "id(int,auto) name(string) uri(string) mohdir(string,null) mohfile(string) debug(int)\n",
    ),
    (
        "more/userblocklist",
        "id(int,auto) username(string) domain(string) prefix(string) allowlist(int)\n",
    ),
];

#[test]
fn the_commands_for_old_names_are_registered() {
    let server = start();
    let registered = listed(&server, "system.listMethods");
    let loaded = listed(&server, "core.modules");
    let modules = module_of_each_command();
    let table = table();
    assert!(table.len() > 130, "{table:?}");
    for (old, command) in table {
        let module = &modules[command];
        if module == "core" || loaded.contains(module) {
            assert!(registered.contains(command), "{old}: no {command}");
        } else {
            let file = format!("{module}.so");
            let absent = WHERE_THEY_ARE.iter().any(|(name, _)| *name == file) && !is_there(&file);
            let expected = absent || NOT_LOADED.split(' ').any(|name| name == module);
            assert!(expected, "{old}: {module} is not loaded");
        }
    }
}

#[test]
fn every_old_name_runs_something() {
    let server = start();
    let registered = listed(&server, "system.listMethods");
    for (old, command) in table() {
        if old != ENDS_THE_SERVER && registered.contains(command) {
            let reply = ask(&server, &format!(":{old}:\n"));
            assert_ne!(reply, NOT_AVAILABLE, "{old}");
        }
    }
    for old in ["conference_reset", "dum", "forward_list", "loc_refresh"] {
        assert_eq!(ask(&server, &format!(":{old}:\n")), NOT_AVAILABLE);
        assert!(server.log().contains(&format!("no command \"{old}\": ")));
    }
}

const ENDS_THE_SERVER: &str = "kill";
const NOT_AVAILABLE: &str = "500 command not available\n";

/// Requests whose arguments move, and the effect that shows where they arrived.
const MOVED: &[(&str, &[&str])] = &[
    (
        ":check_userblacklist:\nalice\n4912\n",
        &["200 OK\n", "prefix:: 4912\n", "user:: alice\n"],
    ),
    (
        ":check_userwhitelist:\nalice\nexample.org\n4912\n",
        &[
            "200 OK\n",
            "prefix:: 4912\n",
            "user:: alice\n",
            "domain:: example.org\n",
        ],
    ),
    (":check_userwhitelist:\nalice\n", &["400 Too few"]),
    (":sip_trace:\n", &["200 OK\n", "abled\n"]),
    (":sip_trace:\non\n", &["200 OK\n", "Enabled\n"]),
    (":sip_trace:\n", &["200 OK\n", "Enabled\n"]),
    (":sip_trace:\noff\n", &["200 OK\n", "Disabled\n"]),
    (":sip_capture:\n", &["200 OK\n", "Disabled\n"]),
    (":dlg_list:\n", &["200 OK\n"]),
    (":dlg_list:\ncall\n", &["404 Nu such dialog\n"]),
    (":dlg_list:\nx\ny\nz\n", &["400 Too few"]),
    (":rpc:\ncore.echo\na\nb\n", &["200 OK\na\nb\n"]),
    (":rpc:\nno.such\n", &[NOT_AVAILABLE]),
    (":rpc:\n", &["400 Too few"]),
    (
        ":t_reply:\n404\nGone\n1:2\ntag\n.\n",
        &["481 No such transaction\n"],
    ),
    (":t_reply:\n404\nGone\n1:2\ntag\n", &["400 Too few"]),
    (
        ":t_reply_callid:\n404\nGone\ncall\n1\ntag\n.\n",
        &["404 Transaction not found\n"],
    ),
    (":pike_list:\n", &["200 OK\n", "max_hits"]),
    (":nh_show_rtpp:\n", &["200 OK\n"]),
    // The command has an argument for a shorter list, the old name has none.
    (":ds_list:\nshort\n", &["200 OK\n", "weight=50"]),
    // The reply to its request is waited for, and made up if none comes.
    (
        ":t_uac_dlg:\nOPTIONS\nsip:127.0.0.1:9\n.\n.\n\"From: <sip:a@b>\nTo: <sip:c@d>\n\"\n",
        &["200 OK\n", "408"],
    ),
];

#[test]
fn arguments_arrive_where_they_belong() {
    let server = start();
    for (request, fragments) in MOVED {
        let reply = ask(&server, request);
        for fragment in *fragments {
            assert!(reply.contains(fragment), "{request:?}: {reply}");
        }
    }
}

/// Two modules had a command of the same name.
#[test]
fn debug_with_two_arguments_is_that_of_mohqueue() {
    let server = TABLES
        .iter()
        .fold(Server::builder(Flavor::Rust), |server, (name, content)| {
            server.file(name, content)
        })
        .modules([
            "ctl", "tm", "sl", "rr", "pv", "corex", "db_text", "rtpproxy", "mohqueue",
        ])
        .modules(["mi_datagram"])
        .config(
            r#"
            modparam("mi_datagram", "socket_name", "{dir}/mi")
            modparam("rtpproxy", "rtpproxy_sock", "udp:127.0.0.1:9")
            modparam("rtpproxy", "rtpproxy_disable_tout", 1)
            modparam("rtpproxy", "rtpproxy_tout", 1)
            modparam("rtpproxy", "rtpproxy_retr", 0)
            modparam("mohqueue", "db_url", "text://{dir}/more")
            modparam("mohqueue", "mohdir", "{dir}")
            "#,
        )
        .start();
    let reply = ask(&server, ":debug:\nsales\n1\n");
    assert_eq!(reply, "401 No such queue (sales)!\n");
    assert_eq!(ask(&server, ":debug:\n"), "200 OK\nDEBUG:: 2\n");
}

fn ask(server: &Server, request: &str) -> String {
    let reply = datagram::ask(&server.path("mi"), request.as_bytes());
    String::from_utf8_lossy(&reply).into_owned()
}

fn start() -> Server {
    let mut server = everything::load_into(Server::builder(Flavor::Rust))
        .modules(MODULES.iter().copied())
        .modules(["mi_datagram"])
        .config(CONFIG);
    for (file, config) in WHERE_THEY_ARE.iter().filter(|(file, _)| is_there(file)) {
        let module = file.trim_end_matches(".so");
        server = server
            .modules([module])
            .config(&config.replace("MODULE", module));
    }
    TABLES
        .iter()
        .fold(server.file("routes", ""), |server, (name, content)| {
            server.file(name, content)
        })
        .start()
}

fn is_there(file: &str) -> bool {
    c_modules().join(file).is_file()
}

/// The old names and commands in the documentation's table.
fn table() -> Vec<(&'static str, &'static str)> {
    DOCUMENT
        .lines()
        .filter_map(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            let old = in_code(cells.next()?)?;
            let command = in_code(cells.nth(1)?)?;
            Some((old, command))
        })
        .collect()
}

fn in_code(cell: &str) -> Option<&str> {
    cell.strip_prefix('`')?.strip_suffix('`')
}

type Modules = BTreeMap<String, Vec<String>>;

fn module_of_each_command() -> BTreeMap<String, String> {
    let mut names: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(NAMES).expect("the fixture is JSON");
    ["rpc_6.1.4", "rpc_5.6.3"]
        .into_iter()
        .filter_map(|version| names.remove(version))
        .flat_map(|names| {
            serde_json::from_value::<Modules>(names).expect("lists of names by module")
        })
        // uid_domain has the commands of domain.
        .filter(|(module, _)| !module.starts_with("uid_"))
        .flat_map(|(module, commands)| {
            commands
                .into_iter()
                .map(move |command| (command, module.clone()))
        })
        .collect()
}

fn listed(server: &Server, command: &str) -> BTreeSet<String> {
    let answer = server.client().call(command, &[]);
    answer
        .values()
        .iter()
        .map(|name| name.as_str().expect("names are text").to_owned())
        .collect()
}
