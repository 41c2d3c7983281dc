//! The files of a module's listeners: removed when the server ends, and known to be
//! ours although a handler may have made some of them again.

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
    /// In the order of the places; those in the network have none.
    files: Vec<Option<OwnedFile>>,
    /// Where its handler says what it has made again. None where the system gave
    /// no pipe: such files stay when the server ends.
    news: Option<OwnedFd>,
}

/// How a handler says that it has made a file again.
#[derive(Debug)]
pub(crate) struct Teller(OwnedFd);

/// Which of the files it was, and what it is now.
type News = [u8; 24];

impl Files {
    pub(crate) const fn none() -> Self {
        Files(Vec::new())
    }

    pub(crate) fn append(&mut self, more: GroupFiles) {
        self.0.push(more);
    }

    /// In a process that is not to remove them: closes what it has inherited.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Removes those that are still what was made.
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

    /// Where they are.
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
    /// The file with this number is another one now.
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

/// So few bytes go into a pipe together or not at all.
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
