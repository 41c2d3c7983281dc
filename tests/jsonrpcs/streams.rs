//! Named pipe, TCP and HTTP: one server, one document each way.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use harness::linefifo::ReplyPipe;
use harness::modules::Flavor;
use harness::server::{Server, free_port};
use harness::wait::PATIENCE;

const ECHO: &str = r#"{"jsonrpc":"2.0","method":"core.echo","params":["a",2],"id":"x"}"#;
const ECHOED: &str = r#"{"jsonrpc":"2.0","result":["a","2"],"id":"x"}"#;

fn start(extra: &str) -> (Server, SocketAddr) {
    let tcp: SocketAddr = ([127, 0, 0, 1], free_port()).into();
    let server = Server::builder(Flavor::Rust)
        .tcp()
        .modules([
            "ctl", "pv", "sl", "xlog", "kex", "rtimer", "xhttp", "jsonrpcs",
        ])
        .config(&format!(
            r#"
            modparam("jsonrpcs", "transport", 15)
            modparam("jsonrpcs", "pretty_format", 0)
            modparam("jsonrpcs", "fifo_name", "{{dir}}/rpc.fifo")
            modparam("jsonrpcs", "dgram_socket", "{{dir}}/rpc.socket")
            modparam("jsonrpcs", "tcp_socket", "tcp:{tcp}")
            tcp_accept_no_cl=yes
            {extra}
            request_route {{ exit; }}
            event_route[xhttp:request] {{ jsonrpc_dispatch(); }}
            "#
        ))
        .start();
    (server, tcp)
}

fn talk(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    stream.write_all(text.as_bytes()).expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("it is open");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("an answer, then the end");
    answer
}

#[test]
fn tcp_answers_all_documents_and_closes() {
    let (_server, tcp) = start("");
    assert_eq!(talk(tcp, ECHO), ECHOED);
    let answered = talk(tcp, &format!("{ECHO}\n{ECHO}"));
    assert_eq!(answered.matches(ECHOED).count(), 2, "{answered}");
}

#[test]
fn tcp_keep_leaves_the_connection_open() {
    let (_server, tcp) = start(r#"modparam("jsonrpcs", "tcp_keep", 1)"#);
    let mut stream = TcpStream::connect(tcp).expect("the server listens");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time limit");
    for _ in 0..3 {
        stream.write_all(ECHO.as_bytes()).expect("the server reads");
        let mut answer = vec![0; ECHOED.len()];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(String::from_utf8_lossy(&answer), ECHOED);
    }
    stream.shutdown(Shutdown::Write).expect("it is open");
    assert_eq!(stream.read(&mut [0; 64]).expect("the end"), 0);
}

#[test]
fn a_named_pipe_answers_through_the_pipe_that_a_request_names() {
    let (server, _) = start("");
    let pipe = fs::OpenOptions::new()
        .write(true)
        .open(server.path("rpc.fifo"));
    let mut pipe: File = pipe.expect("the server made it");
    let mut reply = ReplyPipe::new();
    let name = reply.name();
    let document = format!(
        r#"between {{"jsonrpc":"2.0","method":"core.echo","params":["a",2],"reply_name":"{name}","id":"x"}}"#
    );
    pipe.write_all(document.as_bytes())
        .expect("the server reads");
    let answer = reply.read_all().expect("an answer");
    assert_eq!(String::from_utf8_lossy(&answer), ECHOED);
}

#[test]
fn http_answers_with_a_status_and_a_content_type() {
    let (server, _) = start("");
    let address = ([127, 0, 0, 1], server.port()).into();
    let post = |body: &str| {
        talk(
            address,
            &format!(
                "POST /RPC HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n\
                 Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
        )
    };
    let answer = post(ECHO);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("application/json"), "{answer}");
    assert!(answer.ends_with(ECHOED), "{answer}");
    let answer = post(r#"{"jsonrpc":"2.0","method":"no.such","id":1}"#);
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
}

#[test]
fn the_script_runs_documents_and_reads_the_answer() {
    let (server, _) = start(
        r#"
        modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
        modparam("rtimer", "exec", "timer=soon;route=SOON")
        route[SOON] {
            $var(word) = "a";
            jsonrpc_exec('{"jsonrpc":"2.0","method":"core.echo","params":["$var(word)",2],"id":"x"}');
            xlog("L_NOTICE", "told $jsonrpl(code) $jsonrpl(text) $jsonrpl(body)\n");
        }
        "#,
    );
    let told = format!("told 200 OK {ECHOED}");
    harness::wait::until("the route runs", || server.log().contains("told "));
    assert!(server.log().contains(&told), "{}", server.log());
}
