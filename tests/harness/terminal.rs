//! Running a program on a terminal, as if a person sat there.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::wait::{self, patience};

/// A program that runs on a terminal. Dropping this ends the program.
#[derive(Debug)]
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// The output that was not read yet.
    shown: String,
}

impl Terminal {
    /// Starts `command` on a new terminal without colours and cursor movements.
    ///
    /// # Panics
    ///
    /// There is no terminal, or no such program.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let (ours, theirs) = pair().expect("a pseudo-terminal");
        let same = || Stdio::from(theirs.try_clone().expect("one more descriptor"));
        let child = command
            .env("TERM", "dumb")
            // The key bindings of the user must not matter.
            .env("INPUTRC", "/dev/null")
            .stdin(same())
            .stdout(same())
            .stderr(same())
            .spawn()
            .expect("the program starts");
        let screen = File::from(ours.try_clone().expect("one more descriptor"));
        Self {
            child,
            keyboard: File::from(ours),
            screen: watch(screen),
            shown: String::new(),
        }
    }

    /// Types these keys.
    ///
    /// # Panics
    ///
    /// The terminal is gone.
    pub fn type_in(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("the terminal takes what is typed");
    }

    /// The output since the last reading, up to and including `text`.
    ///
    /// # Panics
    ///
    /// `text` does not appear.
    pub fn read_to(&mut self, text: &str) -> String {
        let deadline = Instant::now() + patience();
        loop {
            if let Some(at) = self.shown.find(text) {
                let rest = self.shown.split_off(at + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => self.give_up(text, error),
            }
        }
    }

    /// Waits until the program ends by itself.
    ///
    /// # Panics
    ///
    /// It does not end.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let ended = wait::for_some(|| self.child.try_wait().expect("our own child"));
        ended.expect("the program on the terminal ends")
    }

    fn give_up(&self, text: &str, error: RecvTimeoutError) -> ! {
        panic!(
            "no {text:?} on the terminal ({error}), but {:?}",
            self.shown
        )
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The two ends of a terminal: the person's and the program's.
fn pair() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = open(name.as_c_str(), flags, Mode::empty())?;
    Ok((ours, theirs))
}

/// Passes on the output until the program closes its end.
fn watch(mut screen: File) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(len @ 1..) = screen.read(&mut buffer) {
            if sender.send(buffer[..len].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}
