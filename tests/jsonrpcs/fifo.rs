//! The named pipe: how requests come through it, and where the replies go.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;

use harness::linefifo::{ReplyPipe, make_pipe};
use harness::own_path::OwnPath;
use harness::server::Server;
use harness::wait;

use crate::transports::{ECHO, ECHOED, JsonListeners, JsonTransport};

fn open(server: &Server) -> File {
    let pipe = File::options().write(true).open(server.path("rpc.fifo"));
    pipe.expect("the server made it")
}

/// A request whose answer goes to this pipe.
fn request(reply_name: &str, id: usize) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"core.echo","params":["{id}"],"reply_name":"{reply_name}","id":{id}}}"#
    )
}

fn answer(id: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","result":["{id}"],"id":{id}}}"#)
}

fn read(reply: &mut ReplyPipe) -> String {
    String::from_utf8(reply.read_all().expect("an answer")).expect("text")
}

/// Read as something new, its rest would look like a document without an end.
#[test]
fn of_a_document_that_is_too_long_nothing_is_left() {
    let listeners = JsonListeners::new();
    let server = listeners.builder("").start();
    let braces = "a{".repeat(750_000);
    let long = format!(r#"{{"jsonrpc":"2.0","method":"core.echo","params":["{braces}"],"id":1}}"#);
    open(&server)
        .write_all(long.as_bytes())
        .expect("the server reads");
    assert_eq!(listeners.ask(&server, JsonTransport::Pipe, ECHO), ECHOED);
    assert!(
        server
            .log()
            .contains("of more than 1048576 bytes is dropped")
    );
}

#[test]
fn several_requests_in_one_write_and_text_between() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let mut replies: Vec<ReplyPipe> = (0..5).map(|_| ReplyPipe::new()).collect();
    let requests: Vec<String> = replies
        .iter()
        .enumerate()
        .map(|(id, reply)| request(reply.name(), id))
        .collect();
    let text = format!("before \"{}\n", requests.join("\r\n between } ]"));
    open(&server)
        .write_all(text.as_bytes())
        .expect("the server reads");
    for (id, reply) in replies.iter_mut().enumerate() {
        assert_eq!(read(reply), answer(id));
    }
}

#[test]
fn one_request_over_several_writes() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let mut reply = ReplyPipe::new();
    let mut pipe = open(&server);
    for piece in request(reply.name(), 7).as_bytes().chunks(9) {
        pipe.write_all(piece).expect("the server reads");
    }
    assert_eq!(read(&mut reply), answer(7));
}

#[test]
fn answers_to_one_pipe_come_in_order() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let mut reply = ReplyPipe::without_end();
    let requests: String = (0..50).map(|id| request(reply.name(), id)).collect();
    open(&server)
        .write_all(requests.as_bytes())
        .expect("the server reads");
    let wanted: String = (0..50).map(answer).collect();
    let mut got = String::new();
    while got.len() < wanted.len() {
        let some = reply.read_some(1 << 16).expect("more");
        got += &String::from_utf8(some).expect("text");
    }
    assert_eq!(got, wanted);
}

/// A document that lacks a quote, such as the shell makes of `kamctl rpc core.echo
/// 'a"b'`. What others write would belong to it.
fn with_odd_quote(reply_name: &str) -> String {
    format!(
        "{{\n\"jsonrpc\":\"2.0\",\n\"method\":\"core.echo\",\n\"reply_name\":\"{reply_name}\",\n\
         \"params\":[\"a\"b\"],\n\"id\":1\n}}\n"
    )
}

/// The writer still has the pipe open, so only what follows shows the end.
#[test]
fn a_document_that_does_not_end_is_refused_when_another_follows() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let mut halves = open(&server);
    let mut odd = ReplyPipe::new();
    let mut half = ReplyPipe::new();
    for (text, reply) in [
        (with_odd_quote(odd.name()), &mut odd),
        (
            format!(
                "{{\"jsonrpc\":\"2.0\",\"reply_name\":\"{}\",\n",
                half.name()
            ),
            &mut half,
        ),
    ] {
        halves.write_all(text.as_bytes()).expect("the server reads");
        assert_eq!(
            listeners.ask(&server, JsonTransport::Pipe, ECHO),
            ECHOED,
            "after {text}"
        );
        let refused = read(reply);
        assert!(refused.contains("-32700"), "{refused}");
    }
    let told = "is dropped: another follows before it ends";
    assert_eq!(server.log().matches(told).count(), 2, "{}", server.log());
}

/// Nobody else writes, and the client need not wait for the half minute that a slow
/// writer has.
#[test]
fn a_document_whose_writer_has_left_is_refused() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let mut reply = ReplyPipe::new();
    let text = with_odd_quote(reply.name());
    open(&server)
        .write_all(text.as_bytes())
        .expect("the server reads");
    let refused = read(&mut reply);
    assert!(refused.contains("-32700"), "{refused}");
    assert!(
        server.log().contains("nobody has the pipe open"),
        "{}",
        server.log()
    );
    assert_eq!(listeners.ask(&server, JsonTransport::Pipe, ECHO), ECHOED);
}

/// A batch in several writes looks at times like a request behind half a document, and
/// a slow writer has not left.
#[test]
fn a_batch_over_several_writes() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let mut reply = ReplyPipe::new();
    let mut pipe = open(&server);
    let request = request(reply.name(), 7);
    for piece in ["[\n", &request, "\n,\n", &request, "\n", "]"] {
        pipe.write_all(piece.as_bytes()).expect("the server reads");
        wait::until("it is read", || unread(&pipe) == 0);
    }
    assert_eq!(read(&mut reply), format!("[{0},{0}]", answer(7)));
}

fn unread(pipe: &File) -> u64 {
    rustix::io::ioctl_fionread(pipe).expect("a pipe tells")
}

/// Each is written in one piece, so they may come in any order but not mixed.
#[test]
fn requests_of_two_writers_stay_whole() {
    const EACH: usize = 300;
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut pipe = open(&server);
                for id in 0..EACH {
                    let mut reply = ReplyPipe::new();
                    let long = format!("{}\n", request(reply.name(), id).replace(',', ",\n"));
                    pipe.write_all(long.as_bytes()).expect("the server reads");
                    assert_eq!(read(&mut reply), answer(id));
                }
            });
        }
    });
    assert!(!server.log().contains("is dropped"), "{}", server.log());
}

/// Each of these loses its reply with a line in the log, and nobody waits for it.
#[test]
fn what_is_no_reply_pipe_gets_no_reply() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");

    let file = OwnPath::new();
    fs::write(file.path(), "kept").expect("a file");
    let target = ReplyPipe::new();
    let link = OwnPath::new();
    symlink(target.path(), link.path()).expect("a link");
    let two_names = ReplyPipe::new();
    let other_name = OwnPath::new();
    fs::hard_link(two_names.path(), other_name.path()).expect("a link");
    let nothing = OwnPath::new();
    let unread = OwnPath::new();
    make_pipe(unread.path());

    let mut pipe = open(&server);
    for (name, told) in [
        (file.name(), "it is not a named pipe"),
        (link.name(), "it is a symbolic link"),
        (two_names.name(), "it has 2 names"),
        (nothing.name(), "No such file or directory"),
        (unread.name(), "nobody reads from it"),
        ("../etc/passwd", "it must be a plain name"),
        ("/etc/passwd", "it must be a plain name"),
        ("", "it must be a plain name"),
    ] {
        pipe.write_all(request(name, 1).as_bytes())
            .expect("the server reads");
        assert_eq!(
            listeners.ask(&server, JsonTransport::Pipe, ECHO),
            ECHOED,
            "after {name:?}"
        );
        wait::until(told, || server.log().contains(told));
    }
    assert_eq!(fs::read(file.path()).expect("the file"), b"kept");
}

#[test]
fn a_request_that_names_no_pipe_is_not_run() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let set = |more: &str| {
        format!(r#"{{"jsonrpc":"2.0","method":"htable.sets","params":["t","k","v"]{more},"id":1}}"#)
    };
    let mut pipe = open(&server);
    for more in ["", r#","reply_name":7"#, r#","reply_name":null"#] {
        pipe.write_all(set(more).as_bytes())
            .expect("the server reads");
    }
    let get = r#"{"jsonrpc":"2.0","method":"htable.get","params":["t","k"],"id":1}"#;
    let answer = listeners.ask(&server, JsonTransport::Pipe, get);
    assert!(answer.contains("\"error\""), "{answer}");
    let log = server.log();
    for told in ["it has no reply_name", "its reply_name is not a string"] {
        assert!(log.contains(told), "{log}");
    }
}

/// There are more of them than may wait.
#[test]
fn answers_that_nobody_reads_cost_others_none() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    let unread: Vec<OwnPath> = (0..1_100).map(|_| OwnPath::new()).collect();
    unread.iter().for_each(|own| make_pipe(own.path()));
    let requests: String = unread.iter().map(|own| request(own.name(), 1)).collect();
    for _ in 0..10 {
        open(&server)
            .write_all(requests.as_bytes())
            .expect("the server reads");
        assert_eq!(listeners.ask(&server, JsonTransport::Pipe, ECHO), ECHOED);
    }
    let line = "nobody reads from it, and too many replies wait";
    wait::until("the log tells", || server.log().contains(line));
}

/// One reader is slow to take a large answer, and another leaves in the middle of one.
#[test]
fn slow_readers_cost_others_nothing() {
    let listeners = JsonListeners::new();
    let server = listeners.start("");
    for number in 0..5_000 {
        let text = format!("{number:0100}");
        server.client().call(
            "htable.sets",
            &[
                "t".into(),
                format!("key {number}").as_str().into(),
                text.as_str().into(),
            ],
        );
    }
    let dump = |reply: &ReplyPipe| {
        let name = reply.name();
        format!(
            r#"{{"jsonrpc":"2.0","method":"htable.dump","params":["t"],"reply_name":"{name}","id":1}}"#
        )
    };
    let mut slow = ReplyPipe::new();
    let gone = ReplyPipe::new();
    let requests = dump(&slow) + &dump(&gone);
    open(&server)
        .write_all(requests.as_bytes())
        .expect("the server reads");
    // The first bytes are there, so it is being written.
    let mut taken = slow.read_some(100).expect("the start");
    drop(gone);
    for _ in 0..20 {
        assert_eq!(listeners.ask(&server, JsonTransport::Pipe, ECHO), ECHOED);
        taken.extend(slow.read_some(20_000).expect("more"));
    }
    taken.extend(slow.read_all().expect("the rest"));
    let answer = String::from_utf8(taken).expect("text");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("the whole answer");
    let slots = answer["result"].as_array().expect("slots");
    let entries: usize = slots
        .iter()
        .map(|slot| slot["slot"].as_array().map_or(0, Vec::len))
        .sum();
    assert_eq!(entries, 5_000);
}
