//! The seeds of mutated requests: good ones of many kinds, and the corpus of the
//! fuzzers. Whatever may legitimately end or change the server is left out.

use std::fs;

use harness::modules::workspace;

use crate::protocol::{Protocol, REPLY_PIPE, holds, post};

/// Commands with their parameters. Their answers are short, large, errors or empty.
const COMMANDS: &[(&str, &[&str])] = &[
    ("core.echo", &["one", "2", "-3.5"]),
    ("core.echo", &["two words, é \u{1f600}: {}[]", "0x10"]),
    ("core.version", &[]),
    ("core.psx", &[]),
    ("core.uptime", &[]),
    ("core.modules", &[]),
    ("core.printi", &["7", "-2147483648"]),
    ("core.prints", &["text"]),
    ("core.tcp_info", &[]),
    ("core.shmmem", &["m"]),
    ("core.no_such_command", &["x"]),
    ("ctl.who", &[]),
    ("ctl.connections", &[]),
    ("htable.dump", &["t"]),
    ("htable.dump", &["no such table"]),
    ("htable.get", &["t", "key7"]),
    ("htable.get", &["t"]),
    ("htable.listTables", &[]),
    ("pv.shvGet", &["x"]),
    ("stats.get_statistics", &["all"]),
    ("stats.fetch", &["shmem:", "core:rcv_requests"]),
    ("system.listMethods", &[]),
    ("system.methodHelp", &["core.echo"]),
];

/// The old names of some of them.
const OLD_COMMANDS: &[(&str, &[&str])] = &[
    ("which", &[]),
    ("ps", &[]),
    ("uptime", &[]),
    ("version", &[]),
    ("get_statistics", &["all"]),
    ("sht_dump", &["t"]),
    ("shv_get", &["x"]),
    ("ul_dump", &[]),
];

/// Documents of other shapes.
const DOCUMENTS: &[&str] = &[
    r#"{"jsonrpc":"2.0","method":"core.echo","params":{"a":[1,2.5,true,null],"b":{"c":"d"}},"id":"x"}"#,
    r#"{"jsonrpc":"2.0","method":"core.echo","params":["\u00e4\n\"\\"],"id":9007199254740993}"#,
    r#"[{"jsonrpc":"2.0","method":"core.version","id":1},{"jsonrpc":"2.0","method":"core.echo","params":["a"]},7,{"jsonrpc":"2.0","method":"htable.get","params":["t","key1"],"id":"b"}]"#,
    r#"{"jsonrpc":"2.0","method":"core.uptime"}"#,
    r#"{ "id" : null , "method" : "core.echo" , "jsonrpc" : "2.0" , "params" : [ 1e3 , -0.0 ] }"#,
];

/// Parts of names that must not occur, because such commands end the server, change how
/// it works, write files, or put values into its memory that stay.
const NEVER: &[&str] = &[
    "kill", "abort", "dns.", "dst_b", "cfg.", "debug", "store", "htable.s", "sht_s", "delete",
    "reload", "flush", "sfmalloc", "shvset", "shv_set",
];

/// Whether a request may be sent.
pub(crate) fn is_allowed(request: &[u8]) -> bool {
    let lower = request.to_ascii_lowercase();
    !NEVER.iter().any(|part| holds(&lower, part.as_bytes()))
}

/// The seeds for this protocol.
///
/// # Panics
///
/// The corpus is gone.
pub(crate) fn of(protocol: Protocol) -> Vec<Vec<u8>> {
    if protocol == Protocol::Sip {
        return sip_values();
    }
    // Documents get their HTTP header when they are mutated.
    let written = match protocol {
        Protocol::Http => Protocol::Json,
        other => other,
    };
    let good = good(written);
    // This makes good requests about as frequent as the corpus.
    let corpus = corpus(protocol);
    let times = 1 + corpus.len() / good.len();
    let good = good.iter().cycle().take(good.len() * times).cloned();
    let mut seeds: Vec<Vec<u8>> = good.chain(corpus).collect();
    seeds.retain(|seed| is_allowed(seed));
    seeds
}

/// Good requests of many kinds.
pub(crate) fn good(protocol: Protocol) -> Vec<Vec<u8>> {
    let old = match protocol {
        Protocol::Mi => OLD_COMMANDS,
        _ => &[],
    };
    let all = COMMANDS.iter().chain(old).zip(1..);
    let mut requests: Vec<Vec<u8>> = all
        .map(|((method, words), id)| protocol.request(method, words, id, Some(REPLY_PIPE)))
        .collect();
    let documents = DOCUMENTS.iter().map(|document| match protocol {
        Protocol::Http => post(document.as_bytes()),
        _ => document
            .replacen("{", &format!(r#"{{"reply_name":"{REPLY_PIPE}","#), 1)
            .into_bytes(),
    });
    if matches!(protocol, Protocol::Json | Protocol::Http) {
        requests.extend(documents);
    }
    requests
}

fn corpus(protocol: Protocol) -> Vec<Vec<u8>> {
    let Some(name) = protocol.corpus() else {
        return Vec::new();
    };
    let folder = workspace().join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a file of the corpus").path())
        .collect();
    // A directory has no order, but a seed must make the same requests again.
    files.sort();
    files
        .iter()
        .map(|file| fs::read(file).expect("a file of the corpus"))
        .collect()
}

/// Values for the headers that the script of `tcpops` reads.
fn sip_values() -> Vec<Vec<u8>> {
    [
        "0",
        "1",
        "2",
        "3",
        "17",
        "60",
        "100",
        "-1",
        "2147483647",
        "text",
        "two words",
        "<null>",
        "",
        "$conid",
        "%s%n",
    ]
    .map(|value| value.as_bytes().to_vec())
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_server_is_never_sent() {
        for never in [
            "core.kill",
            ":KILL:",
            "{\"Store_Path\":1}",
            "cfg.seti",
            "htable.sets",
        ] {
            assert!(!is_allowed(never.as_bytes()), "{never}");
        }
        for allowed in ["core.echo", "", "htable.dump", "pv.shvGet"] {
            assert!(is_allowed(allowed.as_bytes()), "{allowed}");
        }
    }

    #[test]
    fn there_is_something_to_start_from_in_every_protocol() {
        for (protocol, least) in [
            (Protocol::Binrpc, 100),
            (Protocol::Lines, 80),
            (Protocol::Json, 300),
            (Protocol::Http, 300),
            (Protocol::Mi, 80),
            (Protocol::Sip, 10),
        ] {
            let seeds = of(protocol);
            assert!(seeds.len() > least, "{protocol:?}: {}", seeds.len());
            assert!(seeds.iter().all(|seed| is_allowed(seed)));
        }
    }
}
