//! Answers that go into files for which the disk has no space.

use std::fs;
use std::path::{Path, PathBuf};

use harness::builder::Builder;
use harness::failing::{Failing, is_possible};
use harness::json_transports::{ECHO, ECHOED, JsonListeners, JsonTransport};
use harness::server::{Server, short_directory};

/// The transports over which a request may have its answer put into a file.
const JSON_TRANSPORTS: [JsonTransport; 3] = [
    JsonTransport::Datagram,
    JsonTransport::Pipe,
    JsonTransport::Tcp,
];

const STORED: &str = r#"{"jsonrpc":"2.0","result":"Stored","id":1}"#;

fn builder(listeners: &JsonListeners, directory: &Path) -> Builder {
    let directory = directory.display();
    listeners.builder(&format!(
        "modparam(\"jsonrpcs\", \"store_dir\", \"{directory}\")"
    ))
}

/// A request whose answer has a little more than `len` bytes.
fn document(len: usize) -> String {
    let text = "x".repeat(len);
    format!(
        r#"{{"jsonrpc":"2.0","method":"core.echo","params":["{text}"],"store_path":"file","id":1}}"#
    )
}

/// Asserts that a large answer is refused for this reason, and that the stored file is
/// not changed.
fn assert_refused(
    listeners: &JsonListeners,
    server: &Server,
    file: &Path,
    large: usize,
    reason: &str,
) {
    for transport in JSON_TRANSPORTS {
        assert_eq!(
            listeners.ask(server, transport, &document(10)),
            STORED,
            "{transport:?}"
        );
        let before = fs::read(file).expect("it was stored");
        let answer = listeners.ask(server, transport, &document(large));
        let told = answer.contains(r#""code":500,"message":"Storing failed""#);
        assert!(told && answer.contains(reason), "{transport:?}: {answer}");
        assert_eq!(fs::read(file).expect("it is kept"), before, "{transport:?}");
        assert_eq!(
            listeners.ask(server, transport, ECHO),
            ECHOED,
            "{transport:?}"
        );
    }
    let log = server.log();
    let line = |line: &&str| line.contains("ERROR: jsonrpcs ") && line.contains(reason);
    assert_eq!(
        log.lines().filter(line).count(),
        JSON_TRANSPORTS.len(),
        "{log}"
    );
}

#[test]
fn a_full_disk_keeps_what_was_stored_before() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED: only root can mount a small file system");
        return;
    }
    let listeners = JsonListeners::new();
    let place = short_directory();
    // Only this server sees the disk, which goes with it.
    let mount = format!(
        r#"mount -t tmpfs -o size=64k none {} && exec "$0" "$@""#,
        place.path().display()
    );
    let server = builder(&listeners, place.path())
        .launcher(["unshare", "--mount", "/bin/sh", "-c", &mount])
        .start();
    let file = as_seen_by(&server, &place.path().join("file"));
    // A datagram holds more than the disk.
    assert_refused(
        &listeners,
        &server,
        &file,
        150_000,
        "No space left on device",
    );
}

/// The path of a file from outside, for a server with disks of its own.
fn as_seen_by(server: &Server, path: &Path) -> PathBuf {
    let root = format!("/proc/{}/root", server.pid().as_raw_nonzero());
    Path::new(&root).join(path.strip_prefix("/").expect("a whole path"))
}

/// The system would end a process that writes beyond this limit, and with it the
/// server.
#[test]
fn the_limit_of_a_files_size_is_kept() {
    // The limit is in blocks of 512 bytes, so it is 128 KiB.
    const SCRIPT: &str = r#"ulimit -f 256 && exec "$0" "$@""#;
    let listeners = JsonListeners::new();
    let place = short_directory();
    let server = builder(&listeners, place.path())
        .launcher(["/bin/sh", "-c", SCRIPT])
        .start();
    let file = place.path().join("file");
    assert_refused(&listeners, &server, &file, 150_000, "File too large");
}

/// The content of the file after a call has failed.
#[derive(Clone, Copy, Debug)]
enum Left {
    Old,
    Nothing,
    New,
}

/// `write` and `ftruncate` come after the old content is gone.
#[test]
fn whatever_fails_never_is_half_an_answer_left() {
    if !is_possible() {
        return;
    }
    let listeners = JsonListeners::new();
    let place = short_directory();
    let file = place.path().join("file");
    let server = builder(&listeners, place.path()).start();
    let handlers = ["JSONRPCS DATAGRAM", "JSONRPCS FIFO", "JSONRPCS TCP"];
    for (call, left, reason) in [
        ("openat:error=EMFILE", Left::Old, "Too many open files"),
        ("openat:error=EACCES", Left::Old, "Permission denied"),
        ("fstat:error=EIO", Left::Old, "Input/output error"),
        ("fallocate:error=ENOSPC", Left::Old, "No space left"),
        ("fallocate:error=EDQUOT", Left::Old, "Disk quota exceeded"),
        ("fallocate:error=EIO", Left::Old, "Input/output error"),
        ("fallocate:error=EINTR", Left::New, ""),
        ("fallocate:error=EOPNOTSUPP", Left::New, ""),
        ("write:error=ENOSPC", Left::Nothing, "No space left"),
        ("write:error=EIO", Left::Nothing, "Input/output error"),
        ("write:error=EINTR", Left::New, ""),
        ("ftruncate:error=EIO", Left::Nothing, "Input/output error"),
    ] {
        for (transport, handler) in JSON_TRANSPORTS.into_iter().zip(handlers) {
            let [new, old] = [10, 50].map(|len| {
                assert_eq!(
                    listeners.ask(&server, transport, &document(len)),
                    STORED,
                    "{transport:?}"
                );
                fs::read(&file).expect("it was stored")
            });
            let fault = format!("{call}:when=1");
            let failing = Failing::calls(server.process(handler), &[&fault]);
            let answer = listeners.ask(&server, transport, &document(10));
            failing.wait_for(1);
            drop(failing);
            let expected = match left {
                Left::Old => old,
                Left::Nothing => Vec::new(),
                Left::New => new,
            };
            assert_eq!(
                fs::read(&file).expect("it is there"),
                expected,
                "{call}, {transport:?}"
            );
            let told = answer.contains(r#""code":500,"message":"Storing failed""#);
            assert_eq!(told, !reason.is_empty(), "{call}, {transport:?}: {answer}");
            assert!(answer.contains(reason), "{call}, {transport:?}: {answer}");
            assert_eq!(
                listeners.ask(&server, transport, ECHO),
                ECHOED,
                "{call}, {transport:?}"
            );
        }
        assert!(server.log().contains(reason), "{call}: {}", server.log());
    }
}
