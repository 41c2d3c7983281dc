//! The answers of the line protocol to the suitable requests. BINRPC's answers to the
//! same requests provide the values.

use harness::binrpc::{Client, request};
use harness::differential::{SUITABLE, SharedSetup};
use harness::linefifo;
use harness::modules::Flavor;
use harness::requests::Request;
use harness::server::Server;
use harness::volatile;
use rpc_wire::binrpc::client::{Answer, Arg};
use rpc_wire::linefifo::client::Arg as LineArg;

use crate::line_rule;
use crate::listeners::CtlListeners;

/// With this, every parameter over BINRPC is a text, as it is on a line, and is
/// converted to the type for which the command asks.
const CONVERTING: &str = r#"
modparam("ctl", "autoconversion", 1)
modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")
"#;

/// Commands about connections, whose answers differ between the protocols.
const LEFT_OUT: &[&str] = &["ctl.who", "ctl.connections"];

/// A request and BINRPC's answer to it.
struct Known {
    request: Request,
    answer: Answer,
}

#[test]
fn over_a_pipe_the_answers_are_those_of_binrpc() {
    assert_alike(0);
}

#[test]
fn over_udp_the_answers_are_those_of_binrpc() {
    assert_alike(1);
}

#[test]
fn over_tcp_the_answers_are_those_of_binrpc() {
    assert_alike(2);
}

/// Asks a server of each kind. What the requests change must be the same.
fn assert_alike(transport: usize) {
    let (setup, listeners) = (SharedSetup::new(), CtlListeners::new());
    let config = format!("{CONVERTING}{}", listeners.config());
    let known = {
        let server = setup.start(Flavor::Rust, &config);
        all_known(&server)
    };
    let server = setup.start(Flavor::Rust, &config);
    let address = &listeners.lines(&server)[transport];
    let mut wrong = Vec::new();
    for known in &known {
        let reply = linefifo::ask(address, &known.request.method, &lines(&known.request));
        if let Some(how) = known.fault_of(&reply) {
            let shown = String::from_utf8_lossy(&reply[..reply.len().min(1000)]).into_owned();
            wrong.push(format!("{}\n{how}:\n{shown}", known.request));
        }
    }
    let count = wrong.len();
    assert!(
        wrong.is_empty(),
        "{count} of {} replies are wrong:\n{}",
        known.len(),
        wrong.join("\n")
    );
}

fn all_known(server: &Server) -> Vec<Known> {
    let mut client = server.client();
    Request::parse_all(SUITABLE)
        .into_iter()
        .filter(can_be_sent)
        .map(|request| ask(&mut client, request))
        .collect()
}

/// An empty parameter would end the request.
fn can_be_sent(request: &Request) -> bool {
    let is_empty = |arg: &Arg| *arg == Arg::from("");
    !LEFT_OUT.contains(&&*request.method) && !request.args.iter().any(is_empty)
}

fn ask(client: &mut Client, asked: Request) -> Known {
    let args: Vec<Arg> = texts(&asked).map(|text| Arg::from(&*text)).collect();
    let packet = client.call_raw(&request(&asked.method, &args, 1));
    let (_, answer) = harness::binrpc::decode(&packet).expect("a good answer");
    Known {
        request: asked,
        answer,
    }
}

fn lines(request: &Request) -> Vec<LineArg> {
    texts(request).map(|text| LineArg::from(&*text)).collect()
}

/// The parameters as a person types them.
fn texts(request: &Request) -> impl Iterator<Item = String> {
    request.args.iter().map(|arg| match arg {
        Arg::Int(number) => number.to_string(),
        Arg::Double(number) => number.to_string(),
        Arg::Str(text) => String::from_utf8(text.clone()).expect("typed text"),
        other => panic!("{other:?} cannot be typed"),
    })
}

impl Known {
    fn fault_of(&self, reply: &[u8]) -> Option<String> {
        let Request { method, .. } = &self.request;
        let not_found = format!("command {method} not found");
        match &self.answer {
            Answer::Reply(values) => {
                let mut values = values.clone();
                for entry in volatile::of(method) {
                    entry.each(&mut values, &mut |node| *node = line_rule::volatile());
                }
                line_rule::fault_of(reply, &values)
            }
            // Both protocols have texts of their own for it.
            Answer::Fault { reason, .. } if *reason == not_found.as_bytes() => unless(
                reply,
                format!("500 Command '{method}' not found\n").as_bytes(),
            ),
            Answer::Fault { code, reason } => {
                let expected = match misread_line(reason).filter(|_| *code == 400) {
                    Some(line) => format!("400 Invalid parameter value on line {line}\n").into(),
                    None => [format!("{code} ").as_bytes(), reason, b"\n"].concat(),
                };
                unless(reply, &expected)
            }
        }
    }
}

/// The line of the parameter that BINRPC cannot read. The first line of a request is
/// the command's, and BINRPC counts parameters from 0.
fn misread_line(reason: &[u8]) -> Option<usize> {
    let reason = std::str::from_utf8(reason).ok()?;
    let rest = reason.strip_prefix("error at parameter ")?;
    let (position, _) = rest.split_once(':')?;
    position.parse().ok().map(|position: usize| position + 2)
}

fn unless(reply: &[u8], expected: &[u8]) -> Option<String> {
    (reply != expected).then(|| format!("{} was expected", expected.escape_ascii()))
}
