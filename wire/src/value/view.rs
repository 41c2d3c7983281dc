//! A view of a reply as values that contain values, for callers that look for one of
//! them.

use super::node::Body;
use super::reply::{Container, Reply, Scalar};

/// A value of a [`Reply`].
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// One without members.
    Scalar(Scalar<'a>),
    /// A structure or an array.
    Container(Container, Values<'a>),
}

/// The values of a container, or those at the top of a reply. It iterates over them in
/// their order, each with its name.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    pub(super) reply: &'a Reply,
    pub(super) next: u32,
}

impl<'a> Values<'a> {
    /// The first value of this name.
    #[must_use]
    pub fn get(mut self, name: &str) -> Option<Value<'a>> {
        self.find_map(|(found, value)| (found == Some(name.as_bytes())).then_some(value))
    }

    /// The members of the first value of this name. There are none if no value has the
    /// name, or if that value has no members.
    #[must_use]
    pub fn within(self, name: &str) -> Values<'a> {
        let nothing = Values {
            reply: self.reply,
            next: super::node::NONE,
        };
        self.get(name).and_then(Value::members).unwrap_or(nothing)
    }

    /// The members of each value that has some, whatever its name.
    pub fn containers(self) -> impl Iterator<Item = Values<'a>> {
        self.filter_map(|(_, value)| value.members())
    }
}

impl<'a> Value<'a> {
    /// The members of a container, and `None` for any other value.
    #[must_use]
    pub fn members(self) -> Option<Values<'a>> {
        match self {
            Value::Scalar(_) => None,
            Value::Container(_, members) => Some(members),
        }
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = (Option<&'a [u8]>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (node, name) = self.reply.node(self.next)?;
        self.next = node.next;
        let value = match node.body() {
            Body::Members { kind, first, .. } => Value::Container(
                kind,
                Values {
                    reply: self.reply,
                    next: first,
                },
            ),
            body => Value::Scalar(self.reply.scalar(body)),
        };
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Parent;
    use crate::value::building::{open, put};

    #[test]
    fn members_are_found_by_name() {
        let mut reply = Reply::new();
        let outer = open(&mut reply, Parent::Top, "", Container::Struct);
        let inner = open(&mut reply, outer, "inner", Container::Array);
        put(&mut reply, inner, "", Scalar::Int(1));
        put(&mut reply, outer, "a", Scalar::Int(2));
        put(&mut reply, outer, "a", Scalar::Int(3));

        let members = reply.values().containers().next().expect("a structure");
        assert_eq!(members.count(), 3);
        assert!(matches!(
            members.get("a"),
            Some(Value::Scalar(Scalar::Int(2)))
        ));
        assert!(members.get("b").is_none());
        assert_eq!(members.within("inner").count(), 1);
        assert_eq!(members.within("a").count(), 0);
        assert_eq!(members.within("b").count(), 0);
        assert_eq!(members.containers().count(), 1);
    }
}
