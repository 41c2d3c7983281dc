//! The limits on what a client can take of the server. None of them can be raised from
//! outside.

use std::time::Duration;

/// The longest request, in bytes. The C modules take 65,535. Today's commands with the
/// longest parameters stay far below a megabyte.
pub(crate) const REQUEST: usize = 1024 * 1024;

/// The bytes that are read from a client before others have their turn. A Unix
/// datagram, which is read whole, may have as many by default.
pub(crate) const READ_AT_ONCE: usize = 256 * 1024;

/// The bytes that are written to a client, however fast it reads, before others have
/// their turn.
pub(crate) const WRITE_AT_ONCE: usize = 1024 * 1024;

/// The time for which one client's requests are answered before others have their turn.
/// A command that has begun runs to its end.
pub(crate) const TIME_SLICE: Duration = Duration::from_millis(2);

/// The queued bytes from which on a client gets no further request run until it has
/// taken some. One reply may be larger.
pub(crate) const QUEUE_BEFORE_PAUSE: usize = 1024 * 1024;

/// The bytes that may be queued for all clients together. The client whose reply
/// exceeds them is closed.
pub(crate) const QUEUE_OF_ALL: usize = 512 * 1024 * 1024;

/// The memory, in bytes, that incomplete requests and requests without a turn may take
/// for all connections together. It is enough for 64 of the longest requests at once,
/// or for a hundred thousand of the usual ones. If it is exceeded, the largest
/// incomplete one is refused.
pub(crate) const UNANSWERED_OF_ALL: usize = 64 * 1024 * 1024;

/// The decrease of the clients' memory, in bytes, after which what they have left
/// behind is returned to the system.
pub(crate) const WORTH_GIVING_BACK: usize = 8 * 1024 * 1024;

/// The time for which a request may stay incomplete. Between requests a client may be
/// silent as long as it likes.
pub(crate) const HALF_REQUEST: Duration = Duration::from_secs(30);

/// The time for which an incomplete request in a named pipe may wait after its last
/// byte while nobody has the pipe open for writing. A client that writes in pieces may
/// open it for each of them.
pub(crate) const WRITER_GONE: Duration = Duration::from_secs(2);

/// The time for which a client may take nothing at all of what is queued for it.
pub(crate) const STALLED: Duration = Duration::from_secs(30);

/// The time for which a refused client may continue to send before its connection is
/// closed.
pub(crate) const DRAINING: Duration = Duration::from_secs(2);

/// The time for which a command that sends its reply itself, such as `core.kill`, waits
/// for a client to take it.
pub(crate) const FLUSH: Duration = Duration::from_millis(200);

/// The most connections that one process serves, if its descriptors allow it.
pub(crate) const CONNECTIONS: usize = 16 * 1024;

/// The most connections that are reserved for clients of Unix sockets.
pub(crate) const RESERVED_CONNECTIONS: usize = 64;

/// The descriptors that are left to the rest of the process, if it may have many.
pub(crate) const SPARE_DESCRIPTORS: u64 = 64;

/// The time for which a listener rests if the process or the host is out of
/// descriptors.
pub(crate) const REST: Duration = Duration::from_millis(100);

/// The longest reply in a UDP datagram over IPv4 and over IPv6, in bytes, which the
/// length fields of the packet determine.
pub(crate) const UDP4_REPLY: usize = 65_507;
pub(crate) const UDP6_REPLY: usize = 65_487;

/// The longest reply in a Unix datagram, in bytes, if the socket's send buffer is large
/// enough. The system needs the memory of a datagram in one piece, and has no larger
/// pieces.
pub(crate) const UNIX_DATAGRAM_REPLY: usize = 4 * 1024 * 1024;

/// The bytes of a socket's send buffer that a Unix datagram cannot use, according to
/// `unix(7)`.
pub(crate) const UNIX_DATAGRAM_OVERHEAD: usize = 32;

/// The bytes, with 256 for each reply, that may wait for datagram clients of one socket
/// that take no more, and the time for which they may.
pub(crate) const PENDING_DATAGRAMS: usize = 16 * 1024 * 1024;
pub(crate) const DATAGRAM_PATIENCE: Duration = Duration::from_secs(1);

/// The system's memory, in bytes for one socket, that Unix datagrams may take which
/// clients have not read, if the system allows as much.
pub(crate) const UNREAD_DATAGRAMS: usize = 16 * 1024 * 1024;

/// The bytes and the number of replies that may wait for reply pipes.
pub(crate) const PENDING_PIPED: usize = 256 * 1024 * 1024;
pub(crate) const PIPES: usize = 1024;

/// The bytes that a pipe holds by default, and those that any process may ask for.
pub(crate) const PIPE_USUAL: usize = 64 * 1024;
pub(crate) const PIPE_LARGE: usize = 1024 * 1024;

/// The time for which a reply pipe may be without a reader. The C module tries four
/// times and waits 80 ms in between.
pub(crate) const PIPE_READER: Duration = Duration::from_millis(320);

/// The number of processes that may share an endpoint. The whole server must plan and
/// fork each of them; those that serve SIP are a few dozen.
pub(crate) const PROCESSES: u32 = 1024;

/// The time for which the reader of a reply pipe may take nothing. The C module, and
/// everybody else with it, waits a fifth of a second. Here nobody else waits, and a
/// shell on a busy host may be late.
pub(crate) const PIPE_PATIENCE: Duration = Duration::from_secs(2);

/// The interval at which replies are tried again for which no event will come.
pub(crate) const RETRY: Duration = Duration::from_millis(10);

/// The number of clients whose replies are tried again each time, of those that wait at
/// one socket or for reply pipes. A try takes one or two microseconds, so others hardly
/// notice, however many wait.
pub(crate) const RETRIED_AT_ONCE: usize = 128;
