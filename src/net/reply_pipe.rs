//! Named pipes that clients make for their replies.
//!
//! A client names its pipe, and anybody may have put something else in its
//! place: the file must be a pipe, with one name, and the one that the path
//! leads to without a link. A client that is late is tried again; others do
//! not wait meanwhile.

use std::collections::HashSet;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use kamailio_core::log_limited;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::{Errno, write};
use rustix::pipe::fcntl_setpipe_size;

use crate::limits;
use crate::queue::wait_writable;

/// Replies on their way into pipes.
#[derive(Debug, Default)]
pub(crate) struct ReplyPipes {
    replies: Vec<PipedReply>,
    bytes: usize,
    /// When those that wait are tried again.
    next_try: Option<Instant>,
}

#[derive(Debug)]
struct PipedReply {
    pipe: PathBuf,
    /// What is not sent.
    bytes: Bytes,
    /// How much there was.
    size: usize,
    file: Option<File>,
    /// Since when the client does nothing.
    since: Instant,
}

/// Whether a reply is off our hands.
enum Outcome {
    Sent,
    Waits,
    Lost(String),
}

impl ReplyPipes {
    /// Whether replies are to be tried again.
    pub(crate) fn holds(&self) -> bool {
        !self.replies.is_empty()
    }

    /// Sends a reply, now or later.
    pub(crate) fn send(&mut self, pipe: PathBuf, bytes: Vec<u8>) {
        if self.bytes + bytes.len() > limits::HELD_PIPED || self.replies.len() >= limits::PIPES {
            log_limited!(
                Error,
                "too many replies wait for named pipes; the one for {} is lost",
                pipe.display()
            );
            return;
        }
        self.bytes += bytes.len();
        self.replies.push(PipedReply {
            pipe,
            size: bytes.len(),
            bytes: bytes.into(),
            file: None,
            since: Instant::now(),
        });
        let now = Instant::now();
        let reply = self.replies.len() - 1;
        let (others, last) = self.replies.split_at_mut(reply);
        // Others may have to wait for this pipe's reader, or come first.
        if others.iter().all(|other| other.pipe != last[0].pipe) {
            let outcome = last[0].work(now);
            self.settle(reply, outcome);
        }
        self.next_try = self.next_try.or(Some(now + limits::RETRY));
    }

    /// Goes on with the replies, if it is time to.
    pub(crate) fn work_in_time(&mut self, now: Instant) {
        if self.next_try.is_some_and(|next| now >= next) {
            self.work(now);
            self.next_try = self.holds().then(|| now + limits::RETRY);
        }
    }

    /// Forgets a reply that is off our hands.
    fn settle(&mut self, index: usize, outcome: Outcome) {
        let reason = match outcome {
            Outcome::Waits => return,
            Outcome::Sent => None,
            Outcome::Lost(reason) => Some(reason),
        };
        let reply = self.replies.remove(index);
        self.bytes -= reply.size;
        if let Some(reason) = reason {
            log_limited!(Warning, "no reply to {}: {reason}", reply.pipe.display());
        }
    }

    /// Goes on with every reply, in their order for each pipe.
    pub(crate) fn work(&mut self, now: Instant) {
        let mut busy: HashSet<PathBuf> = HashSet::new();
        let mut waiting = Vec::with_capacity(self.replies.len());
        for mut reply in self.replies.drain(..) {
            let outcome = if busy.contains(&reply.pipe) {
                reply.since = now;
                Outcome::Waits
            } else {
                reply.work(now)
            };
            match outcome {
                Outcome::Waits => {
                    busy.insert(reply.pipe.clone());
                    waiting.push(reply);
                }
                Outcome::Sent => self.bytes -= reply.size,
                Outcome::Lost(reason) => {
                    self.bytes -= reply.size;
                    log_limited!(Warning, "no reply to {}: {reason}", reply.pipe.display());
                }
            }
        }
        self.replies = waiting;
    }

    /// Waits a little for clients that are late.
    pub(crate) fn flush(&mut self) {
        let start = Instant::now();
        while self.holds() && start.elapsed() < limits::FLUSH {
            let file = self.replies.iter().find_map(|reply| reply.file.as_ref());
            match file {
                Some(file) => {
                    wait_writable(file.as_fd(), limits::RETRY);
                }
                None => std::thread::sleep(limits::RETRY),
            }
            self.work(Instant::now());
        }
    }
}

impl PipedReply {
    fn work(&mut self, now: Instant) -> Outcome {
        if self.file.is_none() {
            match open(&self.pipe) {
                Ok(file) => {
                    if self.bytes.len() > limits::PIPE_USUAL {
                        // It is filled once in a while, see `limits::RETRY`, so
                        // a large reply wants a large pipe. Without, it takes
                        // longer.
                        let _ = fcntl_setpipe_size(&file, limits::PIPE_LARGE);
                    }
                    self.file = Some(file);
                    self.since = now;
                }
                Err(OpenFailure::NoReader) => {
                    return self.patient(now, limits::PIPE_READER, "nobody reads from it");
                }
                Err(OpenFailure::Refused(reason)) => return Outcome::Lost(reason),
            }
        }
        self.write(now)
    }

    fn write(&mut self, now: Instant) -> Outcome {
        let Some(file) = &self.file else {
            return Outcome::Waits;
        };
        while self.bytes.has_remaining() {
            match write(file, &self.bytes) {
                Ok(count) => {
                    self.bytes.advance(count);
                    self.since = now;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    return self.patient(now, limits::PIPE_STALLED, "its reader takes no more");
                }
                Err(error) => return Outcome::Lost(error.to_string()),
            }
        }
        Outcome::Sent
    }

    fn patient(&self, now: Instant, limit: Duration, reason: &str) -> Outcome {
        if now.saturating_duration_since(self.since) < limit {
            Outcome::Waits
        } else {
            Outcome::Lost(reason.to_owned())
        }
    }
}

/// The client's pipe of this name in the directory for reply pipes, unless the
/// name could lead out of it. The C modules take no dot either.
#[must_use]
pub fn pipe_in(directory: &Path, name: &[u8]) -> Option<PathBuf> {
    let name = std::str::from_utf8(name).ok()?;
    let is_plain = !name.is_empty() && !name.contains(['.', '/', '\\', '\0']);
    is_plain.then(|| directory.join(name))
}

enum OpenFailure {
    NoReader,
    Refused(String),
}

fn open(path: &Path) -> Result<File, OpenFailure> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => match check(path, &file) {
            Ok(()) => Ok(File::from(file)),
            Err(reason) => Err(OpenFailure::Refused(reason)),
        },
        Err(Errno::NXIO) => Err(OpenFailure::NoReader),
        Err(Errno::LOOP) => Err(OpenFailure::Refused("it is a symbolic link".into())),
        Err(error) => Err(OpenFailure::Refused(error.to_string())),
    }
}

fn check(path: &Path, file: &OwnedFd) -> Result<(), String> {
    let opened = fstat(file).map_err(|error| error.to_string())?;
    if FileType::from_raw_mode(opened.st_mode) != FileType::Fifo {
        return Err("it is not a named pipe".into());
    }
    if opened.st_nlink != 1 {
        return Err(format!("it has {} names", opened.st_nlink));
    }
    let found = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| error.to_string())?;
    if (found.st_dev, found.st_ino) != (opened.st_dev, opened.st_ino) {
        return Err("it was replaced while it was opened".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_pipe_cannot_lead_out_of_its_directory() {
        let place = |name: &[u8]| pipe_in(Path::new("/tmp"), name);
        assert_eq!(place(b"answer_1"), Some(PathBuf::from("/tmp/answer_1")));
        for name in [
            b"".as_slice(),
            b".",
            b"..",
            b"../x",
            b"/etc/x",
            b"a/b",
            b"a\\b",
            b"\xff",
        ] {
            assert_eq!(place(name), None, "{}", name.escape_ascii());
        }
    }
}
