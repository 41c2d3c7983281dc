//! The open connections, for commands that list them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::listen::Endpoint;
use crate::peer::Peer;

/// An open connection.
#[derive(Clone, Debug)]
pub struct OpenConnection {
    /// The endpoint at which it came in.
    pub listener: Arc<Endpoint>,
    /// The other end of the connection.
    pub peer: Peer,
}

/// The connections by their age. It is `None` if this process serves nobody.
static CONNECTIONS: Mutex<Option<BTreeMap<u64, OpenConnection>>> = Mutex::new(None);

/// The open stream connections of this process, oldest first. It is `None` if this is
/// not the process that serves them.
#[must_use]
pub fn open_connections() -> Option<Vec<OpenConnection>> {
    let connections = CONNECTIONS.lock();
    Some(connections.as_ref()?.values().cloned().collect())
}

/// Notes that this process serves connections from now on.
pub(crate) fn start() {
    CONNECTIONS.lock().get_or_insert_default();
}

/// The entry of a connection, which goes with it.
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
