//! The number of connections, and the choice of those that must make room.

use std::cmp::Reverse;
use std::sync::Arc;

use kamailio_core::log;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits;
use crate::listen::Endpoint;

/// The number of connections that a process may have.
///
/// Anybody who can send packets to a port can open connections and leave them idle. So
/// a part of the places is for Unix sockets, through which administrators come in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// The number of all connections.
    pub(crate) all: usize,
    /// The number of connections from the network.
    pub(crate) remote: usize,
}

impl Capacity {
    fn new(all: usize) -> Self {
        let reserve = (all / 8).clamp(all.min(1), limits::RESERVED_CONNECTIONS);
        Capacity {
            all,
            remote: all - reserve,
        }
    }

    /// A reasonable number, or what the system allows this process to have open.
    pub(crate) fn of_this_process() -> Self {
        let wanted = limits::CONNECTIONS as u64 + limits::SPARE_DESCRIPTORS;
        raise_descriptors(wanted);
        let current = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
        let room = current.saturating_sub(open_descriptors() + spare_descriptors(current));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        Capacity::new(limits::CONNECTIONS.min(room))
    }
}

fn raise_descriptors(wanted: u64) {
    let now = getrlimit(Resource::Nofile);
    let allowed = now.maximum.map_or(wanted, |maximum| maximum.min(wanted));
    if now.current.is_some_and(|current| current < allowed) {
        let raised = Rlimit {
            current: Some(allowed),
            maximum: now.maximum,
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            log!(Warning, "cannot have {allowed} descriptors open: {error}");
        }
    }
}

/// The number of descriptors that are left to the rest of a process that may have this
/// many. If there are few, a larger part of them is for clients.
fn spare_descriptors(current: u64) -> u64 {
    /// A reply pipe needs one, so does a file that a command opens, and a client that
    /// is refused.
    const LEAST: u64 = 4;
    (current / 16).clamp(LEAST, limits::SPARE_DESCRIPTORS)
}

/// The number of descriptors that this process has open already.
fn open_descriptors() -> u64 {
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count() as u64)
}

/// A connection from the network that may have to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<K> {
    pub(crate) key: K,
    /// The time of its last use; a lower number is longer ago.
    pub(crate) used: u64,
}

/// Finds the connection that makes room for a new one at the listener `newcomer`.
/// `open` has the listener of each connection, and for those that may have to go also
/// their last use.
///
/// The listener with the most connections gives up the one on which nothing has
/// happened for longest. No listener makes room for one that has more connections than
/// itself.
pub(crate) fn who_makes_room<'a, K: Copy>(
    newcomer: &Arc<Endpoint>,
    open: impl Iterator<Item = (&'a Arc<Endpoint>, Option<Candidate<K>>)> + Clone,
) -> Option<Candidate<K>> {
    let mut shares: Vec<(&Arc<Endpoint>, usize)> = Vec::new();
    for (listener, _) in open.clone() {
        match shares
            .iter_mut()
            .find(|(other, _)| Arc::ptr_eq(other, listener))
        {
            Some((_, share)) => *share += 1,
            None => shares.push((listener, 1)),
        }
    }
    let share_of = |listener: &Arc<Endpoint>| {
        let share = shares
            .iter()
            .find(|(other, _)| Arc::ptr_eq(other, listener));
        share.map_or(0, |(_, share)| *share)
    };
    let least = if newcomer.listen.transport.is_inet() {
        share_of(newcomer)
    } else {
        0
    };
    open.filter_map(|(listener, candidate)| Some((share_of(listener), candidate?)))
        .filter(|(share, _)| *share >= least)
        .max_by_key(|(share, it)| (*share, Reverse(it.used)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use rpc_wire::listen::{Flavour, Listen};

    use super::*;

    fn endpoint(address: &str) -> Arc<Endpoint> {
        let listen = Listen::parse(address, Flavour::BINRPC).expect("an address");
        Arc::new(Endpoint::resolve(listen, 2049, "test").expect("a number"))
    }

    /// The number of the connection that goes, of those with these names of listeners;
    /// one in capitals may not go.
    fn goes(newcomer: char, open: &str) -> Option<usize> {
        let a = endpoint("tcp:127.0.0.1:1");
        let b = endpoint("tcp:127.0.0.1:2");
        let unix = endpoint("unix:/tmp/x");
        let named = |name: char| match name.to_ascii_lowercase() {
            'a' => &a,
            'b' => &b,
            _ => &unix,
        };
        let connections: Vec<_> = open
            .chars()
            .enumerate()
            .map(|(number, name)| {
                let candidate = name.is_lowercase().then_some(Candidate {
                    key: number,
                    used: number as u64,
                });
                (named(name), candidate)
            })
            .collect();
        who_makes_room(named(newcomer), connections.iter().copied()).map(|it| it.key)
    }

    #[test]
    fn who_was_silent_longest_goes() {
        assert_eq!(goes('a', "AAaa"), Some(2));
        assert_eq!(goes('u', "UUAa"), Some(3));
        assert_eq!(goes('a', "aaaa"), Some(0));
    }

    #[test]
    fn who_may_not_go_stays() {
        assert_eq!(goes('a', "AAAU"), None);
        assert_eq!(goes('u', ""), None);
    }

    #[test]
    fn the_listener_with_most_connections_makes_room() {
        assert_eq!(goes('a', "baaa"), Some(1));
        assert_eq!(goes('b', "baaa"), Some(1));
        // It has most connections already, and no other listener makes room for it.
        assert_eq!(goes('a', "bAAA"), None);
        assert_eq!(goes('b', "bAAA"), Some(0));
        assert_eq!(goes('u', "bAAA"), Some(0));
    }

    #[test]
    fn a_part_of_the_places_is_not_for_the_network() {
        for (all, remote) in [(0, 0), (1, 0), (8, 7), (40, 35), (16_384, 16_320)] {
            let capacity = Capacity::new(all);
            assert_eq!((capacity.all, capacity.remote), (all, remote));
        }
    }

    #[test]
    fn few_descriptors_are_mostly_for_clients() {
        for (current, spare) in [(64, 4), (70, 4), (160, 10), (1024, 64), (20_000, 64)] {
            assert_eq!(spare_descriptors(current), spare);
        }
    }
}
