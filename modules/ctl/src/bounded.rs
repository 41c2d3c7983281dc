//! What the protocols have in common when a reply cannot be given as it is.

use kamailio::net::Outbox;

/// What a client is told when our own code fails: the words of the engine, which
/// says so where a command does.
pub(crate) const FAILURE: &str = "internal server error";

/// Appends a reply with `write`, or if the client cannot get it by datagram the
/// fault that says so with `write_fault`: a reply is never cut. `in_pieces` is how
/// many bytes clients of this protocol put together from several datagrams, 0 if
/// they do not.
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
