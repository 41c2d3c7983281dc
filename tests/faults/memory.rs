//! A process that gets no more memory.

use harness::process::virtual_kib;
use rpc_wire::binrpc::client::{Answer, Arg};

use crate::everywhere::Everywhere;

/// The values alone have more bytes than the process may take in addition.
#[test]
fn a_reply_that_finds_no_memory_is_an_error() {
    const ENTRIES: usize = 1_600;
    const VALUE: usize = 64 * 1024;
    /// The memory that a process gets beyond what it has without requests.
    const MORE_KIB: u64 = 64 * 1024;
    let builder = |everywhere: &Everywhere| everywhere.builder("").memory(256, 8);
    let everywhere = Everywhere::new();
    let usual = {
        let server = builder(&everywhere).start();
        virtual_kib(server.process("ctl handler"))
    };
    let server = builder(&everywhere).address_space(usual + MORE_KIB).start();
    let processes = server.processes();
    let value = "x".repeat(VALUE);
    for number in 0..ENTRIES {
        let key = format!("key{number}");
        let args = ["t".into(), Arg::from(&*key), Arg::from(&*value)];
        let answer = server.client().call("htable.sets", &args);
        assert!(matches!(answer, Answer::Reply(_)), "{answer}");
    }
    for client in &mut everywhere.clients(&server) {
        for _ in 0..2 {
            let answer = client.ask("htable.dump", &["t"]);
            // If the last fault counts, it is the command's own.
            let reasons = ["no memory for the reply", "Internal error adding item"];
            let told = reasons.iter().any(|reason| answer.contains(reason));
            assert!(
                told && answer.contains("500"),
                "{:?}: {answer:.200}",
                client.transport
            );
            assert!(client.is_answered(), "{:?}", client.transport);
        }
    }
    assert_eq!(server.processes(), processes);
}
