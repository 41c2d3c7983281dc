//! Writing replies that may be too large for their client, for both protocols.

use kamailio::net::Outbox;

/// The text for a client if our own code fails. The engine uses the same words if a
/// command fails in this way.
pub(crate) const FAILURE: &str = "internal server error";

/// Appends a reply with `write`. If the client cannot get it by datagram, it appends a
/// fault that says so with `write_fault`, because a reply is never cut. `in_pieces` is
/// the number of bytes that clients of this protocol reassemble from several datagrams,
/// or 0 if they do not.
pub(crate) fn write_bounded(
    outbox: &mut Outbox<'_>,
    in_pieces: usize,
    write: impl FnOnce(&mut Vec<u8>),
    write_fault: impl FnOnce(&mut Vec<u8>, &str),
) {
    let start = outbox.buffer().len();
    write(outbox.buffer());
    if let Err(too_large) = outbox.check_reply_in_pieces(start, in_pieces) {
        outbox.buffer().truncate(start);
        let reason = format!("{too_large}; ask through a stream socket (unix: or tcp:)");
        write_fault(outbox.buffer(), &reason);
    }
}
