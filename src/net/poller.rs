//! The readiness of sockets and pipes, as the system reports it.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};
use slotmap::{DefaultKey, Key, KeyData};

/// The number of events that are taken from the system at once.
const EVENTS: usize = 256;

/// The key of a connection. It is not used again when the connection is closed, so an
/// event that comes late reaches no other connection.
pub(crate) type ConnectionKey = DefaultKey;

/// A source of work: a socket or pipe on which requests come in, by its number, or a
/// connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Ingress(usize),
    Connection(ConnectionKey),
}

impl Source {
    /// The number for epoll. The lower half of a connection's number is the index of
    /// its slot, and never 0. The upper half is free then.
    fn data(self) -> EventData {
        EventData::new_u64(match self {
            Source::Ingress(index) => (index as u64) << 32,
            Source::Connection(key) => key.data().as_ffi(),
        })
    }

    fn of(data: EventData) -> Self {
        let data = data.u64();
        if data as u32 == 0 {
            Source::Ingress((data >> 32) as usize)
        } else {
            Source::Connection(KeyData::from_ffi(data).into())
        }
    }
}

/// A level-triggered epoll.
#[derive(Debug)]
pub(crate) struct Poller(OwnedFd);

impl Poller {
    pub(crate) fn new() -> Result<Self> {
        epoll::create(CreateFlags::CLOEXEC).map(Poller)
    }

    pub(crate) fn add(
        &self,
        file: BorrowedFd<'_>,
        source: Source,
        flags: EventFlags,
    ) -> Result<()> {
        epoll::add(&self.0, file, source.data(), flags)
    }

    pub(crate) fn change(
        &self,
        file: BorrowedFd<'_>,
        source: Source,
        flags: EventFlags,
    ) -> Result<()> {
        epoll::modify(&self.0, file, source.data(), flags)
    }

    pub(crate) fn remove(&self, file: BorrowedFd<'_>) -> Result<()> {
        epoll::delete(&self.0, file)
    }

    /// Waits until something is ready, but no longer than `patience`.
    pub(crate) fn wait(&self, patience: Option<Duration>, events: &mut Events) -> Result<()> {
        let patience = patience.map(|time| Timespec {
            tv_sec: time.as_secs() as i64,
            tv_nsec: time.subsec_nanos().into(),
        });
        events.0.clear();
        match epoll::wait(&self.0, spare_capacity(&mut events.0), patience.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// The events of one call.
pub(crate) struct Events(Vec<Event>);

impl Events {
    pub(crate) fn new() -> Self {
        Events(Vec::with_capacity(EVENTS))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Source, EventFlags)> {
        self.0
            .iter()
            .map(|event| (Source::of(event.data), event.flags))
    }
}

#[cfg(test)]
mod tests {
    use slotmap::SlotMap;

    use super::*;

    #[test]
    fn a_source_comes_back_from_an_event() {
        let mut connections = SlotMap::new();
        let first = connections.insert(());
        connections.remove(first);
        let second = connections.insert(());
        assert_ne!(first, second);
        for source in [
            Source::Ingress(0),
            Source::Ingress(7),
            Source::Connection(first),
            Source::Connection(second),
        ] {
            assert_eq!(Source::of(source.data()), source);
        }
    }
}
