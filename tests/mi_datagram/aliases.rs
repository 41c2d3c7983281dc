//! The commands that run for old names, on a server with their modules.

use std::collections::{BTreeMap, BTreeSet};

use harness::everything;
use harness::modules::{Flavor, c_modules};
use harness::server::Server;

const DOCUMENT: &str = include_str!("../../docs/mi_datagram-commands.md");
const NAMES: &str = include_str!("../fixtures/command-names.json");

/// Modules beside those of `everything`.
const MODULES: &[&str] = &[
    "imc",
    "matrix",
    "mohqueue",
    "pdb",
    "rtpproxy",
    "sipcapture",
    "siptrace",
    "userblocklist",
    "websocket",
];

/// The files of modules that need libraries which a Kamailio built for the tests
/// may lack, and what they need in the configuration. They are loaded where they
/// are; `scripts/server.sh` would build those whose name alone is between quotes.
const WHERE_THEY_ARE: &[(&str, &str)] = &[
    (
        "carrierroute.so",
        "modparam(\"MODULE\", \"config_source\", \"file\")\n\
        modparam(\"MODULE\", \"config_file\", \"{dir}/routes\")\n",
    ),
    ("regex.so", ""),
];

/// Modules that are not in Debian's package of Kamailio itself. One text, for
/// the same reason.
const NOT_LOADED: &str =
    "auth_ephemeral cnxcc cplc db_berkeley ims_dialog presence pua pua_rpc rls xcap_client";

const CONFIG: &str = r#"
modparam("imc|matrix|mohqueue|sipcapture|userblocklist", "db_url", "text://{dir}/more")
modparam("imc", "outbound_proxy", "sip:127.0.0.1:9")
modparam("mohqueue", "mohdir", "{dir}")
modparam("pdb", "server", "127.0.0.1:9")
modparam("siptrace", "trace_to_database", 0)
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

fn start() -> Server {
    let mut server = everything::load_into(Server::builder(Flavor::Rust))
        .modules(MODULES.iter().copied())
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

/// Each old name and command of the documentation's table.
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
