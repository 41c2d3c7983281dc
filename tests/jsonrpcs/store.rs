//! `store_path`: answers that go into files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use harness::linefifo::make_pipe;
use harness::server::{Server, short_directory};

use crate::transports::{JsonListeners, JsonTransport};

const STORED: &str = r#"{"jsonrpc":"2.0","result":"Stored","id":1}"#;
const JSON_TRANSPORTS: [JsonTransport; 3] = [
    JsonTransport::Datagram,
    JsonTransport::Pipe,
    JsonTransport::Tcp,
];

fn document(path: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"core.echo","params":["a"],"store_path":"{path}","id":1}}"#
    )
}

fn start(listeners: &JsonListeners, directory: &Path) -> Server {
    let directory = directory.display();
    listeners.start(&format!(
        "modparam(\"jsonrpcs\", \"store_dir\", \"{directory}\")"
    ))
}

#[test]
fn without_a_directory_nothing_is_stored() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    for transport in JSON_TRANSPORTS {
        let answer = listeners.ask(&server, transport, &document("/tmp/x"));
        assert_eq!(
            answer,
            r#"{"jsonrpc":"2.0","error":{"code":500,"message":"Storing failed","data":"no file can be written: the parameter store_dir is not set"},"id":1}"#
        );
    }
}

#[test]
fn the_answer_is_in_the_file() {
    let listeners = JsonListeners::new();
    let directory = short_directory();
    let server = start(&listeners, directory.path());
    fs::create_dir(directory.path().join("sub")).expect("a directory");
    fs::write(directory.path().join("old"), "x".repeat(1000)).expect("a file");
    let whole = directory.path().join("whole").display().to_string();
    for transport in JSON_TRANSPORTS {
        for path in ["plain", "sub/plain", "old", &whole] {
            assert_eq!(listeners.ask(&server, transport, &document(path)), STORED);
            let stored = fs::read_to_string(directory.path().join(path)).expect("a file");
            assert_eq!(stored, r#"{"jsonrpc":"2.0","result":["a"],"id":1}"#);
            fs::write(directory.path().join(path), "changed").expect("it is ours");
        }
    }
}

#[test]
fn no_way_leads_out_of_the_directory() {
    let listeners = JsonListeners::new();
    let directory = short_directory();
    let outside = short_directory();
    let server = start(&listeners, directory.path());
    let path = |name: &str| directory.path().join(name);
    fs::write(outside.path().join("file"), "kept").expect("a file");
    symlink(outside.path().join("file"), path("link")).expect("a link");
    symlink(outside.path(), path("out")).expect("a link");
    fs::create_dir(path("sub")).expect("a directory");
    fs::hard_link(outside.path().join("file"), path("second")).expect("a link");
    make_pipe(&path("pipe"));
    let up = format!(
        "../{}/file",
        outside
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
    );
    let whole = outside.path().join("file").display().to_string();
    for (name, told) in [
        ("link", "the way there is a symbolic link"),
        ("out/file", "the way there is a symbolic link"),
        (up.as_str(), "it is not below"),
        ("sub/../../x", "it is not below"),
        (whole.as_str(), "it is not below"),
        ("second", "it has more names than this one"),
        ("sub", "Is a directory"),
        ("pipe", "No such device or address"),
        ("none/file", "No such file or directory"),
        ("nul\\u0000", "Stored"),
    ] {
        for transport in JSON_TRANSPORTS {
            let answer = listeners.ask(&server, transport, &document(name));
            assert!(answer.contains(told), "{name}: {answer}");
        }
    }
    assert_eq!(
        fs::read(outside.path().join("file")).expect("it is there"),
        b"kept"
    );
    // The path is not a string.
    let wrong = document("x").replace("\"x\"", "7");
    let answer = listeners.ask(&server, JsonTransport::Datagram, &wrong);
    assert!(answer.contains("store_path is not a string"), "{answer}");
    // A command whose answer cannot be stored is not run.
    let set = r#"{"jsonrpc":"2.0","method":"htable.sets","params":["t","k","v"],"store_path":"link","id":1}"#;
    assert!(
        listeners
            .ask(&server, JsonTransport::Tcp, set)
            .contains("Storing failed")
    );
    let get = r#"{"jsonrpc":"2.0","method":"htable.get","params":["t","k"],"id":1}"#;
    assert!(
        listeners
            .ask(&server, JsonTransport::Tcp, get)
            .contains("\"error\"")
    );
}

#[test]
fn over_http_it_means_nothing() {
    let listeners = JsonListeners::new();
    let directory = short_directory();
    let server = start(&listeners, directory.path());
    let answer = listeners.ask(&server, JsonTransport::Http, &document("plain"));
    assert!(answer.ends_with(r#""result":["a"],"id":1}"#), "{answer}");
    assert!(!directory.path().join("plain").exists());
}
