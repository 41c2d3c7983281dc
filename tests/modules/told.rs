//! The values of parameters as the server's own commands show them (`modparam.list` and
//! others, from 6.1 on).

use harness::binrpc::Client;
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use rpc_wire::binrpc::client::{Answer, Node};

/// Whether the server has such commands. If not, it says why.
fn has_them(client: &mut Client) -> bool {
    let names = client.call("system.listMethods", &[]);
    let has = names
        .values()
        .iter()
        .any(|name| name.as_str() == Some("modparam.list"));
    if !has {
        println!("skipped: this version of the server has no modparam.list");
    }
    has
}

const NAMES: [&str; 3] = ["ctl", "jsonrpcs", "tcpops"];

/// Everything that the commands show of the modules' parameters, by name.
fn told(flavor: Flavor, directory: &std::path::Path, config: &str) -> Option<Vec<String>> {
    let server = Server::builder(flavor)
        .directory(directory)
        .tcp()
        .modules(["ctl", "jsonrpcs", "tcpops"])
        .config(config)
        .start();
    let mut client = server.client();
    if !has_them(&mut client) {
        return None;
    }
    let mut told = Vec::new();
    for module in NAMES {
        let list = client.call("modparam.list", &[module.into()]);
        for entry in list.values() {
            let name = entry.get("param").and_then(Node::as_str).expect("a name");
            // The C module does not have these.
            if [
                "all_values",
                "http_over_udp",
                "stream_socket",
                "max_reply",
                "store_dir",
                "strict",
                "tcp_keep",
            ]
            .contains(&name)
            {
                continue;
            }
            told.push(entry.to_string());
            for command in ["modparam.getn", "modparam.gets"] {
                told.push(
                    client
                        .call(command, &[module.into(), name.into()])
                        .to_string(),
                );
            }
            let set = [module.into(), name.into(), 7.into()];
            told.push(client.call("modparam.setn", &set).to_string());
        }
    }
    Some(told)
}

#[test]
fn the_server_tells_them_as_those_of_the_c_modules() {
    let port = free_port();
    let configs = [
        String::new(),
        r#"
        modparam("ctl", "mode", 0660)
        modparam("ctl", "user", "root")
        modparam("ctl", "autoconversion", 1)
        modparam("ctl", "binrpc_max_body_size", 0)
        modparam("ctl", "binrpc_struct_max_body_size", 5)
        modparam("ctl", "binrpc_buffer_size", 4096)
        modparam("jsonrpcs", "pretty_format", 0)
        modparam("jsonrpcs", "transport", 4)
        modparam("jsonrpcs", "dgram_socket", "a.sock")
        modparam("jsonrpcs", "dgram_user", "daemon")
        modparam("jsonrpcs", "dgram_workers", 2)
        modparam("jsonrpcs", "dgram_timeout", 100)
        modparam("jsonrpcs", "fifo_user", "daemon")
        modparam("jsonrpcs", "fifo_name", "b.fifo")
        modparam("jsonrpcs", "fifo_reply_dir", "/var/tmp")
        modparam("jsonrpcs", "tcp_socket", "tcp:127.0.0.1:8095")
        modparam("tcpops", "closed_event", 2)
        modparam("tcpops", "event_callback", "ended")
        "#
        .to_owned(),
        format!(
            r#"
            modparam("jsonrpcs", "transport", 10)
            modparam("jsonrpcs", "fifo_name", "{{dir}}/c.fifo")
            modparam("jsonrpcs", "fifo_user", 0)
            modparam("jsonrpcs", "fifo_group", "daemon")
            modparam("jsonrpcs", "fifo_mode", 0600)
            modparam("jsonrpcs", "tcp_socket", "tcp:127.0.0.1:{port}")
            modparam("tcpops", "closed_event", 0)
            "#
        ),
    ];
    for config in configs {
        let directory = harness::server::short_directory();
        let Some(theirs) = told(Flavor::C, directory.path(), &config) else {
            return;
        };
        let ours = told(Flavor::Rust, directory.path(), &config).expect("the same server");
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(theirs, ours, "{config}");
        }
        assert_eq!(theirs.len(), ours.len(), "{config}");
    }
}

#[test]
fn a_number_that_was_set_is_told() {
    let server = Server::builder(Flavor::Rust)
        .tcp()
        .modules(["ctl", "tcpops"])
        .start();
    let mut client = server.client();
    if !has_them(&mut client) {
        return;
    }
    let answer = client.call("modparam.getn", &["tcpops".into(), "closed_event".into()]);
    let value = answer
        .values()
        .first()
        .and_then(|told| told.get("value")?.as_int());
    assert_eq!(value, Some(1), "{answer}");
    let set = ["tcpops".into(), "closed_event".into(), 2.into()];
    assert!(
        matches!(
            client.call("modparam.setn", &set),
            Answer::Fault { code: 488, .. }
        ),
        "a parameter outside shared memory is not to be written"
    );
}
