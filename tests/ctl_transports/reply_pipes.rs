//! The pipes that clients make for their replies, and what others may have put in their
//! place.

use std::fs::{self, File, hard_link};
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::binrpc::Client as BinrpcClient;
use harness::linefifo::{Address, Client, ReplyPipe, ask, make_pipe, request};
use harness::modules::Flavor;
use harness::own_path::OwnPath;
use harness::server::{Server, short_directory};
use harness::wait;
use rpc_wire::binrpc::client::{Answer, Arg as BinrpcArg};
use rpc_wire::linefifo::client::Arg;
use rustix::fs::OFlags;

struct Session {
    server: Server,
    client: Client,
}

impl Session {
    fn new() -> Self {
        let server = Server::builder(Flavor::Rust)
            .modules(["ctl", "pv"])
            .config(r#"modparam("pv", "shvset", "text=s:")"#)
            .config(r#"modparam("ctl", "fifo", "{dir}/pipe")"#)
            .config(r#"modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")"#)
            .start();
        let client = Client::connect(&Address::Pipe(server.path("pipe")));
        Self { server, client }
    }

    /// Asks for a reply through this file, and does not wait.
    fn ask_for(&mut self, reply_file: &str, word: &str) {
        let request = request("core.echo", reply_file, &[Arg::from(word)]);
        self.client.send(&request).expect("the server reads");
    }

    /// Waits for a line of the log that has both texts.
    fn wait_for_line(&self, name: &str, words: &str) {
        let told = |line: &str| {
            line.contains("WARNING: ctl ") && line.contains(name) && line.contains(words)
        };
        let found = wait::for_some(|| self.server.log().lines().any(told).then_some(()));
        assert!(
            found.is_some(),
            "nothing about {name} and {words:?} in\n{}",
            self.server.log()
        );
    }

    /// Fails if anything came through the pipe before now.
    fn assert_unused(&mut self, pipe: &mut ReplyPipe) {
        self.ask_for(pipe.name(), "the first");
        // The server may have opened the pipe to check it and closed it again, which
        // reads as an end without a reply.
        let reply = wait::for_some(|| {
            let reply = pipe.read_all().expect("a reply");
            (!reply.is_empty()).then_some(reply)
        });
        let reply = reply.expect("a reply that is not empty");
        assert_eq!(String::from_utf8_lossy(&reply), "200 OK\nthe first\n");
    }
}

#[test]
fn a_symbolic_link_is_refused() {
    let mut session = Session::new();
    let (link, file) = (OwnPath::new(), OwnPath::new());
    fs::write(file.path(), "precious").expect("a new file");
    symlink(file.path(), link.path()).expect("a new link");
    session.ask_for(link.name(), "bad");
    session.wait_for_line(link.name(), "symbolic link");
    assert_eq!(
        fs::read(file.path()).ok().as_deref(),
        Some(b"precious".as_slice())
    );
}

#[test]
fn a_symbolic_link_to_a_pipe_is_refused() {
    let mut session = Session::new();
    let (link, mut pipe) = (OwnPath::new(), ReplyPipe::new());
    symlink(pipe.path(), link.path()).expect("a new link");
    session.ask_for(link.name(), "bad");
    session.wait_for_line(link.name(), "symbolic link");
    session.assert_unused(&mut pipe);
}

#[test]
fn a_pipe_with_two_names_is_refused() {
    let mut session = Session::new();
    let (link, mut pipe) = (OwnPath::new(), ReplyPipe::new());
    hard_link(pipe.path(), link.path()).expect("a new link");
    for name in [link.name(), pipe.name()] {
        session.ask_for(name, "bad");
        session.wait_for_line(name, "2 names");
    }
    drop(link);
    session.assert_unused(&mut pipe);
}

#[test]
fn a_regular_file_is_refused() {
    let mut session = Session::new();
    let file = OwnPath::new();
    fs::write(file.path(), "precious").expect("a new file");
    session.ask_for(file.name(), "bad");
    session.wait_for_line(file.name(), "not a named pipe");
    assert_eq!(
        fs::read(file.path()).ok().as_deref(),
        Some(b"precious".as_slice())
    );
}

#[test]
fn a_missing_file_is_not_made() {
    let mut session = Session::new();
    let missing = OwnPath::new();
    session.ask_for(missing.name(), "bad");
    session.wait_for_line(missing.name(), "No such file");
    assert!(!missing.path().exists());
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    let mut session = Session::new();
    let mut pipe = ReplyPipe::new();
    let directory = short_directory();
    let inside = directory.path().join("inside");
    make_pipe(&inside);
    let names = [
        format!("../tmp/{}", pipe.name()),
        format!("/tmp/{}", pipe.name()),
        format!("./{}", pipe.name()),
        format!("{}/inside", last_part(directory.path())),
    ];
    for name in &names {
        session.ask_for(name, "bad");
        session.wait_for_line(name, "must be a plain name");
    }
    session.assert_unused(&mut pipe);
}

/// This is refused as in C, so that nobody reaches a hidden file or one of another
/// program.
#[test]
fn a_name_with_a_dot_is_refused() {
    let mut session = Session::new();
    let own = OwnPath::new();
    let name = format!("{}.pipe", own.name());
    let path = own.path().with_extension("pipe");
    make_pipe(&path);
    session.ask_for(&name, "bad");
    session.wait_for_line(&name, "must be a plain name");
    fs::remove_file(&path).expect("it is ours");
}

fn last_part(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    name.expect("a directory in /tmp")
}

/// Another process exchanges the pipe for a link all the time. Whichever of them the
/// server finds, and between whichever of its steps, nothing arrives where the link
/// leads.
#[test]
fn a_file_that_is_swapped_meanwhile_gets_nothing() {
    const SWAPS: usize = 300;
    const REQUESTS: usize = 300;
    let mut session = Session::new();
    let (name, victim) = (OwnPath::new(), OwnPath::new());
    fs::write(victim.path(), "").expect("a new file");
    let swaps = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                swap(name.path(), victim.path());
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut asked = 0;
        while asked < REQUESTS || swaps.load(Ordering::Relaxed) < SWAPS {
            session.ask_for(name.name(), "bad");
            // When this reply has come, the other one was tried.
            session.assert_unused(&mut ReplyPipe::new());
            asked += 1;
        }
        stop.store(true, Ordering::Relaxed);
    });
    let written = fs::read(victim.path()).expect("the file");
    assert!(written.is_empty(), "{}", written.escape_ascii());
}

/// Repeatedly puts a pipe with a reader at `path`, and then a link to `victim`.
fn swap(path: &Path, victim: &Path) {
    let pipe = ReplyPipe::new();
    fs::rename(pipe.path(), path).expect("both are in /tmp");
    let link = OwnPath::new();
    symlink(victim, link.path()).expect("a new link");
    fs::rename(link.path(), path).expect("both are in /tmp");
}

/// The C module also waits some time; only with ours no other client does.
#[test]
fn one_that_nobody_reads_is_given_up_and_keeps_nobody_waiting() {
    let mut session = Session::new();
    let mut neighbour = session.server.client();
    let unread = OwnPath::new();
    make_pipe(unread.path());
    let given_up = |server: &Server| server.log().matches("nobody reads from it").count();
    // A busy machine may stop this process for longer than the server waits, so one
    // success in several attempts suffices. A server that waits for the reader never
    // succeeds.
    wait::until("others are answered before a reply is given up", || {
        let before = given_up(&session.server);
        session.ask_for(unread.name(), "bad");
        neighbour.call("core.version", &[]);
        session.assert_unused(&mut ReplyPipe::new());
        given_up(&session.server) == before
    });
    session.wait_for_line(unread.name(), "nobody reads from it");
}

/// A thousand replies still wait when other clients have had their answers.
#[test]
fn a_thousand_that_nobody_reads_keep_nobody_waiting() {
    const WAITING: usize = 1_000;
    const ANSWERS: usize = 200;
    let mut session = Session::new();
    let mut neighbour = session.server.client();
    let given_up = |server: &Server| server.log().matches("nobody reads from it").count();
    // As above, one success in several attempts suffices.
    wait::until("others are answered before a reply is given up", || {
        let unread: Vec<OwnPath> = (0..WAITING).map(|_| OwnPath::new()).collect();
        let request_for = |own: &OwnPath| request("core.echo", own.name(), &[Arg::from("late")]);
        unread.iter().for_each(|own| make_pipe(own.path()));
        let requests: Vec<u8> = unread.iter().flat_map(request_for).collect();
        let before = given_up(&session.server);
        session.client.send(&requests).expect("the server reads");
        for _ in 0..ANSWERS {
            neighbour.call("core.version", &[]);
        }
        session.assert_unused(&mut ReplyPipe::new());
        given_up(&session.server) == before
    });
}

/// There are more replies than may wait. A reply whose reader waits is sent at once,
/// and one whose reader is late takes the place of another.
#[test]
fn more_that_nobody_reads_than_may_wait_cost_nobody_a_reply() {
    const WAITING: usize = 1_100;
    const ANSWERS: usize = 10;
    let mut session = Session::new();
    let unread: Vec<OwnPath> = (0..WAITING).map(|_| OwnPath::new()).collect();
    let request_for = |own: &OwnPath| request("core.echo", own.name(), &[Arg::from("late")]);
    unread.iter().for_each(|own| make_pipe(own.path()));
    let requests: Vec<u8> = unread.iter().flat_map(request_for).collect();
    for _ in 0..ANSWERS {
        session.client.send(&requests).expect("the server reads");
        session.assert_unused(&mut ReplyPipe::new());
    }
    session.wait_for_line("", "nobody reads from it, and too many replies wait");
    assert!(
        !session
            .server
            .log()
            .contains("too many replies wait for named pipes")
    );
}

/// The reader opens its pipe after the request was written, as `kamctl` does.
#[test]
fn a_late_reader_finds_its_reply_among_those_that_nobody_reads() {
    const WAITING: usize = 1_100;
    let mut session = Session::new();
    let unread: Vec<OwnPath> = (0..WAITING).map(|_| OwnPath::new()).collect();
    let request_for = |own: &OwnPath| request("core.echo", own.name(), &[Arg::from("late")]);
    unread.iter().for_each(|own| make_pipe(own.path()));
    let requests: Vec<u8> = unread.iter().flat_map(request_for).collect();
    // A busy machine may stop this process for longer than the server waits.
    wait::until("a late reader has its reply", || {
        let own = OwnPath::new();
        make_pipe(own.path());
        session.client.send(&requests).expect("the server reads");
        session.ask_for(own.name(), "mine");
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let mut pipe = File::options()
            .read(true)
            .custom_flags(flags)
            .open(own.path())
            .expect("our own pipe");
        let second = Duration::from_secs(1);
        let reply = wait::for_some_within(second, || {
            let mut reply = [0; 100];
            let len = pipe.read(&mut reply).ok().filter(|len| *len > 0)?;
            Some(reply[..len].to_vec())
        });
        reply.as_deref() == Some(b"200 OK\nmine\n")
    });
}

/// The reader has some time for each piece.
#[test]
fn one_whose_reader_is_slow_gets_all_of_a_large_reply() {
    const LEN: usize = 900_000;
    let mut session = Session::new();
    let mut neighbour = session.server.client();
    let text = set_text(&mut neighbour, LEN);
    let expected = {
        let address = Address::Pipe(session.server.path("pipe"));
        ask(&address, "pv.shvGet", &[Arg::from("text")])
    };
    assert!(expected.windows(LEN).any(|part| part == text.as_bytes()));
    let whole = wait::for_some(|| {
        let mut pipe = ReplyPipe::new();
        let request = request("pv.shvGet", pipe.name(), &[Arg::from("text")]);
        session.client.send(&request).expect("the server reads");
        read_slowly(&mut pipe, &mut neighbour)
    });
    assert!(whole.as_deref() == Some(&*expected), "the reply is another");
}

fn set_text(client: &mut BinrpcClient, len: usize) -> String {
    let text = "0123456789".repeat(len / 10);
    let answer = client.call(
        "pv.shvSet",
        &["text".into(), "str".into(), BinrpcArg::from(&*text)],
    );
    assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    text
}

/// Reads all of a reply in small pieces with a request to the server between them. It
/// returns `None` if this machine was so busy that the server may have given the reader
/// up.
fn read_slowly(pipe: &mut ReplyPipe, neighbour: &mut BinrpcClient) -> Option<Vec<u8>> {
    const PIECE: usize = 16 * 1024;
    const SUSPICIOUS: Duration = Duration::from_millis(100);
    let mut all = Vec::new();
    let mut late = false;
    loop {
        let start = Instant::now();
        let piece = pipe.read_some(PIECE).expect("the reply goes on");
        if piece.is_empty() {
            break;
        }
        all.extend(piece);
        neighbour.call("core.version", &[]);
        late |= start.elapsed() > SUSPICIOUS;
    }
    (!late).then_some(all)
}
