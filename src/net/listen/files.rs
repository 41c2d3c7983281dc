//! The files of a module's listeners. They are removed when the server ends, and known
//! to be ours even if a handler has recreated some of them.

use std::os::fd::OwnedFd;
use std::path::Path;

use kamailio_core::log_limited;
use rustix::io::{Errno, read, write};
use rustix::pipe::{PipeFlags, pipe_with};

use super::file::{FileId, OwnedFile};

/// The files of all groups, in the main process.
#[derive(Debug)]
pub(crate) struct Files(Vec<GroupFiles>);

/// The files of one group of processes.
#[derive(Debug)]
pub(crate) struct GroupFiles {
    /// The files in the order of the endpoints. An Internet socket has none.
    files: Vec<Option<OwnedFile>>,
    /// The end of a pipe through which the handler reports files that it has recreated.
    /// It is `None` if the system gave no pipe; then such files stay when the server
    /// ends.
    news: Option<OwnedFd>,
}

/// The handler's end of the pipe through which it reports recreated files.
#[derive(Debug)]
pub(crate) struct Teller(OwnedFd);

/// The number of a file, and its new identity.
type News = [u8; 24];

impl Files {
    pub(crate) const fn none() -> Self {
        Files(Vec::new())
    }

    pub(crate) fn append(&mut self, more: GroupFiles) {
        self.0.push(more);
    }

    /// Closes what a process has inherited that must not remove the files.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Removes the files that are still ours.
    pub(crate) fn remove(&self) {
        for group in &self.0 {
            group.remove();
        }
    }
}

impl GroupFiles {
    pub(crate) fn new(files: Vec<Option<OwnedFile>>) -> (Self, Option<Teller>) {
        let flags = PipeFlags::CLOEXEC | PipeFlags::NONBLOCK;
        let has_files = files.iter().any(Option::is_some);
        let (news, teller) = has_files.then(|| pipe_with(flags).ok()).flatten().unzip();
        (GroupFiles { files, news }, teller.map(Teller))
    }

    /// The paths of the files.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().flatten().map(OwnedFile::path)
    }

    pub(crate) fn remove(&self) {
        self.files.iter().flatten().for_each(OwnedFile::remove);
        let Some(pipe) = &self.news else {
            return;
        };
        let mut news: News = [0; 24];
        while read(pipe, &mut news) == Ok(news.len()) {
            let [index, device, inode] = numbers(news);
            let made = usize::try_from(index)
                .ok()
                .and_then(|at| self.files.get(at));
            if let Some(Some(made)) = made {
                made.made_again(FileId { device, inode }).remove();
            }
        }
    }
}

impl Teller {
    /// Reports that the file with this number is a new one.
    pub(crate) fn tell(&self, index: usize, file: FileId) {
        let numbers = [index as u64, file.device, file.inode];
        let mut news: News = [0; 24];
        for (bytes, number) in news.chunks_exact_mut(8).zip(numbers) {
            bytes.copy_from_slice(&number.to_ne_bytes());
        }
        if let Err(error) = write(&self.0, &news).and_then(whole) {
            log_limited!(Warning, "a file that was made again will stay: {error}");
        }
    }
}

/// Checks that all bytes were written or read. So few go into a pipe together or not at
/// all.
fn whole(count: usize) -> Result<(), Errno> {
    if count == size_of::<News>() {
        Ok(())
    } else {
        Err(Errno::IO)
    }
}

fn numbers(news: News) -> [u64; 3] {
    let mut numbers = [0; 3];
    for (number, bytes) in numbers.iter_mut().zip(news.chunks_exact(8)) {
        let mut eight = [0; 8];
        eight.copy_from_slice(bytes);
        *number = u64::from_ne_bytes(eight);
    }
    numbers
}
