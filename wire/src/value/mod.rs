//! What every protocol shares: the tree of a reply and the parameters of a request.

#[cfg(test)]
pub(crate) mod building;
mod node;
mod params;
mod reply;
mod view;
mod walk;

pub(crate) use params::push_if_room;
pub use params::{Member, Param, Params, has_memory_for};
pub use reply::{Container, Fault, Full, NodeId, Parent, Reply, Scalar, TooLarge};
pub use view::{Value, Values};
pub use walk::{Event, Walk};

/// A piece of text inside the buffer of a [`Reply`] or of [`Params`].
///
/// Its numbers count bytes. It means something only together with the value that made
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The position of its first byte in the buffer.
    #[must_use]
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// The number of its bytes; a terminating NUL is not counted.
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
