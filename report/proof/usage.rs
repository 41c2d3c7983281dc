//! The resources that a server uses.

use serde::{Deserialize, Serialize};

/// The usage of the processes that answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The number of open files, sockets and pipes.
    pub descriptors: usize,
    /// The RAM without files and shared memory.
    pub private_kib: u64,
    /// The server's shared memory that all its processes use.
    pub shared_bytes: i64,
}
