//! JSON-RPC replies as values, for comparing what is in them.

use rpc_wire::binrpc::client::Node;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::volatile::{self, Volatile};

/// Whether two answers to `method` are alike: equal byte for byte, or equal but
/// for the values that the table of [`volatile`] ones has.
#[must_use]
pub fn alike(method: &str, theirs: &str, ours: &str) -> bool {
    if theirs == ours {
        return true;
    }
    let masks: Vec<&Volatile> = volatile::of_json(method).collect();
    match (masked(theirs, &masks), masked(ours, &masks)) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => false,
    }
}

/// All members in their order, without what is volatile.
fn masked(answer: &str, masks: &[&Volatile]) -> Option<Node> {
    let Ok(Json(Node::Struct(mut members))) = serde_json::from_str(answer) else {
        return None;
    };
    let result = members
        .iter_mut()
        .find(|(name, _)| name.as_deref() == Some(b"result"));
    if let Some((_, result)) = result {
        for mask in masks {
            mask_result(result, mask);
        }
    }
    Some(Node::Struct(members))
}

/// A path starts at the values at the top of a reply: those of an array for
/// some commands, the result itself for others.
fn mask_result(result: &mut Node, mask: &Volatile) {
    if let Node::Array(values) = result {
        mask.each(values, &mut blank);
    } else {
        mask.each(std::slice::from_mut(result), &mut blank);
    }
}

/// Leaves nothing of a value but whether it has members.
fn blank(node: &mut Node) {
    *node = match node {
        Node::Struct(_) | Node::Array(_) => Node::Array(Vec::new()),
        _ => Node::Int(0),
    };
}

/// A value of JSON with its members in their order.
struct Json(Node);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Values)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(Json(Node::Bytes(vec![truth.into()])))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json(Node::Bytes(number.to_string().into_bytes())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json(Node::Bytes(number.to_string().into_bytes())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json(Node::Double(number)))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json(Node::Bytes(Vec::new())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json(Node::Str(text.as_bytes().to_vec())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Json, A::Error> {
        let mut nodes = Vec::new();
        while let Some(Json(node)) = values.next_element()? {
            nodes.push(node);
        }
        Ok(Json(Node::Array(nodes)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut nodes = Vec::new();
        while let Some((name, Json(node))) = members.next_entry::<String, Json>()? {
            nodes.push((Some(name.into_bytes()), node));
        }
        Ok(Json(Node::Struct(nodes)))
    }
}
