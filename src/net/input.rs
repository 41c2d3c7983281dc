//! What a client has sent and the server has not answered yet.

use std::ops::Deref;

use crate::headroom;

/// The bytes of a request that is not complete, or of requests that wait for their
/// turn. The client chooses how many there are, so they are kept only if there is
/// memory for them, and that memory is counted.
#[derive(Debug, Default)]
pub(crate) struct Input(Vec<u8>);

/// The error if the system has no memory for what a client has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no memory for the request")]
pub(crate) struct NoMemory;

impl Input {
    /// The memory that this takes, in bytes.
    pub(crate) fn memory(&self) -> usize {
        self.0.capacity()
    }

    /// Appends bytes that have come.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), NoMemory> {
        let spare = self.0.capacity() - self.0.len();
        if spare < bytes.len() {
            self.grow(bytes.len())?;
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    /// Makes room. A request that comes byte by byte must not be copied for each byte,
    /// but most of the memory should be in use.
    fn grow(&mut self, more: usize) -> Result<(), NoMemory> {
        let generous = more.max(self.0.len() / 4);
        if !headroom::allows_keeping(self.0.len() + generous) {
            return Err(NoMemory);
        }
        self.0.try_reserve_exact(generous).map_err(|_| NoMemory)
    }

    /// Drops the first bytes, and frees their memory if that is most of it.
    pub(crate) fn forget(&mut self, count: usize) {
        self.0.drain(..count.min(self.0.len()));
        if self.0.is_empty() {
            self.0 = Vec::new();
        } else if self.0.len() < self.0.capacity() / 2 {
            self.0.shrink_to_fit();
        }
    }
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Input;

    #[test]
    fn what_comes_in_pieces_takes_little_more_memory_than_it_has_bytes() {
        let mut input = Input::default();
        for _ in 0..1000 {
            input.append(&[b'x'; 1000]).expect("there is memory");
            assert!(input.memory() <= input.len() * 5 / 4 + 1000);
        }
        assert_eq!(input.len(), 1_000_000);
    }

    #[test]
    fn what_is_answered_gives_its_memory_back() {
        let mut input = Input::default();
        input.append(&[b'x'; 100_000]).expect("there is memory");
        input.append(b"next").expect("there is memory");
        input.forget(100_000);
        assert_eq!(&*input, b"next");
        assert!(input.memory() < 1000);
        input.forget(4);
        assert_eq!(input.memory(), 0);
    }
}
