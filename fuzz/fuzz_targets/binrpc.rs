//! Fuzzes bytes as a server and as a client receive them. The input is a packet for the
//! header and the client. The server's decoder also gets its body alone, so that the
//! fuzzer need not keep a length right to reach it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpc_wire::binrpc::client::decode_answer;
use rpc_wire::binrpc::{Header, MAX_HEADER_LEN, decode_request, is_request};
use rpc_wire::value::Params;

fuzz_target!(|packet: &[u8]| {
    if let Ok(Some(header)) = Header::parse(packet) {
        assert!(header.header_len <= packet.len().min(MAX_HEADER_LEN));
        request(&packet[header.header_len..]);
    }
    request(packet);

    if let Ok(Some((header, answer))) = decode_answer(packet) {
        assert!(!is_request(packet));
        assert!(header.packet_len() <= packet.len());
        let _ = answer.to_string();
    }
});

fn request(body: &[u8]) {
    let mut params = Params::new();
    if let Ok(method) = decode_request(body, &mut params) {
        assert!(params.text(method).len() < body.len());
        assert!(params.items().len() < body.len());
    }
}
