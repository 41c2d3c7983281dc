//! What is ready, as the system tells it.

use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::{Errno, Result};

use crate::slab::Key;

/// Events taken from the system at once.
const EVENTS: usize = 256;

/// Who has something to do: a place where requests come in, by its number, or a
/// connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Entrance(usize),
    Connection(Key),
}

impl Source {
    const ENTRANCE: u64 = 1 << 63;

    fn data(self) -> EventData {
        EventData::new_u64(match self {
            Source::Entrance(index) => index as u64 | Self::ENTRANCE,
            Source::Connection(key) => key.to_bits(),
        })
    }

    fn of(data: EventData) -> Self {
        let data = data.u64();
        if data & Self::ENTRANCE != 0 {
            Source::Entrance((data & !Self::ENTRANCE) as usize)
        } else {
            Source::Connection(Key::from_bits(data))
        }
    }
}

/// An epoll, level-triggered.
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

    /// Waits until something is ready, for `patience` at most.
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

/// What one look showed.
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
