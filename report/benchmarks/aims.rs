//! The aims for the cost of a request.

use super::results::{Row, Spread};

/// A limit for the CPU time of a request, as a multiple of another side's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aim {
    OfC(f64),
    OfEcho(f64),
}

impl Aim {
    /// The aim for a load, if it has one.
    pub(super) fn of(row: &Row) -> Option<Aim> {
        match row.transport.strip_prefix("json ") {
            Some(transport) => of_json(transport, row),
            None => of_binrpc(row),
        }
    }

    /// The measured value, if there is something to compare with.
    pub(super) fn measured(self, row: &Row) -> Option<Spread> {
        match self {
            Aim::OfC(_) => row.of_c(),
            Aim::OfEcho(_) => Some(row.of_echo()),
        }
    }

    pub(super) fn limit(self) -> f64 {
        match self {
            Aim::OfC(limit) | Aim::OfEcho(limit) => limit,
        }
    }

    /// Whether the median of the rounds is within the limit, to the two digits that are
    /// shown.
    pub(super) fn is_met(self, row: &Row) -> Option<bool> {
        let median = self.measured(row)?.median;
        Some((median * 100.0).round() / 100.0 <= self.limit())
    }
}

fn of_binrpc(row: &Row) -> Option<Aim> {
    match (row.request.as_str(), row.in_flight) {
        ("core.version", 1) => Some(Aim::OfEcho(1.10)),
        (_, 1) => None,
        ("dump of 100", _) => Some(Aim::OfC(0.15)),
        _ => Some(Aim::OfC(match row.transport.as_str() {
            "udp" => 0.85,
            "unix datagram" => 0.75,
            _ => 0.50,
        })),
    }
}

fn of_json(transport: &str, row: &Row) -> Option<Aim> {
    match (transport, row.request.as_str(), row.in_flight) {
        // Over HTTP it is Kamailio's core that reads and writes.
        ("http", "core.version", _) => None,
        (_, "core.version", 1) => Some(Aim::OfEcho(1.15)),
        ("datagram", "core.version", _) => Some(Aim::OfC(0.70)),
        ("datagram", "core.psx", 8) => Some(Aim::OfC(0.50)),
        ("datagram", "dump of 100", 8) => Some(Aim::OfC(0.35)),
        (_, "dump of 100000", _) if row.costs.c.is_some() => Some(Aim::OfC(0.05)),
        _ => None,
    }
}
