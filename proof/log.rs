//! A server's log, which is read while it is written and kept from growing.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use report::proof::hostile::Lines;

/// A log that is longer is emptied. Whatever clients do wrong fills it.
const LONGEST: u64 = 16 << 20;

/// The number of lines of the counted levels that are kept to be shown.
const SHOWN: usize = 20;

/// The log of a server.
pub(crate) struct Log {
    file: PathBuf,
    read: u64,
    rest: Vec<u8>,
    pub(crate) lines: Lines,
}

impl Log {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self {
            file,
            read: 0,
            rest: Vec::new(),
            lines: Lines::default(),
        }
    }

    /// Reads what is new. The server appends, so it starts at the beginning once the
    /// file is empty.
    ///
    /// # Panics
    ///
    /// The file cannot be read.
    pub(crate) fn look(&mut self) {
        let file = File::options().read(true).write(true).open(&self.file);
        let mut file = file.expect("the log");
        file.seek(SeekFrom::Start(self.read)).expect("a file");
        let len = file.read_to_end(&mut self.rest).expect("a file");
        self.read += len as u64;
        if self.read > LONGEST {
            file.set_len(0).expect("a file of ours");
            self.read = 0;
        }
        let end = self.rest.iter().rposition(|byte| *byte == b'\n');
        let whole: Vec<u8> = self.rest.drain(..end.map_or(0, |end| end + 1)).collect();
        for line in whole.split(|byte| *byte == b'\n') {
            count(&mut self.lines, &String::from_utf8_lossy(line));
        }
    }
}

/// Counts a line, which has the form `number(process) LEVEL: module ...`.
fn count(lines: &mut Lines, line: &str) {
    let Some((_, text)) = line.split_once(") ") else {
        return;
    };
    match text.split_once(':').map(|(level, _)| level) {
        Some("BUG") => lines.bug += 1,
        Some("CRITICAL" | "ALERT") => lines.critical += 1,
        _ => return,
    }
    if lines.shown.len() < SHOWN {
        lines.shown.push(text.chars().take(300).collect());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_counted_by_level_also_after_the_file_was_emptied() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("log");
        let bug = " 3(77) BUG: ctl [a.rs:1]: f(): it panicked\n";
        let critical = " 3(77) CRITICAL: <core> [a.c:1]: f(): no\n";
        let error = " 3(77) ERROR: ctl [a.rs:1]: f(): BUG: said the client\n";
        fs::write(&file, format!("{bug}{critical}{error}{}", &bug[..9])).expect("a file");
        let mut log = Log::new(file.clone());
        log.look();
        assert_eq!((log.lines.bug, log.lines.critical), (1, 1));
        let rest = "x".repeat(usize::try_from(LONGEST).expect("small"));
        fs::write(&file, format!("{bug}{critical}{error}{bug}{rest}\n")).expect("a file");
        log.look();
        assert_eq!((log.lines.bug, log.lines.critical), (2, 1));
        assert_eq!(fs::metadata(&file).expect("a file").len(), 0);
        fs::write(&file, bug).expect("a file");
        log.look();
        assert_eq!((log.lines.bug, log.lines.critical), (3, 1));
        assert_eq!(log.lines.shown.len(), 4);
    }
}
