//! Comparing JSON-RPC replies byte for byte, except for their volatile values.

use rpc_wire::binrpc::client::Node;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::additions;
use crate::volatile::{self, Volatile};

/// Whether two answers to `method` are alike. They are if they are equal byte for byte,
/// except for the values in the table of [`volatile`] ones, and for the commands in
/// their list that our modules [add](additions).
#[must_use]
pub fn alike(method: &str, theirs: &str, ours: &str) -> bool {
    if theirs == ours {
        return true;
    }
    if method == additions::LIST {
        return theirs == additions::without_in_json(ours);
    }
    let masks: Vec<&Volatile> = volatile::of_json(method).collect();
    match (masked(theirs, &masks), masked(ours, &masks)) {
        (Some(theirs), Some(ours)) => theirs == ours,
        _ => false,
    }
}

/// The text of an answer with its volatile values replaced.
fn masked(answer: &str, masks: &[&Volatile]) -> Option<String> {
    let blanked = blanked(answer, masks)?;
    let mut rest = String::new();
    cut_out_blanks(answer, &blanked, &mut rest)?;
    Some(rest)
}

fn blanked(answer: &str, masks: &[&Volatile]) -> Option<Node> {
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

/// A path starts at the values at the top of a reply. For some commands those are the
/// values of an array, for others the result itself.
fn mask_result(result: &mut Node, mask: &Volatile) {
    if let Node::Array(values) = result {
        mask.each(values, &mut blank);
    } else {
        mask.each(std::slice::from_mut(result), &mut blank);
    }
}

/// The placeholder of a volatile value. No value of JSON becomes it.
const BLANK: Node = Node::Int(0);
const BLANK_WITH_MEMBERS: Node = Node::Int(1);

/// Removes everything of a value but the information whether it has members.
fn blank(node: &mut Node) {
    *node = match node {
        Node::Struct(_) | Node::Array(_) => BLANK_WITH_MEMBERS,
        _ => BLANK,
    };
}

/// Appends the text of a value, with a word in place of each volatile value. `node` is
/// the value as it was read.
fn cut_out_blanks(text: &str, node: &Node, out: &mut String) -> Option<()> {
    let values: Vec<&Node> = match node {
        Node::Struct(members) => members.iter().map(|(_, value)| value).collect(),
        Node::Array(values) => values.iter().collect(),
        &BLANK => {
            out.push_str("volatile");
            return Some(());
        }
        &BLANK_WITH_MEMBERS => {
            out.push_str("volatile, with members");
            return Some(());
        }
        _ => {
            out.push_str(text);
            return Some(());
        }
    };
    let Raw(raw_values) = serde_json::from_str(text).ok()?;
    let mut end = 0;
    for (raw, value) in raw_values.iter().zip(values) {
        // The text of a value is a part of the whole text, so its address gives its
        // position.
        let start = raw.get().as_ptr().addr() - text.as_ptr().addr();
        out.push_str(&text[end..start]);
        cut_out_blanks(raw.get(), value, out)?;
        end = start + raw.get().len();
    }
    out.push_str(&text[end..]);
    Some(())
}

/// The values of an object or an array, as they are written.
struct Raw<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(RawValues)
    }
}

struct RawValues;

impl<'de> Visitor<'de> for RawValues {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Raw<'de>, A::Error> {
        let mut raw = Vec::new();
        while let Some(value) = values.next_element()? {
            raw.push(value);
        }
        Ok(Raw(raw))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Raw<'de>, A::Error> {
        let mut raw = Vec::new();
        while let Some((_, value)) = members.next_entry::<String, &RawValue>()? {
            raw.push(value);
        }
        Ok(Raw(raw))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn uptime(now: &str, gap: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0",{gap}"result":{{"now":"{now}","x":[1,{gap}2]}},"id":1}}"#)
    }

    #[test]
    fn volatile_values_may_differ() {
        assert!(alike("core.uptime", &uptime("a", ""), &uptime("b", "")));
        assert!(!alike("core.echo", &uptime("a", ""), &uptime("b", "")));
    }

    #[test]
    fn spaces_between_values_count() {
        assert!(!alike("core.uptime", &uptime("a", " "), &uptime("b", "")));
        assert!(!alike("core.uptime", &uptime("a", " "), &uptime("b", "\n")));
        assert!(alike("core.uptime", &uptime("a", "\n"), &uptime("b", "\n")));
    }
}
