//! Settings that a configuration leaves out, and what is gone after it was checked.

use harness::failing::{FailingFromStart, is_possible};
use harness::http;
use harness::json_transports::{ECHO, ECHOED, JsonListeners, JsonTransport};
use harness::modules::Flavor;
use harness::server::{Server, short_directory};
use harness::wait;

#[test]
fn a_script_that_answers_http_without_its_bit_is_told() {
    let server = Server::builder(Flavor::Rust)
        .tcp()
        .modules(["ctl", "sl", "pv", "xlog", "xhttp", "jsonrpcs"])
        .config(
            r#"
            modparam("jsonrpcs", "transport", 4)
            modparam("jsonrpcs", "dgram_socket", "{dir}/rpc.socket")
            tcp_accept_no_cl=yes
            request_route { exit; }
            event_route[xhttp:request] {
                jsonrpc_dispatch();
                xhttp_reply("501", "Not Implemented", "text/plain", "$rc");
            }
            "#,
        )
        .start();
    let response = http::Client::connect(server.port()).post(ECHO.as_bytes());
    assert_eq!(response.body, "-1");
    let line = "HTTP is not served: the parameter transport needs the bit 1";
    wait::until(line, || server.log().contains(line));
}

/// The directory existed when the configuration was read.
#[test]
fn a_directory_of_stored_answers_that_cannot_be_opened_costs_those_answers() {
    if !is_possible() {
        return;
    }
    let listeners = JsonListeners::new();
    let place = short_directory();
    let failing = FailingFromStart::calls(&["openat:error=EACCES"]).for_file(place.path());
    let text = place.path().display();
    let server = listeners
        .builder(&format!(
            "modparam(\"jsonrpcs\", \"store_dir\", \"{text}\")"
        ))
        .launcher(failing.launcher())
        .start();
    let stored = ECHO.replace(r#""id""#, r#""store_path":"file","id""#);
    for transport in [
        JsonTransport::Datagram,
        JsonTransport::Pipe,
        JsonTransport::Tcp,
    ] {
        let answer = listeners.ask(&server, transport, &stored);
        let reason = "the directory of store_dir cannot be used";
        assert!(
            answer.contains("Storing failed") && answer.contains(reason),
            "{answer}"
        );
        assert_eq!(
            listeners.ask(&server, transport, ECHO),
            ECHOED,
            "{transport:?}"
        );
    }
    let line = format!("the directory {text} of store_dir cannot be used: Permission denied");
    assert!(server.log().contains(&line), "{}", server.log());
    assert!(failing.count() > 0);
}
