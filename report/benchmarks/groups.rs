//! Results by transport, in the order of the page and of the chart.

use super::results::{Results, Row};

/// The transports by the names in the rows and by their titles for readers, in the
/// order of the page.
const TRANSPORTS: [(&str, &str); 8] = [
    ("unix stream", "BINRPC, Unix stream"),
    ("tcp", "BINRPC, TCP"),
    ("unix datagram", "BINRPC, Unix datagram"),
    ("udp", "BINRPC, UDP"),
    ("json datagram", "JSON-RPC, Unix datagram"),
    ("json fifo", "JSON-RPC, named pipe"),
    ("json http", "JSON-RPC, HTTP"),
    ("json tcp", "JSON-RPC, TCP"),
];

/// The title of a transport, and its rows.
pub(super) type Group<'a> = (&'static str, Vec<&'a Row>);

/// The rows of each transport that has any.
pub(super) fn by_transport(results: &Results) -> Vec<Group<'_>> {
    let group = |(name, title): (&str, &'static str)| {
        let rows: Vec<&Row> = results
            .rows
            .iter()
            .filter(|row| row.transport == name)
            .collect();
        (!rows.is_empty()).then_some((title, rows))
    };
    TRANSPORTS.into_iter().filter_map(group).collect()
}
