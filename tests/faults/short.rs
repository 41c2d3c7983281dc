//! Requests that need more memory than a process has. Whatever they consist of, they
//! end no server.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use harness::binrpc::Address;
use harness::process::virtual_kib;
use harness::server::Server;

use crate::everywhere::{Everywhere, Transport};

const MIB: usize = 1024 * 1024;

/// Documents of nearly a megabyte, whose values need many times as much.
fn documents() -> Vec<Vec<u8>> {
    let request = |params: String| {
        format!(r#"{{"jsonrpc":"2.0","method":"core.echo","params":[{params}],"id":1}}"#)
            .into_bytes()
    };
    let many = |value: &str| {
        let count = 1_000_000 / (value.len() + 1);
        vec![value; count].join(",")
    };
    vec![
        request(many("1")),
        request(many("{}")),
        request(many(r#""""#)),
        request(format!("[{}]", many("[]"))),
        request(format!("{{{}}}", many(r#""a":1"#))),
        request(format!("\"{}\"", "\u{1}".repeat(1_000_000))),
        request(format!("\"{}\"", r"\n".repeat(500_000))),
        request(format!("\"{}\"", r"\u0001".repeat(160_000))),
        format!("[{}]", many("{}")).into_bytes(),
    ]
}

/// BINRPC packets with small records, and one with a large record.
fn packets() -> Vec<Vec<u8>> {
    let packet = |records: Vec<u8>| {
        let body = [&b"\x91\x0acore.echo\0"[..], &records].concat();
        let len = u32::try_from(body.len()).expect("a megabyte").to_be_bytes();
        [&b"\xa1\x0f"[..], &len, b"ABCD", &body].concat()
    };
    vec![
        packet(b"\x00".repeat(MIB - 100)),
        packet(b"\x03\x83".repeat(MIB / 2 - 100)),
        packet([&b"\x04"[..], &b"\x00".repeat(MIB - 100), b"\x84"].concat()),
        packet(b"\x21\x01\0".repeat(MIB / 3 - 100)),
    ]
}

/// A request of the line protocol with many short lines.
fn short_lines() -> Vec<u8> {
    [&b":core.echo:\n"[..], &b"\\t\n".repeat(300_000), b"\n"].concat()
}

/// Sends a request and reads the answer. It returns whether that is an error about
/// memory.
fn is_refused(address: SocketAddr, request: &[u8]) -> bool {
    const REASON: &[u8] = b"there is no memory for the re";
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    reply.windows(REASON.len()).any(|part| part == REASON)
}

#[test]
fn a_request_that_finds_no_memory_ends_no_server() {
    let usual = |transport: Transport| {
        let everywhere = Everywhere::new();
        let server = everywhere.builder("").start();
        virtual_kib(server.process(transport.handler()))
    };
    let (json, binrpc) = (usual(Transport::JsonTcp), usual(Transport::BinrpcTcp));
    for more_kib in [12 * 1024, 24 * 1024] {
        let everywhere = Everywhere::new();
        let limit = json.max(binrpc) + more_kib;
        let server: Server = everywhere.builder("").address_space(limit).start();
        let processes = server.processes();
        let [_, Address::Tcp(binrpc)] = everywhere.streams(&server) else {
            unreachable!("the second one is TCP");
        };
        let [json, lines] = everywhere.text_streams(&server);
        let requests = [
            (json, documents()),
            (binrpc, packets()),
            (lines, vec![short_lines()]),
        ];
        for (address, requests) in requests {
            let refused = requests.iter().filter(|it| is_refused(address, it)).count();
            assert!(refused > 0, "{address} {more_kib}: {}", server.log());
        }
        for transport in [
            Transport::JsonTcp,
            Transport::BinrpcTcp,
            Transport::LinesTcp,
        ] {
            let mut client = everywhere.client(&server, transport);
            assert!(client.is_answered(), "{transport:?}: {}", server.log());
        }
        assert_eq!(server.processes(), processes);
    }
}
