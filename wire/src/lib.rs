//! The wire formats of Kamailio's remote procedure calls, as pure functions
//! between bytes and values.
//!
//! | module | protocol | who speaks it |
//! | --- | --- | --- |
//! | [`binrpc`] | BINRPC | `kamcmd`, with the module `ctl` |
//! | [`linefifo`] | the line protocol | scripts that write into the named pipe of `ctl` |
//! | [`jsonrpc`] | JSON-RPC 2.0 | `kamctl`, `kamcli` and web clients, with `jsonrpcs` |
//! | [`mi`] | the old Management Interface | tools from before Kamailio 5, with `mi_datagram` |
//!
//! [`value`] holds what every protocol shares: the parameters of a request
//! ([`Params`](value::Params)) and the tree of a reply ([`Reply`](value::Reply)). A codec
//! turns bytes into the former and the latter into bytes. [`listen`] reads the addresses
//! that a server listens on.
//!
//! Nothing here knows Kamailio, opens a socket or needs `unsafe`, so all of it is tested
//! and fuzzed without a server.
//!
//! # Features
//!
//! `client` adds a module of that name to `binrpc`, `linefifo` and `mi`, which writes requests
//! and reads answers. JSON-RPC needs none, since any JSON library does that. Servers leave it
//! out; the examples below use it.
//!
//! # A reply
//!
//! All examples answer with this reply, which a command fills value by value, in any order:
//!
//! ```
//! use rpc_wire::value::{Container, Full, Parent, Reply, Scalar};
//!
//! /// Two calls, one of them with its caller.
//! fn calls() -> Result<Reply, Full> {
//!     let mut reply = Reply::new();
//!     let calls = reply.open(Parent::Top, None, Container::Struct)?;
//!     reply.push(Parent::Node(calls), Some(b"active"), Scalar::Int(2))?;
//!     reply.push(Parent::Node(calls), Some(b"caller"), Scalar::Text(b"alice"))?;
//!     Ok(reply)
//! }
//! # assert_eq!(calls().expect("there is room").values().count(), 1);
//! ```
//!
//! # BINRPC
//!
//! ```
//! use rpc_wire::binrpc::{Header, client, decode_request, encode_answer};
//! use rpc_wire::value::{Param, Params};
//! # use rpc_wire::value::{Container, Full, Parent, Reply, Scalar};
//! # fn calls() -> Result<Reply, Full> {
//! #     let mut reply = Reply::new();
//! #     let calls = reply.open(Parent::Top, None, Container::Struct)?;
//! #     reply.push(Parent::Node(calls), Some(b"active"), Scalar::Int(2))?;
//! #     reply.push(Parent::Node(calls), Some(b"caller"), Scalar::Text(b"alice"))?;
//! #     Ok(reply)
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The client writes a request with a number of its own, the cookie.
//! let bytes = client::encode_request(b"dlg.calls", &["alice".into(), 10.into()], 7)?;
//! assert_eq!(&bytes[..4], [0xa1, 0x00, 21, 7]);
//!
//! // The server reads the header, waits for as many bytes as that says, and reads these.
//! let header = Header::parse(&bytes)?.ok_or("the header is not complete")?;
//! assert_eq!((header.cookie, header.packet_len()), (7, bytes.len()));
//! let mut params = Params::new();
//! let method = decode_request(&bytes[header.header_len..], &mut params)?;
//! assert_eq!(params.text(method), b"dlg.calls");
//! let [Param::Text(caller), Param::Int(10)] = params.items() else {
//!     panic!("a text and a number: {params:?}");
//! };
//! assert_eq!(params.text(*caller), b"alice");
//!
//! // It answers with the same cookie.
//! let mut answer = Vec::new();
//! encode_answer(&calls()?, header.cookie, &mut answer)?;
//!
//! // The client reads that.
//! let (header, answer) = client::decode_answer(&answer)?.ok_or("the answer is not complete")?;
//! assert_eq!(header.cookie, 7);
//! let active = answer.values()[0].get("active").and_then(client::Node::as_int);
//! assert_eq!(active, Some(2));
//! # Ok(())
//! # }
//! ```
//!
//! # The line protocol
//!
//! ```
//! use rpc_wire::linefifo::{Decoded, client, decode, encode_answer};
//! use rpc_wire::value::{Param, Params};
//! # use rpc_wire::value::{Container, Full, Parent, Reply, Scalar};
//! # fn calls() -> Result<Reply, Full> {
//! #     let mut reply = Reply::new();
//! #     let calls = reply.open(Parent::Top, None, Container::Struct)?;
//! #     reply.push(Parent::Node(calls), Some(b"active"), Scalar::Int(2))?;
//! #     reply.push(Parent::Node(calls), Some(b"caller"), Scalar::Text(b"alice"))?;
//! #     Ok(reply)
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The reply goes into the pipe that the request names.
//! let bytes = client::encode_request(b"dlg.calls", Some(b"replies"), &["alice".into()])?;
//! assert_eq!(bytes, b":dlg.calls:replies\nalice\n\n");
//!
//! // A request may come piece by piece; `Decoded::More` asks for the rest.
//! let mut params = Params::new();
//! let Decoded::Request(request) = decode(&bytes, &mut params)? else {
//!     panic!("the request is complete");
//! };
//! assert_eq!(request.used, bytes.len());
//! assert_eq!(params.text(request.method), b"dlg.calls");
//! assert_eq!(request.reply_file.map(|name| params.text(name)), Some(&b"replies"[..]));
//! // Every parameter is a line, until the command asks for a number or a structure.
//! let [Param::Line { text, .. }] = params.items() else {
//!     panic!("one line: {params:?}");
//! };
//! assert_eq!(params.text(*text), b"alice");
//!
//! let mut answer = Vec::new();
//! encode_answer(&calls()?, &mut answer);
//! assert_eq!(answer, b"200 OK\nactive:2,caller:alice\n");
//!
//! let answer = client::Answer::parse(&answer)?;
//! assert_eq!((answer.code, answer.lines.len()), (200, 1));
//! # Ok(())
//! # }
//! ```
//!
//! # JSON-RPC
//!
//! ```
//! use rpc_wire::jsonrpc::{Document, Form, MAX_LEN, Strictness, Verdict, encode_answer};
//! use rpc_wire::value::{Param, Params};
//! # use rpc_wire::value::{Container, Full, Parent, Reply, Scalar};
//! # fn calls() -> Result<Reply, Full> {
//! #     let mut reply = Reply::new();
//! #     let calls = reply.open(Parent::Top, None, Container::Struct)?;
//! #     reply.push(Parent::Node(calls), Some(b"active"), Scalar::Int(2))?;
//! #     reply.push(Parent::Node(calls), Some(b"caller"), Scalar::Text(b"alice"))?;
//! #     Ok(reply)
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bytes = br#"{"jsonrpc": "2.0", "method": "dlg.calls", "params": ["alice", 10], "id": 7}"#;
//!
//! // A document is one request or a batch, whose requests are taken one by one.
//! let mut document = Document::parse(bytes, Strictness::Specification, MAX_LEN);
//! assert!(!document.is_batch());
//! let mut params = Params::new();
//! let request = document.next_request(&mut params).ok_or("there is always one")?;
//! let Verdict::Run(method) = request.verdict else {
//!     panic!("a good request: {request:?}");
//! };
//! assert_eq!(params.text(method), b"dlg.calls");
//! assert!(matches!(params.items(), [Param::Text(_), Param::Int(10)]));
//!
//! // The answer repeats the id as it came.
//! let mut answer = Vec::new();
//! encode_answer(&calls()?, false, request.answer_id(), Form::Compact, &mut answer);
//! assert_eq!(answer, br#"{"jsonrpc":"2.0","result":{"active":2,"caller":"alice"},"id":7}"#);
//! # Ok(())
//! # }
//! ```
//!
//! # The Management Interface
//!
//! ```
//! use rpc_wire::mi::{Tree, arguments, client, first_line};
//! # use rpc_wire::value::{Container, Full, Parent, Reply, Scalar};
//! # fn calls() -> Result<Reply, Full> {
//! #     let mut reply = Reply::new();
//! #     let calls = reply.open(Parent::Top, None, Container::Struct)?;
//! #     reply.push(Parent::Node(calls), Some(b"active"), Scalar::Int(2))?;
//! #     reply.push(Parent::Node(calls), Some(b"caller"), Scalar::Text(b"alice"))?;
//! #     Ok(reply)
//! # }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut bytes = Vec::new();
//! client::encode_request(b"dlg_list", [&b"alice"[..], b" two words"], &mut bytes)?;
//! assert_eq!(bytes, b":dlg_list:\nalice\n\" two words\"\n");
//!
//! // A datagram is one request, and its arguments are text.
//! let (command, rest) = first_line(&bytes).ok_or("a first line")?;
//! assert_eq!(command, b"dlg_list");
//! let arguments = arguments(rest)?;
//! assert_eq!(arguments[1].value, b" two words");
//!
//! // The reply is a tree of lines, here by the rule for commands without one of their own.
//! let mut answer = Vec::new();
//! Tree::of_reply(&calls()?).encode(b"\t", &mut answer);
//! assert_eq!(answer, b"200 OK\nstruct:: \n\tactive:: 2\n\tcaller:: alice\n");
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod answers;
pub mod binrpc;
pub mod jsonrpc;
pub mod linefifo;
pub mod listen;
pub mod mi;
mod scan;
pub mod value;

pub use scan::ScanState;
