//! What a client can take of us at most. None of these can be raised from
//! outside.

use std::time::Duration;

/// The longest request, in bytes. The C modules take 65,535; today's commands
/// with the longest parameters stay far below a megabyte.
pub(crate) const REQUEST: usize = 1024 * 1024;

/// How much is read from a client before others have their turn, in bytes.
/// A Unix datagram, which is read whole, may have as many by default.
pub(crate) const READ_AT_ONCE: usize = 256 * 1024;

/// How much is written to a client, however fast it reads, before others have
/// their turn, in bytes.
pub(crate) const WRITE_AT_ONCE: usize = 1024 * 1024;

/// How long one client's requests are answered before others have their turn. A
/// command that has begun runs to its end.
pub(crate) const TIME_SLICE: Duration = Duration::from_millis(2);

/// A client that has more than this waiting to be sent, in bytes, gets no
/// further request run until it has taken it. One reply may be larger.
pub(crate) const QUEUE_BEFORE_PAUSE: usize = 1024 * 1024;

/// What may wait to be sent to all clients together, in bytes. The client whose
/// reply goes beyond it is closed.
pub(crate) const QUEUE_OF_ALL: usize = 512 * 1024 * 1024;

/// What requests that are incomplete, or have not had their turn, may take of
/// memory for all connections together, in bytes. It is room for 64 of the longest
/// requests at once, and for a hundred thousand of the usual ones. Where it is
/// exceeded, the largest incomplete one is refused.
pub(crate) const UNANSWERED_OF_ALL: usize = 64 * 1024 * 1024;

/// When clients hold so much less memory than they did before, in bytes, what they
/// have left behind is given back to the system.
pub(crate) const WORTH_GIVING_BACK: usize = 8 * 1024 * 1024;

/// How long a request may stay incomplete. Between requests a client may be
/// silent as long as it likes.
pub(crate) const HALF_REQUEST: Duration = Duration::from_secs(30);

/// How long an incomplete request in a named pipe may wait after its last byte when
/// nobody has the pipe open for writing. Whoever writes in pieces may open it for
/// each of them.
pub(crate) const WRITER_GONE: Duration = Duration::from_secs(2);

/// How long a client may take nothing at all of what waits for it.
pub(crate) const STALLED: Duration = Duration::from_secs(30);

/// How long a client that was refused may go on sending before its connection
/// is closed.
pub(crate) const DRAINING: Duration = Duration::from_secs(2);

/// How long a command that sends its reply itself, such as `core.kill`, waits
/// for a client to take it.
pub(crate) const FLUSH: Duration = Duration::from_millis(200);

/// The most connections one process serves, if its descriptors allow.
pub(crate) const CONNECTIONS: usize = 16 * 1024;

/// The most of them that only clients at Unix sockets may have.
pub(crate) const RESERVED_CONNECTIONS: usize = 64;

/// Descriptors that are left to the rest of the process, if it may have many.
pub(crate) const SPARE_DESCRIPTORS: u64 = 64;

/// How long a listener rests when the process or the host is out of
/// descriptors.
pub(crate) const REST: Duration = Duration::from_millis(100);

/// The longest reply in a UDP datagram over IPv4 and over IPv6, in bytes: what
/// the lengths in the packet can say.
pub(crate) const UDP4_REPLY: usize = 65_507;
pub(crate) const UDP6_REPLY: usize = 65_487;

/// The longest reply in a Unix datagram, in bytes, where the send buffer of the
/// socket has room for it: the system wants the memory of a datagram in one piece,
/// and has none that are larger.
pub(crate) const UNIX_DATAGRAM_REPLY: usize = 4 * 1024 * 1024;

/// What of a socket's send buffer a Unix datagram cannot have, in bytes; `unix(7)`
/// says so.
pub(crate) const UNIX_DATAGRAM_OVERHEAD: usize = 32;

/// What may wait for datagram clients of one socket that take no more, in
/// bytes with 256 for each reply, and how long.
pub(crate) const PENDING_DATAGRAMS: usize = 16 * 1024 * 1024;
pub(crate) const DATAGRAM_PATIENCE: Duration = Duration::from_secs(1);

/// How much of the system's memory may be taken by Unix datagrams that clients
/// have not read, in bytes for one socket, if the system lets us have as much.
pub(crate) const UNREAD_DATAGRAMS: usize = 16 * 1024 * 1024;

/// What may wait for reply pipes, in bytes and in number.
pub(crate) const PENDING_PIPED: usize = 256 * 1024 * 1024;
pub(crate) const PIPES: usize = 1024;

/// What a pipe holds if nobody asks for more, and what anybody may ask for, in
/// bytes.
pub(crate) const PIPE_USUAL: usize = 64 * 1024;
pub(crate) const PIPE_LARGE: usize = 1024 * 1024;

/// How long a reply pipe may be without a reader: the C module tries four times
/// and waits 80 ms between.
pub(crate) const PIPE_READER: Duration = Duration::from_millis(320);

/// How many processes may share a place to listen. Each is one for the whole
/// server to plan and fork; those that serve SIP are a few dozen.
pub(crate) const PROCESSES: u32 = 1024;

/// How long the reader of a reply pipe may take nothing. The C module waits a fifth of
/// a second with everybody else; nobody else waits here, and a shell on a busy host
/// may be late.
pub(crate) const PIPE_PATIENCE: Duration = Duration::from_secs(2);

/// How often replies are tried again for which no event will come.
pub(crate) const RETRY: Duration = Duration::from_millis(10);

/// How many clients have their replies tried again each time, of those that
/// wait at one socket or for reply pipes. A try takes one or two microseconds, so
/// however many wait, others hardly notice.
pub(crate) const RETRIED_AT_ONCE: usize = 128;
