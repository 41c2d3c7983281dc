//! Wrong values of parameters: each prevents the start, and `kamailio -c` reports it
//! with a helpful text.

use harness::builder::Builder;
use harness::modules::Flavor;
use harness::server::Server;

/// A parameter, a wrong value, and words of the error in the log.
struct Wrong {
    parameter: &'static str,
    value: &'static str,
    said: &'static [&'static str],
}

const fn wrong(
    parameter: &'static str,
    value: &'static str,
    said: &'static [&'static str],
) -> Wrong {
    Wrong {
        parameter,
        value,
        said,
    }
}

/// Values as they are in a configuration, including quotes. The log must show each,
/// except for the quotes.
const WRONG: &[Wrong] = &[
    wrong("binrpc", r#""""#, &["empty"]),
    wrong("binrpc", r#""unix:""#, &["path is missing"]),
    wrong("binrpc", r#""unixs:""#, &["path is missing"]),
    wrong("binrpc", r#""unixd:""#, &["path is missing"]),
    wrong(
        "binrpc",
        r#""sctp:127.0.0.1:2049""#,
        &["no transport", "sctp"],
    ),
    wrong(
        "binrpc",
        r#""tls:127.0.0.1:2049""#,
        &["no transport", "tls"],
    ),
    wrong("binrpc", r#""tcp:127.0.0.1:70000""#, &["no port", "65535"]),
    wrong("binrpc", r#""tcp:127.0.0.1:0""#, &["no port", "65535"]),
    wrong("binrpc", r#""udp:127.0.0.1:-1""#, &["no port"]),
    wrong(
        "binrpc",
        r#""udp:127.0.0.1:no-such-service""#,
        &["no service", "/etc/services"],
    ),
    wrong(
        "binrpc",
        r#""udp:127.0.0.1:2049:2050""#,
        &["too many colons"],
    ),
    wrong(
        "binrpc",
        r#""tcp:no.such.host.invalid:2049""#,
        &["does not resolve"],
    ),
    wrong("binrpc", r#""no such host""#, &["no host"]),
    wrong("binrpc", r#""::1""#, &["brackets"]),
    wrong("binrpc", r#""tcp:::1:2049""#, &["brackets"]),
    wrong("binrpc", r#""tcp:[::1:2049""#, &["not closed"]),
    wrong("binrpc", r#""tcp:[::1]2049""#, &["follows the bracket"]),
    wrong("binrpc", r#""tcp:[127.0.0.1]:2049""#, &["no host"]),
    wrong("binrpc", r#""fifo:/tmp/pipe""#, &["named pipe", "fifo"]),
    wrong("fifo", r#""""#, &["empty"]),
    wrong("fifo", r#""fifo:""#, &["path is missing"]),
    wrong("fifo", r#""tcp:127.0.0.1:70000""#, &["no port"]),
    wrong(
        "fifo",
        r#""udp:no.such.host.invalid:2049""#,
        &["does not resolve"],
    ),
    wrong("mode", "-1", &["no file mode"]),
    wrong("mode", "010000", &["no file mode"]),
    wrong("user", r#""no-such-user""#, &["no user"]),
    wrong("user", r#""""#, &["no user"]),
    wrong("user", "-5", &["no user"]),
    wrong("group", r#""no-such-group""#, &["no group"]),
    wrong("group", r#""""#, &["no group"]),
    wrong("group", "-5", &["group"]),
];

/// A value that is always wrong, and not only at this moment, is found by checking.
#[test]
fn checking_finds_each_and_says_what_is_wrong() {
    let complaints: Vec<String> = WRONG
        .iter()
        .filter_map(|wrong| {
            let checked = described(wrong.parameter, wrong.value).check();
            complaint(wrong, checked.status.success(), &checked.log)
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn each_stops_the_start_and_is_named() {
    let complaints: Vec<String> = WRONG
        .iter()
        .filter_map(|wrong| {
            let started = described(wrong.parameter, wrong.value).try_start();
            match started {
                Ok(server) => complaint(wrong, true, &server.log()),
                Err(ended) => complaint(wrong, ended.status.success(), &ended.log),
            }
        })
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_path_that_is_too_long_is_found_by_checking() {
    for transport in ["unix", "unixd"] {
        let value = format!("{transport}:/tmp/{}", "x".repeat(103));
        let checked = described("binrpc", &format!("\"{value}\"")).check();
        assert!(!checked.status.success(), "{value} passed");
        let found = |line: &str| line.contains(&value) && line.contains("108 bytes");
        assert!(checked.log.lines().any(found), "{}", checked.log);
    }
}

fn described(parameter: &str, value: &str) -> Builder {
    Server::builder(Flavor::Rust)
        .modules(["ctl"])
        .config(r#"modparam("ctl", "binrpc", "unix:{dir}/kamailio_ctl")"#)
        .config(&format!(r#"modparam("ctl", "{parameter}", {value})"#))
}

/// The complaint about the outcome, if there is one.
fn complaint(wrong: &Wrong, passed: bool, log: &str) -> Option<String> {
    let Wrong {
        parameter,
        value,
        said,
    } = wrong;
    if passed {
        return Some(format!("{parameter} took {value}"));
    }
    let named = value.trim_matches('"');
    let helps = |line: &str| {
        line.contains("ERROR: ctl ")
            && line.contains(named)
            && said.iter().all(|words| line.contains(words))
    };
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    (!errors.iter().any(|line| helps(line))).then(|| {
        format!(
            "{parameter} = {value} is not explained with {said:?} by\n{}",
            errors.join("\n")
        )
    })
}
