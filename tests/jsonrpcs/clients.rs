//! The clients that operators use.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use harness::contacts;
use harness::differential::SharedSetup;
use harness::modules::Flavor;
use harness::own_path::OwnPath;
use harness::server::{Server, free_port, short_directory};
use harness::tls::Certificate;
use tempfile::TempDir;

use crate::transports::{ECHO, ECHOED, JsonListeners, datagram};

/// The output of a program that ends successfully.
fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

#[test]
fn kamctl_through_the_named_pipe() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let kamctl = |args: &[&str]| {
        let fifo = server.path("rpc.fifo");
        output(Command::new("kamctl").env("RPCFIFOPATH", fifo).args(args))
    };
    let version = kamctl(&["rpc", "core.version"]);
    assert!(version.contains(r#""result":"kamailio"#), "{version}");
    let echo = kamctl(&["rpc", "core.echo", "one", "two"]);
    assert!(echo.contains(r#""result":["one","two"]"#), "{echo}");
    let uptime = kamctl(&["uptime"]);
    assert!(uptime.contains("up_since"), "{uptime}");
}

#[test]
fn kamcli_through_the_datagram_socket() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let kamcli = Kamcli::new(&server);
    let version = kamcli.run(&["rpc", "core.version"]);
    assert!(version.contains("kamailio"), "{version}");
    let echo = kamcli.run(&["rpc", "core.echo", "s:one", "s:two"]);
    assert!(echo.contains("one") && echo.contains("two"), "{echo}");
}

/// The reply has over 65,535 bytes, and almost as many as `kamcli` itself accepts.
#[test]
fn kamcli_shows_ninety_contacts_as_with_the_c_module() {
    const CONTACTS: usize = 90;
    let setup = SharedSetup::new();
    let [theirs, ours] = [Flavor::C, Flavor::Rust].map(|flavor| {
        let server = setup.start_with(
            flavor,
            &["jsonrpcs"],
            r#"modparam("jsonrpcs", "dgram_socket", "{dir}/rpc.socket")"#,
        );
        let kamcli = Kamcli::new(&server);
        contacts::add(&mut server.client(), CONTACTS);
        let dump = br#"{"jsonrpc":"2.0","method":"ul.dump","id":1}"#;
        let answer = datagram(&server.path("rpc.socket"), dump);
        assert!((65_536..84_000).contains(&answer.len()), "{}", answer.len());
        kamcli.run(&["ul", "show"])
    });
    assert_eq!(
        ours.matches("sip:user").count(),
        theirs.matches("sip:user").count()
    );
    assert_eq!(ours.matches("\"Address\"").count(), CONTACTS, "{ours}");
    assert_eq!(theirs.matches("\"Address\"").count(), CONTACTS, "{theirs}");
}

/// Debian 13's `kamcli` 2.0.0 uses a name that its Python no longer has, so it cannot
/// even read its configuration. Python first runs a file with this text.
const SITE: &str = "import configparser\n\
                    configparser.SafeConfigParser = configparser.ConfigParser\n";

/// `kamcli` with its own configuration.
struct Kamcli {
    directory: TempDir,
    _own: OwnPath,
}

impl Kamcli {
    fn new(server: &Server) -> Self {
        let (directory, own) = (short_directory(), OwnPath::new());
        let text = format!(
            "[main]\ndomain=localhost\n[db]\ntype=mysql\n[ctl]\ntype=jsonrpc\n\
             [jsonrpc]\ntransport=socket\nsrvaddr={}\nrcvaddr={}\noutformat=json\n",
            server.path("rpc.socket").display(),
            own.path().display()
        );
        let config = directory.path().join("kamcli.ini");
        std::fs::write(config, text).expect("our own directory");
        let site = directory.path().join("sitecustomize.py");
        std::fs::write(site, SITE).expect("our own directory");
        Kamcli {
            directory,
            _own: own,
        }
    }

    fn run(&self, args: &[&str]) -> String {
        let config = self.directory.path().join("kamcli.ini");
        let mut command = Command::new("kamcli");
        command.env("PYTHONPATH", self.directory.path());
        command.arg("--no-default-configs").arg("-c").arg(config);
        output(command.args(args))
    }
}

#[test]
fn curl_over_http_and_https() {
    let (tls, certificate) = (free_port(), Certificate::new());
    let builder = certificate.files(Server::builder(Flavor::Rust));
    let server = builder
        .tcp()
        .core_config(&format!("enable_tls=yes\nlisten=tls:127.0.0.1:{tls}"))
        .modules(["ctl", "sl", "pv", "tls", "xhttp", "jsonrpcs"])
        .config(
            r#"
            modparam("tls", "tls_method", "TLSv1.2+")
            modparam("tls", "certificate", "{dir}/certificate.pem")
            modparam("tls", "private_key", "{dir}/key.pem")
            modparam("jsonrpcs", "transport", 1)
            modparam("jsonrpcs", "pretty_format", 0)
            tcp_accept_no_cl=yes
            request_route { exit; }
            event_route[xhttp:request] { jsonrpc_dispatch(); }
            "#,
        )
        .start();
    let curl = |url: &str, document: &str| {
        let written = "\n%{http_code} %{content_type}";
        output(
            Command::new("curl")
                .args(["--silent", "--show-error", "--data-binary", document])
                .args(["--header", "Content-Type: application/json"])
                .args(["--write-out", written, "--cacert"])
                .arg(server.path("certificate.pem"))
                .arg(url),
        )
    };
    let unknown = r#"{"jsonrpc":"2.0","method":"no.such","id":1}"#;
    for url in [
        format!("http://127.0.0.1:{}/RPC", server.port()),
        format!("https://localhost:{tls}/RPC"),
    ] {
        let told = curl(&url, ECHO);
        assert_eq!(told, format!("{ECHOED}\n200 application/json"));
        let told = curl(&url, unknown);
        assert!(told.ends_with("\n500 application/json"), "{told}");
        assert!(told.contains("Method Not Found"), "{told}");
    }
}

#[test]
fn socat_over_udp() {
    for address in ["127.0.0.1", "[::1]"] {
        let port = free_port();
        let _server = Server::builder(Flavor::Rust)
            .modules(["ctl", "jsonrpcs"])
            .config(&format!(
                "modparam(\"jsonrpcs\", \"transport\", 4)\n\
                 modparam(\"jsonrpcs\", \"pretty_format\", 0)\n\
                 modparam(\"jsonrpcs\", \"dgram_socket\", \"udp:{address}:{port}\")"
            ))
            .start();
        let family = if address.starts_with('[') {
            "UDP6"
        } else {
            "UDP4"
        };
        let mut socat = Command::new("socat")
            .args(["-", &format!("{family}:{address}:{port}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("socat is installed");
        let mut stdin = socat.stdin.take().expect("a pipe");
        stdin.write_all(ECHO.as_bytes()).expect("socat reads");
        let mut answer = vec![0; ECHOED.len()];
        let mut stdout = socat.stdout.take().expect("a pipe");
        stdout.read_exact(&mut answer).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), ECHOED);
        drop(stdin);
        socat.wait().expect("it ends");
    }
}
