//! `rust.modules`, which tells the builds of our modules that a running server has
//! loaded.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use harness::builder::Builder;
use harness::json_transports;
use harness::modules::{Flavor, example, kamailio, our_modules, ours, workspace};
use harness::server::Server;
use rpc_wire::binrpc::client::Node;
use serde_json::Value;
use tempfile::TempDir;

const COMMAND: &str = "rust.modules";
const MEMBERS: [&str; 5] = ["module", "version", "commit", "kamailio", "path"];

const CONFIG: &str = r#"
tcp_accept_no_cl=yes
modparam("jsonrpcs", "transport", 4)
modparam("jsonrpcs", "dgram_socket", "{dir}/rpc.socket")
modparam("mi_datagram", "socket_name", "{dir}/mi.socket")
request_route { exit; }
"#;

/// The values for one module, by the names of the members.
type Told = BTreeMap<String, String>;

#[test]
fn all_of_ours_are_told_alike_over_both_protocols_and_no_module_in_c() {
    let server = Server::builder(Flavor::Rust)
        .tcp()
        .modules(["ctl", "tm", "sl", "pv", "jsonrpcs", "mi_datagram", "tcpops"])
        .config(CONFIG)
        .start();
    let told = told(&server);
    assert_eq!(told, told_in_json(&server));

    let mut names: Vec<&str> = told.iter().map(|module| &*module["module"]).collect();
    names.sort_unstable();
    assert_eq!(names, ours());
    for module in &told {
        let file = our_modules().join(format!("{}.so", module["module"]));
        assert_is_build_of(module, &file);
    }
}

#[test]
fn whichever_of_ours_is_loaded_alone_has_the_command() {
    for module in ["faulty", "hello", "tiny"] {
        let file = example(module);
        let server = with_file(&file).start();
        let told = told(&server);
        let [only] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(only["module"], module);
        assert_is_build_of(only, &file);
        assert!(!server.log().contains("duplicate rpc"), "{}", server.log());
    }
}

/// The link points elsewhere once another build is installed, but the running server
/// keeps the file that it has.
#[test]
fn the_path_is_that_of_the_file_however_it_was_reached() {
    let directory = TempDir::new().expect("a temporary directory");
    let link = directory.path().join("tiny.so");
    symlink(example("tiny"), &link).expect("the link is new");
    let server = with_file(&link).start();
    fs::remove_file(&link).expect("it is there");
    assert_is_build_of(&told(&server)[0], &example("tiny"));
}

/// A server whose only module of ours is this one; `ctl` is the module in C.
fn with_file(file: &Path) -> Builder {
    Server::builder(Flavor::C)
        .modules(["ctl", "pv"])
        .module_file(file)
}

fn assert_is_build_of(told: &Told, file: &Path) {
    let real = file.canonicalize().expect("the module is there");
    assert_eq!(Path::new(&told["path"]), real);
    assert_eq!(told["version"], version_of_ours());
    assert!(is_commit(&told["commit"]), "{told:?}");
    let content = fs::read(real).expect("the module can be read");
    for text in [&told["commit"], &told["kamailio"]] {
        let found = content
            .windows(text.len())
            .any(|window| window == text.as_bytes());
        assert!(found, "{text} is not in {}", file.display());
    }
    let said = Command::new(kamailio())
        .arg("-v")
        .output()
        .expect("the server runs");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let version = format!("version: kamailio {} ", told["kamailio"]);
    assert!(said.starts_with(&version), "{told:?}: {said}");
}

/// Whether it is a commit: twelve digits, with or without a mark, the name that the
/// builder has given, or none.
fn is_commit(text: &str) -> bool {
    let name = text.strip_suffix("-dirty").unwrap_or(text);
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match workspace().join(".git").exists() {
        true => name.len() == 12 && name.bytes().all(is_digit),
        false => !text.is_empty(),
    }
}

fn version_of_ours() -> String {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).expect("the workspace's");
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = "))
        .expect("the packages have a common version");
    version.trim_matches('"').to_owned()
}

fn told(server: &Server) -> Vec<Told> {
    let answer = server.client().call(COMMAND, &[]);
    let told = answer.values().iter().map(|module| {
        assert_eq!(module.members().count(), MEMBERS.len(), "{answer}");
        let member = |name: &str| module.get(name).and_then(Node::as_str);
        members(|name| member(name).map(str::to_owned))
    });
    told.collect()
}

fn told_in_json(server: &Server) -> Vec<Told> {
    let request = format!(r#"{{"jsonrpc":"2.0","method":"{COMMAND}","id":1}}"#);
    let answer = json_transports::datagram(&server.path("rpc.socket"), request.as_bytes());
    let answer: Value = serde_json::from_str(&answer).expect("the answer is JSON");
    let told = answer["result"].as_array().expect("an array").iter();
    told.map(|module| members(|name| module[name].as_str().map(str::to_owned)))
        .collect()
}

fn members(value: impl Fn(&'static str) -> Option<String>) -> Told {
    let told = |name| value(name).unwrap_or_else(|| panic!("no text {name}"));
    MEMBERS
        .iter()
        .map(|name| ((*name).to_owned(), told(*name)))
        .collect()
}
