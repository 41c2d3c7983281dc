//! The two ends of a named pipe of ours.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// The end from which requests are read, and the end that keeps the pipe open. Without
/// a writing end of our own the pipe would end when the last client leaves, and be
/// ready to be read for ever.
#[derive(Debug)]
pub(crate) struct Ends {
    reading: OwnedFd,
    /// A second descriptor that can also write, so that it can be closed for a moment.
    /// It is `None` if only one could be opened, which then serves for both.
    writing: Option<OwnedFd>,
    is_apart: bool,
}

impl AsFd for Ends {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reading.as_fd()
    }
}

impl Ends {
    /// Takes the pipe as it was opened for reading and writing.
    pub(crate) fn new(file: OwnedFd) -> Self {
        match opened_again(&file, OFlags::RDONLY | OFlags::NONBLOCK) {
            Ok(reading) => Ends {
                reading,
                writing: Some(file),
                is_apart: true,
            },
            Err(_) => Ends {
                reading: file,
                writing: None,
                is_apart: false,
            },
        }
    }

    /// Whether any other process has the pipe open for writing. If that cannot be
    /// known, one may have.
    ///
    /// The system tells the reading end if there are no writers, so our own must be
    /// closed for a moment. Nobody notices: what is in the pipe stays there as long as
    /// one end is open.
    pub(crate) fn have_other_writers(&mut self) -> bool {
        // An end that could not be opened again is better kept.
        if !self.is_apart || self.opened_for_writing().is_err() {
            return true;
        }
        self.writing = None;
        let is_ended = is_ended(self.reading.as_fd());
        self.hold_open();
        !is_ended
    }

    /// Opens the writing end again if it is not open, and returns whether it is open
    /// now.
    pub(crate) fn hold_open(&mut self) -> bool {
        if self.is_apart && self.writing.is_none() {
            self.writing = self.opened_for_writing().ok();
        }
        !self.is_apart || self.writing.is_some()
    }

    fn opened_for_writing(&self) -> Result<OwnedFd, Errno> {
        opened_again(&self.reading, OFlags::RDWR | OFlags::NONBLOCK)
    }
}

/// Opens the same pipe once more, whatever its path leads to by now.
pub(crate) fn opened_again(pipe: &OwnedFd, flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty())
}

/// Whether a pipe has no writers and nothing left to be read.
fn is_ended(reading: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(reading, PollFlags::IN)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let polled = poll(&mut fds, Some(&at_once));
    polled.is_ok() && fds[0].revents() == PollFlags::HUP
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use rustix::fs::{CWD, Mode, OFlags, mkfifoat, openat};

    use super::Ends;

    #[test]
    fn writers_are_noticed_when_they_leave() {
        let directory = std::env::temp_dir();
        let path = directory.join(format!("ksr-pipe-ends-{}", std::process::id()));
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).expect("a new name");
        let file = openat(CWD, &path, OFlags::RDWR, Mode::empty()).expect("a pipe");
        let mut ends = Ends::new(file);
        let mut writer = File::options().write(true).open(&path).expect("a pipe");
        std::fs::remove_file(&path).expect("it is ours");
        assert!(ends.have_other_writers());
        writer.write_all(b"half").expect("it is read");
        drop(writer);
        // What it wrote comes first.
        assert!(ends.have_other_writers());
        rustix::io::read(&ends, &mut [0; 9]).expect("half");
        assert!(!ends.have_other_writers());
        assert!(ends.hold_open());
    }
}
