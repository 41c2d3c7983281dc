//! The servers that are tried, each with one module, ours or the C one, and the
//! listeners of each.

use std::net::SocketAddr;
use std::path::Path;

use harness::binrpc::{Address, Client};
use harness::builder::Builder;
use harness::modules::Flavor;
use harness::process::{open_files, private_kib};
use harness::server::{Server, free_port, short_directory};
use harness::tls::Certificate;
use report::proof::Usage;
use rpc_wire::binrpc::client::Node;
use rustix::process::Pid;
use tempfile::TempDir;

use crate::link::ServerAddress;
use crate::protocol::Protocol;

/// The entries of the table whose dump is a large reply.
const TABLE: &str = r#"
modparam("htable", "htable", "t=>size=8;")
modparam("pv", "shvset", "x=s:a value")
event_route[htable:mod-init] {
    $var(i) = 0;
    while ($var(i) < 500) {
        $sht(t=>key$var(i)) = "the value of entry $var(i) é \"quoted\" \\";
        $var(i) = $var(i) + 1;
    }
}
"#;

/// A script that calls every function of `tcpops`, on the message's connection and on
/// others, with whatever the message says.
const SCRIPT: &str = include_str!("tcpops.cfg");

/// A listener of a server, with its protocol.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) name: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) address: ServerAddress,
}

/// A module that is tried, in a server of its own.
pub(crate) struct Subject {
    /// The name of the module, and what is special about this server.
    pub(crate) name: &'static str,
    pub(crate) flavor: Flavor,
    pub(crate) listeners: Vec<Listener>,
    builder: Builder,
    /// The descriptions of the processes that answer.
    watched: &'static [&'static str],
    pub(crate) directory: TempDir,
}

/// The growth that is allowed during an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) descriptors: usize,
    pub(crate) private_kib: u64,
    pub(crate) shared_bytes: i64,
}

/// The usual allowance. A process keeps the largest heap that it has needed, and each
/// argument of a request is 64 times as large in memory as on the wire. One connection
/// that is kept has 16 KiB of shared memory.
pub(crate) const USUAL: Allowance = Allowance {
    descriptors: 0,
    private_kib: 16 * 1024,
    shared_bytes: 64 * 1024,
};

/// The allowance for modules that are reached through the core's connections. If
/// clients of SIP or HTTP break their connections the core's reader keeps some of them,
/// with the C module as with ours.
const OF_THE_CORE: Allowance = Allowance {
    descriptors: 64,
    shared_bytes: 2 * 1024 * 1024,
    ..USUAL
};

/// All subjects of one flavor.
pub(crate) fn all(flavor: Flavor) -> Vec<Subject> {
    let mut subjects = vec![ctl(flavor), jsonrpcs(flavor), jsonrpcs_udp(flavor)];
    if flavor == Flavor::Rust {
        subjects.push(mi_datagram_unix());
        subjects.push(mi_datagram_udp("mi_datagram, UDP", "127.0.0.1"));
        subjects.push(mi_datagram_udp("mi_datagram, UDP over IPv6", "[::1]"));
    }
    subjects.push(tcpops(flavor));
    subjects
}

fn ctl(flavor: Flavor) -> Subject {
    let base = Base::new(flavor, &[]);
    let [udp, tcp, line_udp, line_tcp] = [(); 4].map(|()| local("127.0.0.1"));
    let config = format!(
        r#"
        modparam("ctl", "binrpc", "unixd:{{dir}}/datagram")
        modparam("ctl", "binrpc", "udp:{udp}")
        modparam("ctl", "binrpc", "tcp:{tcp}")
        modparam("ctl", "fifo", "fifo:{{dir}}/pipe")
        modparam("ctl", "fifo", "udp:{line_udp}")
        modparam("ctl", "fifo", "tcp:{line_tcp}")
        "#
    );
    let (binrpc, lines) = (Protocol::Binrpc, Protocol::Lines);
    let path = |name| base.path(name);
    let listeners = vec![
        listener(
            "BINRPC, Unix stream",
            binrpc,
            ServerAddress::UnixStream(path("kamailio_ctl")),
        ),
        listener(
            "BINRPC, Unix datagram",
            binrpc,
            ServerAddress::UnixDatagram(path("datagram")),
        ),
        listener("BINRPC, UDP", binrpc, ServerAddress::Udp(udp)),
        listener("BINRPC, TCP", binrpc, ServerAddress::Tcp(tcp)),
        listener(
            "lines, named pipe",
            lines,
            ServerAddress::Pipe(path("pipe")),
        ),
        listener("lines, UDP", lines, ServerAddress::Udp(line_udp)),
        listener("lines, TCP", lines, ServerAddress::Tcp(line_tcp)),
    ];
    base.subject("ctl", &config, listeners, &["ctl handler"])
}

fn jsonrpcs(flavor: Flavor) -> Subject {
    let base = Base::new(flavor, &["xhttp", "jsonrpcs"]);
    let tcp = local("127.0.0.1");
    let web = SocketAddr::from(([127, 0, 0, 1], base.port));
    let path = |name| base.path(name);
    let json = Protocol::Json;
    let mut listeners = vec![
        listener(
            "JSON-RPC, Unix datagram",
            json,
            ServerAddress::UnixDatagram(path("json")),
        ),
        listener(
            "JSON-RPC, named pipe",
            json,
            ServerAddress::Pipe(path("pipe")),
        ),
        listener("JSON-RPC, HTTP", Protocol::Http, ServerAddress::Tcp(web)),
    ];
    // The C module of 5.6.3 does not know TCP.
    let (transport, parameter) = match flavor {
        Flavor::C => (7, String::new()),
        Flavor::Rust => {
            listeners.push(listener("JSON-RPC, TCP", json, ServerAddress::Tcp(tcp)));
            (
                15,
                format!(
                    "modparam(\"jsonrpcs\", \"tcp_socket\", \"tcp:{tcp}\")\nmodparam(\"jsonrpcs\", \"tcp_keep\", 1)"
                ),
            )
        }
    };
    let config = format!(
        r#"
        tcp_accept_no_cl=yes
        modparam("jsonrpcs", "transport", {transport})
        modparam("jsonrpcs", "pretty_format", 0)
        modparam("jsonrpcs", "fifo_name", "{{dir}}/pipe")
        modparam("jsonrpcs", "dgram_socket", "{{dir}}/json")
        {parameter}
        event_route[xhttp:request] {{ jsonrpc_dispatch(); }}
        "#
    );
    let watched = &["JSONRPC", "tcp receiver", "tcp main"];
    base.with_tcp()
        .subject("jsonrpcs", &config, listeners, watched)
}

/// The server with UDP, because one server has only one socket for datagrams.
fn jsonrpcs_udp(flavor: Flavor) -> Subject {
    let base = Base::new(flavor, &["jsonrpcs"]);
    let udp = local("127.0.0.1");
    let config = format!(
        r#"
        modparam("jsonrpcs", "transport", 4)
        modparam("jsonrpcs", "pretty_format", 0)
        modparam("jsonrpcs", "dgram_socket", "udp:{udp}")
        "#
    );
    let listeners = vec![listener(
        "JSON-RPC, UDP",
        Protocol::Json,
        ServerAddress::Udp(udp),
    )];
    base.subject("jsonrpcs, UDP", &config, listeners, &["JSONRPC"])
}

fn mi_datagram_unix() -> Subject {
    let base = Base::new(Flavor::Rust, &["mi_datagram"]);
    let address = ServerAddress::UnixDatagram(base.path("mi"));
    let listeners = vec![listener("MI, Unix datagram", Protocol::Mi, address)];
    let config = r#"modparam("mi_datagram", "socket_name", "{dir}/mi")"#;
    base.subject("mi_datagram", config, listeners, &["MI DATAGRAM"])
}

fn mi_datagram_udp(name: &'static str, host: &str) -> Subject {
    let base = Base::new(Flavor::Rust, &["mi_datagram"]);
    let udp = local(host);
    let listeners = vec![listener("MI, UDP", Protocol::Mi, ServerAddress::Udp(udp))];
    let config = format!(r#"modparam("mi_datagram", "socket_name", "udp:{udp}")"#);
    base.subject(name, &config, listeners, &["MI DATAGRAM"])
}

/// The server with `tcpops`. It does not listen for WebSocket, because the module of
/// that name keeps memory for each of its connections, with either `tcpops`.
fn tcpops(flavor: Flavor) -> Subject {
    let mut base = Base::new(flavor, &["tls", "textops", "tcpops"]);
    let tls = local("127.0.0.1");
    let tcp = SocketAddr::from(([127, 0, 0, 1], base.port));
    let certificate = Certificate::new();
    base.builder = certificate
        .files(base.builder)
        .core_config(&format!("enable_tls=yes\nlisten=tls:{tls}"));
    let config = format!(
        r#"
        modparam("tls", "tls_method", "TLSv1.2+")
        modparam("tls", "certificate", "{{dir}}/certificate.pem")
        modparam("tls", "private_key", "{{dir}}/key.pem")
        modparam("tcpops", "closed_event", 2)
        {SCRIPT}
        "#
    );
    let sip = Protocol::Sip;
    let listeners = vec![
        listener("SIP, TCP", sip, ServerAddress::Tcp(tcp)),
        listener("SIP, TLS", sip, ServerAddress::Tls(tls, certificate)),
    ];
    base.with_tcp()
        .subject("tcpops", &config, listeners, &["tcp receiver", "tcp main"])
}

/// The parts that all subjects have.
struct Base {
    flavor: Flavor,
    directory: TempDir,
    port: u16,
    builder: Builder,
}

impl Base {
    fn new(flavor: Flavor, modules: &[&str]) -> Self {
        let directory = short_directory();
        let port = free_port();
        let builder = Server::builder(flavor)
            .directory(directory.path())
            .port(port)
            .modules(["ctl", "kex", "sl", "pv", "xlog", "htable"])
            .modules(modules.iter().copied())
            .core_config("max_while_loops=1000")
            .config(r#"modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")"#)
            .config(TABLE);
        Self {
            flavor,
            directory,
            port,
            builder,
        }
    }

    fn with_tcp(mut self) -> Self {
        self.builder = self.builder.tcp();
        self
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn subject(
        self,
        name: &'static str,
        config: &str,
        listeners: Vec<Listener>,
        watched: &'static [&'static str],
    ) -> Subject {
        Subject {
            name,
            flavor: self.flavor,
            listeners,
            builder: self.builder.config(config),
            watched,
            directory: self.directory,
        }
    }
}

fn listener(name: &'static str, protocol: Protocol, address: ServerAddress) -> Listener {
    Listener {
        name,
        protocol,
        address,
    }
}

fn local(host: &str) -> SocketAddr {
    let address = format!("{host}:{}", free_port());
    address.parse().expect("an address")
}

impl Subject {
    /// The module, and whose it is.
    pub(crate) fn title(&self) -> String {
        let whose = match self.flavor {
            Flavor::C => "C",
            Flavor::Rust => "ours",
        };
        format!("{} ({whose})", self.name)
    }

    /// Starts the server, and retries while a port is still taken by the one before.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub(crate) fn start(&self) -> Server {
        const TIMES: usize = 5;
        for _ in 1..TIMES {
            if let Ok(server) = self.builder.clone().try_start() {
                return server;
            }
        }
        self.builder.clone().start()
    }

    /// The growth that it is allowed during an attack.
    pub(crate) fn allowance(&self) -> Allowance {
        match self.name {
            // Both are reached over connections that the core reads.
            "tcpops" | "jsonrpcs" => OF_THE_CORE,
            _ => USUAL,
        }
    }

    /// The path of its server's log.
    pub(crate) fn log(&self) -> std::path::PathBuf {
        self.directory.path().join("log")
    }

    /// The usage of the processes that answer, if the server can still be asked.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let mut client = control(self.directory.path())?;
        let processes = client.try_call("core.ps", &[]).ok()?;
        let watched: Vec<Pid> = processes
            .values()
            .chunks_exact(2)
            .filter(|process| self.is_watched(&process[1]))
            .filter_map(|process| Pid::from_raw(process[0].as_int()?))
            .collect();
        assert!(
            !watched.is_empty(),
            "{}: nobody answers in {processes}",
            self.title()
        );
        let memory = client.try_call("core.shmmem", &[]).ok()?;
        let used = memory.values().first()?.get("real_used")?;
        let used = used.as_int().map(f64::from).or(used.as_double())?;
        Some(Usage {
            descriptors: watched.iter().copied().map(open_files).sum(),
            private_kib: watched.iter().copied().map(private_kib).sum(),
            shared_bytes: used as i64,
        })
    }

    fn is_watched(&self, description: &Node) -> bool {
        let description = description.as_str().unwrap_or_default();
        self.watched.iter().any(|part| description.contains(part))
    }
}

fn control(directory: &Path) -> Option<Client> {
    Client::try_connect(Address::UnixStream(directory.join("kamailio_ctl"))).ok()
}
