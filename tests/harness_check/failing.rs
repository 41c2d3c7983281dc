//! System calls that fail for a while.

use harness::failing::{Failing, is_possible};
use harness::modules::Flavor;
use harness::server::Server;
use rustix::process::Pid;

/// The process that traces a process, or 0 if none does.
fn tracer(process: Pid) -> i32 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.as_raw_pid()));
    let status = status.expect("it runs");
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    tracer
        .and_then(|pid| pid.trim().parse().ok())
        .expect("a number")
}

#[test]
fn they_fail_as_often_as_asked_and_then_no_more() {
    if !is_possible() {
        return;
    }
    let server = Server::builder(Flavor::Rust).modules(["ctl"]).start();
    let handler = server.process("ctl handler");
    for _ in 0..3 {
        let [mut first, mut second, mut third] = [(); 3].map(|()| server.client());
        let failing = Failing::calls(handler, &["recvfrom:error=EIO:when=1..2"]);
        assert_ne!(tracer(handler), 0);
        for client in [&mut first, &mut second] {
            assert!(client.try_call("core.version", &[]).is_err());
        }
        third.call("core.version", &[]);
        assert_eq!(failing.count(), 2, "{}", failing.record());
        drop(failing);
        assert_eq!(tracer(handler), 0);
        third.call("core.version", &[]);
    }
}
