//! A server that knows the methods in the specification's examples, and one more that
//! returns what it gets.

use rpc_wire::jsonrpc::{
    Batch, Document, Form, MAX_LEN, Request, Strictness, Verdict, encode_answer, encode_refusal,
};
use rpc_wire::value::{Container, Param, Params, Parent, Reply, Scalar};
use serde_json::{Value, json};

use crate::echo::echo_all;

/// Answers a document as the module does, `None` where it stays silent.
pub(crate) fn serve(document: &[u8], strictness: Strictness, form: Form) -> Option<Vec<u8>> {
    let mut document = Document::parse(document, strictness, MAX_LEN);
    let mut params = Params::new();
    let mut out = Vec::new();
    if !document.is_batch() {
        let request = document.next_request(&mut params)?;
        let wanted = request.wants_answer();
        answer(&request, &params, form, &mut out);
        return wanted.then_some(out);
    }
    let mut batch = Batch::new(form);
    while let Some(request) = document.next_request(&mut params) {
        if request.wants_answer() {
            batch.next(&mut out);
            answer(&request, &params, form, &mut out);
        }
    }
    batch.end(&mut out).then_some(out)
}

fn answer(request: &Request<'_>, params: &Params, form: Form, out: &mut Vec<u8>) {
    let id = request.answer_id();
    let mut reply = Reply::new();
    match request.verdict {
        Verdict::Run(method) => run(params.text(method), params, &mut reply),
        Verdict::Ignore => {}
        Verdict::Refuse(refusal) => return encode_refusal(refusal, id, form, out),
    }
    encode_answer(&reply, false, id, form, out);
}

fn run(method: &[u8], params: &Params, reply: &mut Reply) {
    let int = |index: usize| match params.items().get(index) {
        Some(Param::Int(number)) => *number,
        other => panic!("{other:?} is no number"),
    };
    let result = match method {
        b"subtract" => Scalar::Long(int(0) - int(1)),
        b"sum" => Scalar::Long((0..params.items().len()).map(int).sum()),
        b"get_data" => {
            let node = reply.open(Parent::Top, None, Container::Array);
            let node = Parent::Node(node.expect("room"));
            reply
                .push(node, None, Scalar::Text(b"hello"))
                .expect("room");
            reply.push(node, None, Scalar::Int(5)).expect("room");
            return;
        }
        b"echo" => return echo_all(params, reply),
        b"update" | b"notify_sum" | b"notify_hello" => return,
        _ => return reply.set_fault(-32601, b"Method Not Found"),
    };
    reply.push(Parent::Top, None, result).expect("room");
}

pub(crate) fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).expect("JSON")
}

/// A good answer with this result and this id.
pub(crate) fn result(result: &Value, id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "result": result, "id": id})
}
