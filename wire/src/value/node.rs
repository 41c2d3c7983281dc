//! The nodes of a reply tree.

use super::{Container, Span};

/// The link that leads to no node.
pub(super) const NONE: u32 = u32::MAX;

/// A value as the tree holds it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    Int(i32),
    Unsigned(u32),
    Bool(i32),
    Time(i64),
    Float(f64),
    Long(i64),
    UnsignedLong(u64),
    Text(Span),
    Null,
    Members {
        kind: Container,
        first: u32,
        last: u32,
    },
}

/// A value and its links in the tree. A node takes 24 bytes, because what a large reply
/// costs is mostly the memory that it touches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The value of the body, or its two numbers packed into one.
    bits: u64,
    name: Span,
    pub(super) next: u32,
    shape: Shape,
}

/// The variant of [`Body`] that the bits hold.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Int,
    Unsigned,
    Bool,
    Time,
    Float,
    Long,
    UnsignedLong,
    Text,
    Null,
    Struct,
    Array,
}

/// The name of a value that has none.
const UNNAMED: Span = Span {
    start: u32::MAX,
    len: 0,
};

impl Node {
    pub(super) fn new(body: Body, name: Option<Span>) -> Self {
        let (shape, bits) = match body {
            Body::Int(v) => (Shape::Int, v as u64),
            Body::Unsigned(v) => (Shape::Unsigned, v.into()),
            Body::Bool(v) => (Shape::Bool, v as u64),
            Body::Time(v) => (Shape::Time, v as u64),
            Body::Float(v) => (Shape::Float, v.to_bits()),
            Body::Long(v) => (Shape::Long, v as u64),
            Body::UnsignedLong(v) => (Shape::UnsignedLong, v),
            Body::Text(span) => (Shape::Text, pair(span.start, span.len)),
            Body::Null => (Shape::Null, 0),
            Body::Members { kind, first, last } => match kind {
                Container::Struct => (Shape::Struct, pair(first, last)),
                Container::Array => (Shape::Array, pair(first, last)),
            },
        };
        Node {
            bits,
            name: name.unwrap_or(UNNAMED),
            next: NONE,
            shape,
        }
    }

    pub(super) fn body(&self) -> Body {
        let (high, low) = ((self.bits >> 32) as u32, self.bits as u32);
        let members = |kind| Body::Members {
            kind,
            first: high,
            last: low,
        };
        match self.shape {
            Shape::Int => Body::Int(self.bits as i32),
            Shape::Unsigned => Body::Unsigned(low),
            Shape::Bool => Body::Bool(self.bits as i32),
            Shape::Time => Body::Time(self.bits as i64),
            Shape::Float => Body::Float(f64::from_bits(self.bits)),
            Shape::Long => Body::Long(self.bits as i64),
            Shape::UnsignedLong => Body::UnsignedLong(self.bits),
            Shape::Text => Body::Text(Span {
                start: high,
                len: low,
            }),
            Shape::Null => Body::Null,
            Shape::Struct => members(Container::Struct),
            Shape::Array => members(Container::Array),
        }
    }

    /// Replaces a container's first and last member.
    pub(super) fn set_members(&mut self, first: u32, last: u32) {
        self.bits = pair(first, last);
    }

    pub(super) fn name(&self) -> Option<Span> {
        (self.name != UNNAMED).then_some(self.name)
    }
}

/// Packs the two numbers of a text or a container into one.
fn pair(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
