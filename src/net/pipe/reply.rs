//! Named pipes that clients make for their replies.
//!
//! A client names its pipe, and anybody may have put something else in its place. So
//! the file must be a pipe, with one name, and not reached through a link. A client
//! that is late is tried again, and others do not wait for it.

use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use kamailio_core::log_limited;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, StatxFlags, openat, statx};
use rustix::io::{Errno, write};
use rustix::pipe::fcntl_setpipe_size;

use crate::fair_queues::FairQueues;
use crate::headroom;
use crate::limits;
use crate::wait::wait_writable;

/// Replies on their way into pipes.
#[derive(Debug, Default)]
pub(crate) struct ReplyPipes {
    replies: FairQueues<PathBuf, PendingReply>,
    waiting: Waiting,
}

/// The number and the bytes of the replies that wait.
#[derive(Debug, Default)]
struct Waiting {
    replies: usize,
    bytes: usize,
}

#[derive(Debug)]
struct PendingReply {
    /// The bytes that are not sent yet.
    bytes: Bytes,
    /// The bytes that there were in all.
    size: usize,
    file: Option<File>,
    /// The time since which the client does nothing, once it is this reply's turn.
    since: Option<Instant>,
}

/// Whether a reply is finished, in one way or another.
enum Outcome {
    Sent,
    Waits,
    Lost(String),
}

impl ReplyPipes {
    /// Whether replies have to be tried again.
    pub(crate) fn holds(&self) -> bool {
        !self.replies.is_empty()
    }

    /// Sends a reply, now or later.
    pub(crate) fn send(&mut self, pipe: PathBuf, bytes: Vec<u8>) {
        if bytes.len() > limits::PENDING_PIPED {
            return report_no_room(&pipe);
        }
        let mut reply = PendingReply::new(bytes);
        // Earlier replies for this pipe come first.
        if !self.replies.has(&pipe) && reply.is_done(&pipe, Instant::now()) {
            return;
        }
        if !self.make_room_for(&reply) || !headroom::allows_keeping(0) {
            return report_no_room(&pipe);
        }
        self.waiting.add(reply.size);
        self.replies.push(pipe, reply);
    }

    /// Gives up replies whose pipes have no reader, until there is room for this one,
    /// because a client that is gone must not cost another its reply. It returns
    /// whether there is room.
    fn make_room_for(&mut self, reply: &PendingReply) -> bool {
        while !self.waiting.has_room_for(reply.size) {
            let Some(pipe) = self.most_dispensable(reply) else {
                return false;
            };
            let waiting = &mut self.waiting;
            self.replies.serve_now(&pipe, |_, queue| {
                if let Some(given_up) = queue.pop_front() {
                    waiting.remove(given_up.size);
                }
            });
            log_limited!(
                Warning,
                "no reply to {}: nobody reads from it, and too many replies wait",
                pipe.display()
            );
        }
        true
    }

    /// The pipe without a reader whose reply has waited longest. If there are too many
    /// bytes, it is the one with the most of them.
    fn most_dispensable(&self, newcomer: &PendingReply) -> Option<PathBuf> {
        let absent = self.replies.fronts().filter(|(_, it)| it.file.is_none());
        let found = if self.waiting.are_too_many() {
            absent.min_by_key(|(_, it)| it.since)
        } else {
            let largest = absent.max_by_key(|(_, it)| it.size);
            largest.filter(|(_, it)| newcomer.file.is_some() || it.size > newcomer.size)
        };
        found.map(|(pipe, _)| pipe.clone())
    }

    /// Tries again what waits.
    pub(crate) fn retry(&mut self, now: Instant) {
        let waiting = &mut self.waiting;
        self.replies
            .serve_in_turn(limits::RETRIED_AT_ONCE, |pipe, queue| {
                waiting.send_some(pipe, queue, now);
            });
    }

    fn work_on(&mut self, pipe: &PathBuf) {
        let waiting = &mut self.waiting;
        self.replies.serve_now(pipe, |pipe, queue| {
            waiting.send_some(pipe, queue, Instant::now());
        });
    }

    /// Waits a little for a client that is late.
    pub(crate) fn flush(&mut self, pipe: &PathBuf) {
        let start = Instant::now();
        while self.replies.has(pipe) && start.elapsed() < limits::FLUSH {
            let file = self
                .replies
                .front(pipe)
                .and_then(|reply| reply.file.as_ref());
            match file {
                Some(file) => {
                    wait_writable(file.as_fd(), limits::RETRY);
                }
                None => std::thread::sleep(limits::RETRY),
            }
            self.work_on(pipe);
        }
    }
}

impl Waiting {
    fn has_room_for(&self, bytes: usize) -> bool {
        !self.are_too_many() && self.bytes + bytes <= limits::PENDING_PIPED
    }

    fn are_too_many(&self) -> bool {
        self.replies >= limits::PIPES
    }

    fn add(&mut self, bytes: usize) {
        self.replies += 1;
        self.bytes += bytes;
    }

    fn remove(&mut self, bytes: usize) {
        self.replies -= 1;
        self.bytes -= bytes;
    }

    /// Sends what the pipe takes, and gives up what has waited for too long.
    fn send_some(&mut self, pipe: &Path, queue: &mut VecDeque<PendingReply>, now: Instant) {
        while let Some(reply) = queue.front_mut() {
            if !reply.is_done(pipe, now) {
                return;
            }
            self.remove(reply.size);
            queue.pop_front();
        }
    }
}

impl PendingReply {
    fn new(bytes: Vec<u8>) -> Self {
        PendingReply {
            size: bytes.len(),
            bytes: bytes.into(),
            file: None,
            since: None,
        }
    }

    /// Continues with the reply, and returns whether it is finished, in one way or
    /// another.
    fn is_done(&mut self, pipe: &Path, now: Instant) -> bool {
        match self.work(pipe, now) {
            Outcome::Waits => false,
            Outcome::Sent => true,
            Outcome::Lost(reason) => {
                log_limited!(Warning, "no reply to {}: {reason}", pipe.display());
                true
            }
        }
    }

    fn work(&mut self, pipe: &Path, now: Instant) -> Outcome {
        self.since.get_or_insert(now);
        if self.file.is_none() {
            match open(pipe) {
                Ok(file) => {
                    if self.bytes.len() > limits::PIPE_USUAL {
                        // A pipe is filled only at intervals, see `limits::RETRY`, so a
                        // large reply needs a large pipe. Without one it takes longer.
                        let _ = fcntl_setpipe_size(&file, limits::PIPE_LARGE);
                    }
                    self.file = Some(file);
                    self.since = Some(now);
                }
                Err(OpenFailure::NoReader) => {
                    return self.patient(now, limits::PIPE_READER, "nobody reads from it");
                }
                Err(OpenFailure::NoDescriptor(error)) => {
                    // The last of those that hold a descriptor may have got it just
                    // now.
                    let limit = limits::PIPE_PATIENCE + limits::PIPE_READER;
                    return self.patient(now, limit, &error.to_string());
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
        // With a fast reader this could go on for long.
        let end = self.bytes.len().saturating_sub(limits::WRITE_AT_ONCE);
        while self.bytes.len() > end {
            match write(file, &self.bytes) {
                Ok(count) => {
                    self.bytes.advance(count);
                    self.since = Some(now);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    return self.patient(now, limits::PIPE_PATIENCE, "its reader takes no more");
                }
                Err(error) => return Outcome::Lost(error.to_string()),
            }
        }
        if self.bytes.is_empty() {
            Outcome::Sent
        } else {
            Outcome::Waits
        }
    }

    fn patient(&self, now: Instant, limit: Duration, reason: &str) -> Outcome {
        let waited = self.since.map(|since| now.saturating_duration_since(since));
        if waited.is_some_and(|waited| waited >= limit) {
            Outcome::Lost(reason.to_owned())
        } else {
            Outcome::Waits
        }
    }
}

fn report_no_room(pipe: &Path) {
    log_limited!(
        Error,
        "too many replies wait for named pipes; the one for {} is lost",
        pipe.display()
    );
}

/// The client's pipe of this name in the directory for reply pipes, unless the name
/// could lead out of it. The C modules accept no dot either.
#[must_use]
pub fn pipe_in(directory: &Path, name: &[u8]) -> Option<PathBuf> {
    let name = std::str::from_utf8(name).ok()?;
    let is_plain = !name.is_empty() && !name.contains(['.', '/', '\\', '\0']);
    is_plain.then(|| directory.join(name))
}

enum OpenFailure {
    NoReader,
    /// Other replies have all of them, and will release them soon.
    NoDescriptor(Errno),
    Refused(String),
}

/// Opens a pipe. It never follows a link in the last part of the path, and what it
/// opens is checked itself, so it does not matter what is put in its place meanwhile.
fn open(path: &Path) -> Result<File, OpenFailure> {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(CWD, path, flags, Mode::empty()) {
        Ok(file) => match check(&file) {
            Ok(()) => Ok(File::from(file)),
            Err(reason) => Err(OpenFailure::Refused(reason)),
        },
        Err(Errno::NXIO) => Err(OpenFailure::NoReader),
        Err(error @ (Errno::MFILE | Errno::NFILE)) => Err(OpenFailure::NoDescriptor(error)),
        Err(Errno::LOOP) => Err(OpenFailure::Refused("it is a symbolic link".into())),
        Err(error) => Err(OpenFailure::Refused(error.to_string())),
    }
}

/// Checks an open file. It asks for nothing else, because Linux from 6.13 on writes a
/// file's times to the disk's inode with the next byte in the pipe once they were read,
/// which takes longer than all of this.
fn check(file: &OwnedFd) -> Result<(), String> {
    let wanted = StatxFlags::TYPE | StatxFlags::NLINK;
    let found = statx(file, c"", AtFlags::EMPTY_PATH, wanted).map_err(|error| error.to_string())?;
    if FileType::from_raw_mode(found.stx_mode.into()) != FileType::Fifo {
        return Err("it is not a named pipe".into());
    }
    if found.stx_nlink != 1 {
        return Err(format!("it has {} names", found.stx_nlink));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replies of these sizes that wait for pipes without a reader. The first has
    /// waited longest.
    fn replies_of(sizes: &[usize]) -> ReplyPipes {
        let now = Instant::now();
        let mut pipes = ReplyPipes::default();
        for (age, size) in (0..sizes.len() as u32).rev().zip(sizes) {
            let mut reply = PendingReply::new(vec![0; *size]);
            reply.since = now.checked_sub(Duration::from_millis(1) * age);
            pipes.waiting.add(*size);
            pipes.replies.push(PathBuf::from(age.to_string()), reply);
        }
        pipes
    }

    #[test]
    fn of_too_many_replies_the_oldest_is_given_up() {
        let pipes = replies_of(&[1; limits::PIPES]);
        let newcomer = PendingReply::new(vec![0; 5]);
        assert!(!pipes.waiting.has_room_for(newcomer.size));
        let oldest = PathBuf::from((limits::PIPES - 1).to_string());
        assert_eq!(pipes.most_dispensable(&newcomer), Some(oldest));
    }

    #[test]
    fn of_too_many_bytes_the_most_are_given_up() {
        const LARGE: usize = limits::PENDING_PIPED / 8 * 5;
        let pipes = replies_of(&[10, LARGE, 10]);
        let larger = PendingReply::new(vec![0; LARGE + 1]);
        assert!(!pipes.waiting.has_room_for(larger.size));
        assert_eq!(pipes.most_dispensable(&larger), None);
        let smaller = PendingReply::new(vec![0; LARGE - 1]);
        assert_eq!(pipes.most_dispensable(&smaller), Some("1".into()));
    }

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
