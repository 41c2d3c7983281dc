//! What every protocol shares: the tree of a reply and the parameters of a
//! request.

#[cfg(test)]
pub(crate) mod building;
mod node;
mod params;
mod reply;
mod view;

pub use params::{Member, Param, Params};
pub(crate) use params::{is_there, push_if_room};
pub use reply::{Container, Event, Fault, Full, NodeId, Parent, Reply, Scalar, TooLarge, Walk};
pub use view::{Value, Values};

/// A piece of text inside the buffer of a [`Reply`] or of [`Params`], in bytes.
///
/// It means something only together with the value that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// Where the text begins in its buffer.
    #[must_use]
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// How many bytes it has, a terminating NUL not counted.
    #[must_use]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether it has no bytes at all.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    fn of(self, buffer: &[u8]) -> &[u8] {
        let start = self.start();
        buffer.get(start..start + self.len()).unwrap_or_default()
    }
}
