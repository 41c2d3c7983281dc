//! The pages, and the server that each of them describes.

use std::fs;
use std::path::Path;

use harness::builder::Builder;
use harness::modules::{Flavor, example, our_modules, workspace};
use harness::server::{Server, free_port, short_directory};
use serde_json::Value;

use crate::blocks::{self, Block};
use crate::operator::{Operator, Shell, as_its_own_user, operators};

/// The directory in which pages put sockets and pipes. Tests put them into the server's
/// directory.
const RUN: &str = "/run/kamailio";

/// The folder of our modules in the server's module directory. The tests of `make
/// install` use it.
const INSTALLED: &str = "rust/";

/// The ports in the pages, which tests replace by free ones.
const PORTS: &[&str] = &["2049", "2050", "8033", "8080", "8090", "5061"];

/// The address at which the server of a page listens for SIP and HTTP.
const SIP: &str = ":5060";

/// A document, and the server that it describes.
pub(crate) struct Page {
    pub(crate) file: &'static str,
    /// The modules that its configurations and its server need.
    modules: &'static [&'static str],
    /// The configuration of the server for its commands.
    config: &'static str,
}

/// Every document.
pub(crate) const PAGES: &[Page] = &[
    Page::without_server("README.md", &["ctl"]),
    Page::without_server("ARCHITECTURE.md", &["ctl"]),
    Page::without_server("CONTRIBUTING.md", &["ctl"]),
    Page::without_server("SECURITY.md", &["ctl"]),
    Page::without_server("docs/README.md", &["ctl"]),
    Page::without_server("docs/benchmarks.md", &["ctl"]),
    Page::without_server("docs/security.md", &["ctl"]),
    Page::without_server("docs/upgrading.md", &["ctl"]),
    Page::without_server("docs/mi_datagram-commands.md", &["ctl"]),
    Page::without_server("docs/faults.md", &["ctl"]),
    Page::without_server("docs/proof.md", &["ctl"]),
    Page {
        file: "docs/ctl.md",
        modules: &["ctl", "htable"],
        config: r#"
            modparam("htable", "htable", "a=>size=4;")
            modparam("ctl", "mode", 0660)
            modparam("ctl", "binrpc", "unix:/run/kamailio/kamailio_ctl")
            modparam("ctl", "binrpc", "unixd:/run/kamailio/kamailio_ctl_datagram")
            modparam("ctl", "binrpc", "udp:127.0.0.1:2049")
            modparam("ctl", "binrpc", "tcp:127.0.0.1:2049")
            modparam("ctl", "fifo", "/run/kamailio/kamailio_fifo")
            modparam("ctl", "fifo", "udp:127.0.0.1:2050")
            modparam("ctl", "fifo", "tcp:127.0.0.1:2050")
        "#,
    },
    Page {
        file: "docs/mi_datagram.md",
        modules: &["ctl", "pv", "htable", "usrloc", "dispatcher", "mi_datagram"],
        config: r#"
            modparam("mi_datagram", "socket_name", "/run/kamailio/mi.sock")
            modparam("usrloc", "preload", "location")
            modparam("htable", "htable", "a=>size=4;")
            modparam("pv", "shvset", "greeting=s:")
            modparam("dispatcher", "list_file", "EXAMPLES/dispatcher.list")
        "#,
    },
    Page {
        file: "docs/jsonrpcs.md",
        modules: &[
            "ctl", "tm", "sl", "pv", "xlog", "htable", "xhttp", "jsonrpcs",
        ],
        config: r#"
            tcp_accept_no_cl=yes
            modparam("htable", "htable", "users=>size=4;")
            modparam("jsonrpcs", "transport", 0)
            modparam("jsonrpcs", "fifo_name", "/run/kamailio/kamailio_rpc.fifo")
            modparam("jsonrpcs", "stream_socket", "unix:/run/kamailio/rpc.stream")
            modparam("jsonrpcs", "dgram_socket", "udp:127.0.0.1:8090")
            modparam("jsonrpcs", "tcp_socket", "tcp:127.0.0.1:8090")
            modparam("jsonrpcs", "store_dir", "/run/kamailio")
            event_route[xhttp:request] { jsonrpc_dispatch(); }
            event_route[htable:mod-init] { $sht(users=>alice) = "sip:alice@127.0.0.1"; }
        "#,
    },
    Page::without_server(
        "docs/tcpops.md",
        &[
            "ctl", "tm", "sl", "pv", "xlog", "textops", "siputils", "tcpops",
        ],
    ),
];

/// Pairs of a text in a page, and the text with which a test replaces it.
pub(crate) struct Places(Vec<(String, String)>);

impl Places {
    fn new(directory: &Path) -> Self {
        let directory = directory.display().to_string();
        let mut places = vec![(RUN.to_owned(), directory)];
        for port in PORTS {
            places.push((format!(":{port}"), format!(":{}", free_port())));
        }
        Places(places)
    }

    /// Adds the SIP port, which the server does not take from a configuration.
    fn add_sip(&mut self, port: u16) {
        self.0.push((SIP.to_owned(), format!(":{port}")));
    }

    pub(crate) fn put(&self, text: &str) -> String {
        let (run, directory) = &self.0[0];
        let mut text = text.replace(run, directory);
        for (from, to) in self.0.iter().skip(1) {
            text = replace_port(&text, from, to);
        }
        // `ctl` shows an address with a blank before its port.
        for (from, to) in self.0.iter().skip(1) {
            let [from, to] =
                [from, to].map(|port| format!("127.0.0.1{}", port.replacen(':', " ", 1)));
            text = replace_port(&text, &from, &to);
        }
        text
    }
}

/// Replaces what ends in a port, but not where more digits follow: a port that was
/// put in for another one may begin with the same digits.
fn replace_port(text: &str, from: &str, to: &str) -> String {
    let mut parts = text.split(from);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_longer = part.starts_with(|next: char| next.is_ascii_digit());
        replaced += if is_longer { from } else { to };
        replaced += part;
    }
    replaced
}

#[test]
fn a_port_that_was_put_in_for_another_one_stays() {
    let ports = [(":2049", ":20508"), (":2050", ":20509")];
    let places = [("/run/kamailio", "/tmp/a")].iter().chain(&ports);
    let places = Places(
        places
            .map(|(from, to)| ((*from).into(), (*to).into()))
            .collect(),
    );
    let put = places.put("tcp:127.0.0.1:2049 udp:127.0.0.1:2050\n127.0.0.1 2050");
    assert_eq!(
        put,
        "tcp:127.0.0.1:20508 udp:127.0.0.1:20509\n127.0.0.1 20509"
    );
}

impl Page {
    const fn without_server(file: &'static str, modules: &'static [&'static str]) -> Self {
        Page {
            file,
            modules,
            config: "",
        }
    }

    fn text(&self) -> String {
        let file = workspace().join(self.file);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    pub(crate) fn blocks(&self) -> Vec<Block> {
        blocks::of(&self.text())
    }

    fn tried(&self, languages: &[&str]) -> Vec<Block> {
        let mut blocks = self.blocks();
        blocks
            .retain(|block| block.excuse.is_none() && languages.contains(&block.language.as_str()));
        blocks
    }

    /// A server with this page's modules, except for those that `text` loads itself.
    fn builder(&self, text: &str) -> Builder {
        let loaded = |name: &str| {
            ["", INSTALLED]
                .iter()
                .any(|folder| text.contains(&format!("loadmodule \"{folder}{name}.so\"")))
        };
        let modules = self.modules.iter().copied().filter(|name| !loaded(name));
        Server::builder(Flavor::Rust).modules(modules).tcp()
    }

    pub(crate) fn check_configurations(&self) {
        for block in self.tried(&["kamailio"]) {
            let directory = tempfile::tempdir_in("/tmp").expect("a directory");
            let tiny = example("tiny").display().to_string();
            let text = Places::new(directory.path())
                .put(&whole(&block.text))
                .replace("loadmodule \"tiny.so\"", &format!("loadmodule \"{tiny}\""))
                .replace(
                    &format!("loadmodule \"{INSTALLED}"),
                    &format!("loadmodule \"{}/", our_modules().display()),
                );
            let ended = self.builder(&block.text).config(&text).check();
            assert!(
                ended.status.success(),
                "{}:{} is refused:\n{}",
                self.file,
                block.line,
                ended.log
            );
        }
    }

    pub(crate) fn has_commands(&self) -> bool {
        !self.tried(&["sh", "console"]).is_empty()
    }

    /// Runs the commands as each operator, against a new server.
    pub(crate) fn run_commands(&self) {
        for operator in operators() {
            self.run_commands_as(operator);
        }
    }

    fn run_commands_as(&self, operator: &Operator) {
        let directory = short_directory();
        let mut places = Places::new(directory.path());
        let shell = Shell {
            operator,
            directory: directory.path(),
        };
        let port = free_port();
        places.add_sip(port);
        let examples = workspace().join("examples").display().to_string();
        let config = places.put(self.config).replace("EXAMPLES", &examples);
        let server = as_its_own_user(self.builder(""), directory.path())
            .port(port)
            .config(&config)
            .start();
        for block in self.tried(&["sh", "console", "json"]) {
            let place = format!("{}:{}", self.file, block.line);
            match block.language.as_str() {
                "sh" => run(&place, &block.text, &shell, &places),
                "json" => exchange(&place, &block.text, &shell, &places),
                _ => session(&place, &block, &shell, &places),
            }
        }
        drop(server);
    }

    pub(crate) fn check_links(&self) {
        let page = workspace().join(self.file);
        let text = self.text();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if link.contains("://") || link.contains(' ') {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.with_file_name(file),
            };
            let found = fs::read_to_string(&target)
                .unwrap_or_else(|error| panic!("{} links to {link}: {error}", self.file));
            let has = |heading: &str| heading.starts_with('#') && slug(heading) == anchor;
            assert!(
                anchor.is_empty() || found.lines().any(has),
                "{} links to {link}, where nothing is called so",
                self.file
            );
        }
    }
}

/// A configuration that contains this text. Statements of a script are put into a
/// route.
fn whole(text: &str) -> String {
    let first = text.split(['(', '=', '[', ' ']).next().unwrap_or_default();
    let is_script = text.contains(");") && !["loadmodule", "modparam"].contains(&first);
    match is_script && !text.contains("route") {
        true => format!("request_route {{\n{text}}}\n"),
        false => text.to_owned(),
    }
}

/// Runs commands that must succeed.
fn run(place: &str, text: &str, shell: &Shell<'_>, places: &Places) {
    let output = shell.run(text, places);
    assert!(
        output.status.success(),
        "{place} as {:?}: {}\n{text}\n{}\n{}",
        shell.operator,
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs what was typed into a terminal, which may fail as it does there.
fn session(place: &str, block: &Block, shell: &Shell<'_>, places: &Places) {
    for command in block.session() {
        let output = shell.run(&command.text, places);
        let printed = [output.stdout, output.stderr].concat();
        assert_eq!(
            shape(&String::from_utf8_lossy(&printed)),
            shape(&places.put(&command.output)),
            "{place} {} as {:?}",
            command.text,
            shell.operator
        );
    }
}

/// Sends a JSON-RPC request and compares the answer with the one below it, if that is
/// shown.
fn exchange(place: &str, text: &str, shell: &Shell<'_>, places: &Places) {
    let mut lines = text.lines();
    let request = lines.next().expect("a request");
    let ask = format!("printf '%s' '{request}' | socat -t 10 - TCP4:127.0.0.1:8090");
    let output = shell.run(&ask, places);
    let read = |text: &[u8]| {
        serde_json::from_slice::<Value>(text)
            .unwrap_or_else(|error| panic!("{place}: {error} in {}", text.escape_ascii()))
    };
    let answer = read(&output.stdout);
    match lines.next() {
        Some(shown) => assert_eq!(answer, read(shown.as_bytes()), "{place}"),
        None => assert!(answer.get("result").is_some(), "{place}: {answer}"),
    }
}

/// The shape of a text: numbers differ from run to run, and a blank at the end of a
/// line is not visible.
fn shape(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut shape = String::new();
    for character in lines.join("\n").trim_end().chars() {
        match character {
            '0'..='9' if shape.ends_with('0') => {}
            '0'..='9' => shape.push('0'),
            other => shape.push(other),
        }
    }
    shape
}

/// The name of a heading in a link.
fn slug(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            letter if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}
