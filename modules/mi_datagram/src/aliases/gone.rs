//! Old names for which today's Kamailio has no command.

/// The name and the reason, as the documentation and the log give it.
pub(super) const GONE: &[(&str, &str)] = &[
    (
        "conference_reset",
        "presence_conference lost it with the Management Interface and has no RPC command",
    ),
    (
        "dum",
        "it did nothing: presence_xml had it only to prepare its process",
    ),
    (
        "forward_filter",
        "utils has no RPC command, and its forwarding rules cannot be set any more",
    ),
    (
        "forward_list",
        "utils has no RPC command, and its forwarding rules cannot be set any more",
    ),
    (
        "forward_proxy",
        "utils has no RPC command, and its forwarding rules cannot be set any more",
    ),
    (
        "forward_switch",
        "utils has no RPC command, and its forwarding rules cannot be set any more",
    ),
    (
        "loc_nr_refresh",
        "p_usrloc lost it with the Management Interface and has no RPC command",
    ),
    (
        "loc_refresh",
        "p_usrloc lost it with the Management Interface and has no RPC command",
    ),
];

/// The reason why an old name has no counterpart, if it has none.
pub(crate) fn reason_gone(name: &[u8]) -> Option<&'static str> {
    GONE.iter()
        .find(|(gone, _)| gone.as_bytes() == name)
        .map(|(_, reason)| *reason)
}
