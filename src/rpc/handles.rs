//! Handles, by which a command refers to the structures that it fills or reads.
//!
//! `struct_add` and `array_add` get only the handle, so a handle leads to its call.
//! Handles must not move while the command runs. They lie in chunks that are filled and
//! never grown.

use std::ffi::c_void;

use rpc_wire::value::Parent;

const CHUNK: usize = 256;

/// The target of a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// A place in the reply.
    Reply(Parent),
    /// A structure among the parameters, by its index in the call.
    Param(usize),
}

/// A handle: a call, and a target in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    /// The address of the call, a `*mut Invocation`.
    pub(crate) call: *mut c_void,
    pub(crate) target: Target,
}

/// The handles of one call.
///
/// # Invariants
/// A chunk is never filled beyond its first capacity, so that the address of a handle
/// is valid until [`Handles::clear`].
#[derive(Debug, Default)]
pub(crate) struct Handles {
    chunks: Vec<Vec<Handle>>,
}

impl Handles {
    /// Keeps a handle and returns the address that stands for it in C.
    pub(crate) fn keep(&mut self, handle: Handle) -> *mut Handle {
        let has_room = |chunk: &Vec<Handle>| chunk.len() < CHUNK;
        if !self.chunks.last().is_some_and(has_room) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let last = self.chunks.len() - 1;
        let chunk = &mut self.chunks[last];
        // INVARIANT: the length was below CHUNK, and the capacity is at least CHUNK.
        chunk.push(handle);
        chunk.as_mut_ptr().wrapping_add(chunk.len() - 1)
    }

    /// Drops all handles, and releases the memory of all chunks but one.
    pub(crate) fn clear(&mut self) {
        self.chunks.truncate(1);
        if let Some(first) = self.chunks.first_mut() {
            first.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_while_handles_are_added() {
        let mut handles = Handles::default();
        let kept: Vec<_> = (0..10 * CHUNK)
            .map(|n| {
                handles.keep(Handle {
                    call: std::ptr::without_provenance_mut(n),
                    target: Target::Reply(Parent::Top),
                })
            })
            .collect();
        let stored = handles.chunks.iter().flatten();
        for ((n, address), handle) in kept.iter().enumerate().zip(stored) {
            assert_eq!(address.cast_const(), std::ptr::from_ref(handle));
            assert_eq!(handle.call.addr(), n);
        }
    }
}
