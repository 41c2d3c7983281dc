//! A command that returns what it gets. The fuzz target uses it as well.

use rpc_wire::value::{Container, Param, Params, Parent, Reply, Scalar};

/// Adds all parameters of a request to its reply.
pub(crate) fn echo_all(params: &Params, reply: &mut Reply) {
    for param in params.items() {
        echo(param, params, None, Parent::Top, reply);
    }
}

fn echo(param: &Param, params: &Params, name: Option<&[u8]>, parent: Parent, reply: &mut Reply) {
    let scalar = match param {
        Param::Int(number) => Scalar::Long(*number),
        Param::UnsignedLong(number) => Scalar::UnsignedLong(*number),
        Param::Float(number) => Scalar::Float(*number),
        Param::Text(text) => Scalar::Text(params.text(*text)),
        Param::Bool(truth) => Scalar::Bool(i32::from(*truth)),
        Param::Null => Scalar::Null,
        Param::Array(values) => {
            let node = reply.open(parent, name, Container::Array).expect("room");
            for value in values {
                echo(value, params, None, Parent::Node(node), reply);
            }
            return;
        }
        Param::Struct(members) => {
            let node = reply.open(parent, name, Container::Struct).expect("room");
            for member in members {
                let name = member.name.map(|name| params.text(name));
                echo(&member.value, params, name, Parent::Node(node), reply);
            }
            return;
        }
        other => panic!("JSON has no {other:?}"),
    };
    reply.push(parent, name, scalar).expect("room");
}
