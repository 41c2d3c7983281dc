//! The open connections, for commands that list them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::listen::Endpoint;
use crate::peer::Peer;

/// An open connection.
#[derive(Clone, Debug)]
pub struct OpenConnection {
    /// The socket it came to.
    pub listener: Arc<Endpoint>,
    /// Who it is.
    pub peer: Peer,
}

/// Connections by their age; none where this process serves nobody.
static CONNECTIONS: Mutex<Option<BTreeMap<u64, OpenConnection>>> = Mutex::new(None);

/// The open stream connections of this process, oldest first, or none if it
/// is not the one that serves them.
#[must_use]
pub fn open_connections() -> Option<Vec<OpenConnection>> {
    let connections = CONNECTIONS.lock();
    Some(connections.as_ref()?.values().cloned().collect())
}

/// This process serves connections from now on.
pub(crate) fn start() {
    CONNECTIONS.lock().get_or_insert_default();
}

/// A connection's entry, gone with it.
#[derive(Debug)]
pub(crate) struct Entry(u64);

impl Entry {
    pub(crate) fn new(connection: OpenConnection) -> Self {
        let mut connections = CONNECTIONS.lock();
        let connections = connections.get_or_insert_default();
        let next = connections.last_key_value().map_or(0, |(last, _)| last + 1);
        connections.insert(next, connection);
        Entry(next)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(connections) = CONNECTIONS.lock().as_mut() {
            connections.remove(&self.0);
        }
    }
}
