//! Lines in the server's log, under this module's name and debug level.

use std::ffi::CString;
use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::sys;

/// The level of a log line, in the core's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Level {
    /// Somebody must act at once.
    Alert = -5,
    /// There is a mistake in our own code.
    Bug = -4,
    /// A part of the service is gone.
    Critical = -3,
    /// A request or an operation failed.
    Error = -1,
    /// Something looks wrong, but the server goes on.
    Warning = 0,
    /// Something normal that is worth knowing.
    Notice = 1,
    /// What the server does.
    Info = 2,
    /// Details for finding mistakes.
    Debug = 3,
}

static MODULE: OnceLock<CString> = OnceLock::new();

/// Sets this module's name for all its lines. It is called once, when the server loads
/// the module.
#[doc(hidden)]
pub fn set_module(name: &str) {
    let name = CString::new(name).unwrap_or_default();
    MODULE.get_or_init(|| name);
}

fn module() -> &'static CString {
    MODULE.get_or_init(|| CString::from(c"rust"))
}

/// Whether a line of this level would be written.
#[must_use]
pub fn enabled(level: Level) -> bool {
    let name = module();
    // SAFETY: the name is a C string of the given length and outlives the call.
    unsafe {
        sys::ksrrs_log_enabled(level as i32, name.as_ptr(), name.as_bytes().len() as i32) != 0
    }
}

/// Writes a line. [`log!`](crate::log!) adds its position in the source.
#[doc(hidden)]
pub fn write(level: Level, file: &str, line: u32, text: fmt::Arguments<'_>) {
    if !enabled(level) {
        return;
    }
    let name = module();
    let text = one_line(text);
    let place = format!("{} [{file}:{line}]: ", name.to_string_lossy());
    let (Ok(place), Ok(file)) = (CString::new(place), CString::new(file)) else {
        return;
    };
    // SAFETY: all strings are C strings or come with their length, and outlive the
    // call.
    unsafe {
        sys::ksrrs_log(
            level as i32,
            name.as_ptr(),
            name.as_bytes().len() as i32,
            place.as_ptr(),
            file.as_ptr(),
            line as i32,
            text.as_ptr().cast(),
            text.len() as i32,
        );
    }
}

/// Replaces control characters, which a client's text may have and a log line must not.
fn one_line(text: fmt::Arguments<'_>) -> String {
    const LONGEST: usize = 2048;
    text.to_string()
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// A client's text as a log line shows it. It is in quotes, without anything that is
/// not printable ASCII, and cut after 64 bytes, because the line has more to say.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 64;
        match self.0.split_at_checked(LONGEST) {
            Some((start, rest)) if !rest.is_empty() => {
                write!(
                    f,
                    "\"{}...\" ({} bytes)",
                    start.escape_ascii(),
                    self.0.len()
                )
            }
            _ => write!(f, "\"{}\"", self.0.escape_ascii()),
        }
    }
}

/// Writes a line to the server's log: `log!(Error, "bad address {address}")`.
#[macro_export]
macro_rules! log {
    ($level:ident, $($text:tt)+) => {
        $crate::log::write(
            $crate::log::Level::$level,
            file!(),
            line!(),
            format_args!($($text)+),
        )
    };
}

/// A limit on the lines that clients can cause. It allows so many lines a second and
/// counts those that are left out.
#[derive(Debug)]
pub struct Limiter {
    per_second: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    start: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl Limiter {
    /// A limit of `per_second` lines.
    #[must_use]
    pub const fn new(per_second: u32) -> Self {
        Limiter {
            per_second,
            window: Mutex::new(Window {
                start: None,
                written: 0,
                left_out: 0,
            }),
        }
    }

    /// Whether a line may be written now. If so, it tells how many were left out since
    /// the last one.
    pub fn admit(&self) -> Option<u64> {
        let now = Instant::now();
        let mut window = self.window.lock();
        if window
            .start
            .is_none_or(|start| now.duration_since(start) >= Duration::from_secs(1))
        {
            window.start = Some(now);
            window.written = 0;
        }
        if window.written >= self.per_second {
            window.left_out += 1;
            return None;
        }
        window.written += 1;
        Some(std::mem::take(&mut window.left_out))
    }
}

/// Like [`log!`](crate::log!), but for lines that a client can cause: it writes at most
/// five a second from each place in the code.
#[macro_export]
macro_rules! log_limited {
    ($level:ident, $($text:tt)+) => {{
        static LIMITER: $crate::log::Limiter = $crate::log::Limiter::new(5);
        match LIMITER.admit() {
            Some(0) => $crate::log!($level, $($text)+),
            Some(left_out) => $crate::log!(
                $level,
                "{} ({left_out} such lines were left out before)",
                format_args!($($text)+)
            ),
            None => {}
        }
    }};
}
